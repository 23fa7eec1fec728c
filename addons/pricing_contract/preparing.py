"""Prepare long changes, the job: the rows of a file, or a contract's prices by a percentage, in portions.

The rows of a file lie in the database as they were written there (`ChangePart`) until they are read. Each portion is one
transaction, with the note how far the job is: one that is killed goes on where it was. Until the last portion nobody can
publish the change; stopped, it is as though it had never been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update

from core.api.data import acting, db, write
from core.api.hooks import Conflict, Invalid
from core.api.i18n import translations
from core.api.jobs import progress

from . import change_rows, changes, meanwhile, percents, publishing
from .change_models import Change, ChangePart, ChangeRow
from .circles import Edges, edges
from .grid import GridRow
from .meanwhile import Mark
from .models import Contract
from .percents import Rise
from .publishing import Stopped
from .saving import groups, record

_, _l, ngettext, _p = translations(__name__)
JOB = "pricing_contract.prepare"
#: Refused rows that are kept, to be shown.
TOLD = 200
_CELLS = (
    "target", "unit", "min_quantity", "kind", "value", "per", "valid_from", "valid_until", "brief", "errors",
)  # fmt: skip
_SILENT = {"synchronize_session": False}


def by_rows(contract: Contract, rows: Sequence[GridRow], title: str) -> Change:
    """Return a change that a job prepares from the rows of a file."""
    seen = meanwhile.mark_of(contract)
    parts = list(_together(rows))
    change = Change(size=len(rows), origin={"seen": seen.text, "publish": False})
    with write() as session:
        changes.begin(contract, change, title, "preparing")
        for number, some in enumerate(parts):
            session.add(ChangePart(change_id=change.id, number=number, rows=some))
        publishing.ask(JOB, change)
    return change


def by_percent(contract: Contract, rise: Rise, *, seen: Mark | None = None, publish: bool = False) -> Change:
    """Return a change that a job prepares from the contract's fixed prices; with ``publish`` it is published after that.

    ``seen`` is the mark of the page that showed the prices; what was changed since is not overwritten.
    """
    origin = {**rise.plain, "seen": (seen or meanwhile.mark_of(contract)).text, "publish": publish}
    change = Change(size=len(percents.fixed_targets(contract, rise, None)), origin=origin)
    with write():
        changes.begin(contract, change, percents.title_of(rise), "preparing")
        publishing.ask(JOB, change)
    return change


def throw_away(change: Change) -> None:
    """Forget a change that a job prepares, or could not prepare; Conflict where it is another's turn by now."""
    with write() as session:
        here = (Change.id == change.id, Change.state.in_(("preparing", "failed")))
        gone: Any = session.execute(delete(Change).where(*here), execution_options=_SILENT)
        if not gone.rowcount:
            raise Conflict("CHANGE-STATE", _("Nothing is under way any more."))
        record(change.contract.code, "change withdrawn", None, {"number": change.number})
        session.expunge(change)


def prepare_long(payload: dict[str, Any]) -> None:
    """Prepare a long change, as the person who asked for it; the job. May run twice, and be killed anywhere."""
    change = db.session.get(Change, payload["change"])
    if change is None or change.state != "preparing":
        return
    with acting(publishing.asker(payload)), publishing.unless_gone(payload["change"]):
        try:
            _work(payload["change"])
        except Stopped:
            return
        except (Conflict, Invalid) as refused:
            _fail(payload["change"], str(refused.message))


def _work(change_id: int) -> None:
    change = db.session.get_one(Change, change_id, populate_existing=True)
    contract, origin = change.contract, change.origin or {}
    done = change.checked
    for portion in _raised(contract, change, Rise.read(origin)) if "percent" in origin else _parts(contract, change):
        _keep(change, done, portion)
        done += portion.count
        progress(min(done, change.size), change.size)
        change_rows.give_way()
    change = db.session.get_one(Change, change_id, populate_existing=True)
    if change.problems:
        count = change.problems["count"]
        said = ngettext(
            "%(count)s row cannot be taken, so nothing was prepared.",
            "%(count)s rows cannot be taken, so nothing was prepared.",
            count,
        )
        raise Invalid("CHANGE-ROWS", said)
    if not change_rows.first_rows(change, 1):
        raise Invalid("CHANGE-EMPTY", str(changes.NOTHING))
    effect = changes.worked_out(contract, change, meanwhile.read_mark(origin["seen"]))
    try:
        _open(change, effect, publish=origin["publish"])
    except (Conflict, Invalid) as refused:
        _open(change, effect, why=str(refused.message))


class Portion(NamedTuple):
    """Some rows of the change as columns, of how many that were looked at, those refused, and the part of the file."""

    rows: Sequence[Mapping[str, Any]]
    count: int
    refused: Sequence[GridRow] = ()
    part: int | None = None


def _raised(contract: Contract, change: Change, rise: Rise) -> Iterator[Portion]:
    """Yield the prices by a percentage, those behind the last that was kept."""
    last = db.session.scalar(select(func.max(ChangeRow.target)).where(ChangeRow.change_id == change.id))
    place = change.checked
    for targets in groups(percents.fixed_targets(contract, rise, last), change_rows.PORTION):
        found = percents.raised_rows(contract, rise, targets)
        rows = [{**changes.raised(row, value), "place": place + n} for n, (row, value) in enumerate(found)]
        place += len(targets)
        yield Portion(rows, len(targets))


def _parts(contract: Contract, change: Change) -> Iterator[Portion]:
    """Yield the rows of the file, as far as they are not read yet."""
    around: Edges | None = None
    query = select(ChangePart.number).where(ChangePart.change_id == change.id).order_by(ChangePart.number)
    for number in db.session.scalars(query).all():
        part = select(ChangePart.rows).where(ChangePart.change_id == change.id, ChangePart.number == number)
        texts = db.session.scalar(part) or []
        rows = [GridRow(place=place, **dict(zip(_CELLS, cells, strict=True))) for place, *cells in texts]
        if around is None and any(row.kind == "formula" for row in rows):
            around = edges()
        found = changes.checked_rows(contract, rows, around=around)
        yield Portion(found, len(rows), [row for row in rows if row.errors], number)


def _keep(change: Change, done: int, portion: Portion) -> None:
    """Keep a portion, where ``done`` rows were kept before; Stopped where somebody stopped it, or another is at it."""
    rows = change_rows.as_kept(change, portion.rows)
    with write() as session:
        here = (Change.id == change.id, Change.state == "preparing", Change.checked == done)
        # not by the model: the version is for people who work on the change
        note = update(Change).where(*here).values(checked=done + portion.count)
        noted: Any = session.execute(note, execution_options=_SILENT)
        if not noted.rowcount:
            raise Stopped
        problems = session.scalar(select(Change.problems).where(Change.id == change.id))
        if portion.refused:
            told = _with(problems or {"count": 0, "rows": []}, portion.refused)
            wrong = update(Change).where(Change.id == change.id).values(problems=told)
            session.execute(wrong, execution_options=_SILENT)
        if rows and not problems and not portion.refused:
            change_rows.insert(rows)
        if portion.part is not None:
            mine = (ChangePart.change_id == change.id, ChangePart.number == portion.part)
            session.execute(delete(ChangePart).where(*mine), execution_options=_SILENT)


def _with(problems: Mapping[str, Any], refused: Sequence[GridRow]) -> dict[str, Any]:
    """Return what was wrong before, and some rows more, those that stand first in the file."""
    more = [
        [(row.place or 0) + 1, row.target, row.unit, row.min_quantity, row.value, " ".join(row.errors.values())]
        for row in refused
    ]
    shown = sorted([*problems["rows"], *more], key=lambda one: one[0])[:TOLD]
    return {"count": problems["count"] + len(more), "rows": shown}


def _open(change: Change, effect: Mapping[str, Any], *, publish: bool = False, why: str = "") -> None:
    """Let people see the change, and where it was asked for publish it."""
    with write() as session:
        change = session.get_one(Change, change.id, populate_existing=True)
        if change.state != "preparing":
            raise Stopped
        size = session.scalar(select(func.count()).where(ChangeRow.change_id == change.id)) or 0
        change.state, change.effect, change.refused, change.size = "open", dict(effect), why, size
        session.flush()
        record(change.contract.code, "change prepared", None, {"number": change.number, "rows": size})
        if publish:
            publishing.publish(change.contract, change, change.version)


def _fail(change_id: int, why: str) -> None:
    """Let nobody publish what could not be prepared whole, and say why; what was kept of it goes."""
    with write() as session:
        change = session.get_one(Change, change_id, populate_existing=True)
        if change.state == "preparing":
            change.state, change.refused = "failed", why
            for model in (ChangeRow, ChangePart):
                session.execute(delete(model).where(model.change_id == change_id), execution_options=_SILENT)


def _together(rows: Sequence[GridRow]) -> Iterator[list[Any]]:
    """Yield the rows in parts, as JSON; those for one product or category stay together, as they are judged together."""
    order = sorted(range(len(rows)), key=lambda n: rows[n].target.removeprefix("*"))
    part: list[Any] = []
    last = ""
    for n in order:
        target = rows[n].target.removeprefix("*")
        if len(part) >= change_rows.PORTION and target != last:
            yield part
            part = []
        last = target
        part.append([n, *(getattr(rows[n], name) for name in _CELLS)])
    if part:
        yield part
