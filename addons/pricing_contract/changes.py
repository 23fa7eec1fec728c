"""Prepared changes: rows and terms that wait beside a contract until somebody has seen whom they touch, and publishes them.

A published change holds at once, or from an instant on: its rows then begin there, and what it takes out ends there, so
that no job has to run at midnight; a contract begins or ends by its own dates. Only other terms are put in by a job when
their time comes. It can be undone while nobody has changed the same since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.data import clock, current_actor, db, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import enqueue

from . import heads, meanwhile
from .editing import check_head, header, row_as_json, row_columns, staged_from, staged_rows, values_as_json
from .effect import counted, effect_of
from .grid import GridRow, names_of, read_key
from .meanwhile import Moved
from .models import Change, Contract, ContractPrice, target_of
from .saving import Header, Key, Saver, Staged, groups, record

_, _l, ngettext, _p = translations(__name__)


def changes_of(contract: Contract) -> list[Change]:
    """Return the contract's changes, the newest first."""
    return list(
        db.session.scalars(select(Change).where(Change.contract_id == contract.id).order_by(Change.number.desc()).limit(20))
    )


def change_by_number(contract: Contract, number: int) -> Change:
    """Return a change of the contract; NotFound if there is none with the number."""
    found = db.session.scalar(select(Change).where(Change.contract_id == contract.id, Change.number == number))
    if found is None:
        raise NotFound("CHANGE-UNKNOWN", _("The contract has no prepared change %(number)s.", number=number))
    return found


def prepare(contract: Contract, rows: Sequence[GridRow], removed: Iterable[str] = (), title: str = "") -> Change | None:
    """Return a new change with the rows of a grid or a spreadsheet; None where a row has errors, which are noted on it."""
    staged = staged_rows(contract, rows)
    moved = [row.old for row in staged if row.old is not None]
    gone = {(contract.id, *read_key(text)) for text in removed} | set(moved)
    for tag, problem in Saver(staged).checked(gone)[1].items():
        rows[tag].refuse(problem.field, problem.message)  # type: ignore[index]
    if any(row.errors for row in rows):
        return None
    taken = [{**row, "gone": True} for row in _at(gone).values()]
    return prepared(contract, [*map(_as_json, staged), *taken], title)


def prepared(contract: Contract, rows: Sequence[Mapping[str, Any]], title: str = "") -> Change:
    """Return a new change with rows as JSON; Invalid if there are none."""
    if not rows:
        raise Invalid("CHANGE-EMPTY", _("There is nothing to prepare: no row would change."))
    return _kept(contract, Change(rows=list(rows), size=len(rows)), title)


def _kept(contract: Contract, change: Change, title: str) -> Change:
    change.contract_id, change.title = contract.id, title[:200]
    change.prepared_by, change.prepared_at = current_actor().name, clock.now()
    change.effect = _effect(contract, change)
    with write() as session:
        last = session.scalar(select(func.max(Change.number)).where(Change.contract_id == contract.id)) or 0
        change.number = last + 1
        session.add(change)
        record(contract.code, "change prepared", None, {"number": change.number, "rows": change.size})
    return change


def prepare_terms(contract: Contract, values: Mapping[str, Any], title: str = "") -> Change:
    """Return a new change with terms of the contract; Invalid where nothing differs or the terms cannot be."""
    head = heads.differing(contract, values)
    if not head:
        raise Invalid("CHANGE-EMPTY", _("There is nothing to prepare: no term would change."))
    check_head(contract, values)
    return _kept(contract, Change(rows=[], head=head), title)


def by_percent(contract: Contract, changed: Sequence[tuple[ContractPrice, Decimal]], title: str = "") -> Change:
    """Return a new change with the new values that `editing.change_by_percent` worked out."""
    return prepared(contract, [{**row_as_json(row), "value": str(value)} for row, value in changed], title)


def standing(contract: Contract, change: Change, most: int) -> dict[int, dict[str, Any]]:
    """Return, by the place of each of the change's first ``most`` rows, the row that stands now where it will be."""
    rows = change.rows[:most]
    if change.state == "open":
        keys = {staged_from(0, header(contract), row).key: n for n, row in enumerate(rows)}
        return {keys[key]: row for key, row in _at(keys).items()}
    key_of = ("target", "unit", "min_quantity")
    before = {tuple(row["before"][name] for name in key_of): row["before"] for row in change.done or () if row["before"]}
    places = {n: before.get(tuple(row[name] for name in key_of)) for n, row in enumerate(rows)}
    return {n: row for n, row in places.items() if row}


def as_price(row: Mapping[str, Any]) -> ContractPrice:
    """Return a row of a change as a model that no session holds."""
    return _model(staged_from(0, Header(0, "", ""), row))


def look_again(contract: Contract, change: Change) -> None:
    """Work out anew whom an open change touches: prices, carts and companies have moved on since."""
    effect = _effect(contract, _open(change))
    with write():
        _open(change).effect = effect


def publish(contract: Contract, change: Change, version: int, starts: datetime | None = None) -> int:
    """Let the change hold, at once or from ``starts`` on; return how many rows differ now.

    Invalid where a row was changed since it was worked out whom the change touches: look again first.
    """
    with write():
        change = _open(_current(change, version))
        moved = moved_since(contract, change)
        if moved:
            raise Invalid("CHANGE-STALE", _stale(contract, moved))
        change.starts = starts
        if change.head and starts is not None:
            own = heads.dated(change.head, starts)
            if own is None:
                change.state, change.published_by, change.published_at = "scheduled", current_actor().name, clock.now()
                enqueue("pricing_contract.publish", {"change": change.id}, run_at=starts)
                record(contract.code, "change scheduled", None, {"number": change.number, "starts": starts})
                return 0
            change.head = own
        return _put_in(contract, change)


def publish_due(payload: dict[str, Any]) -> None:
    """Put in terms whose time has come, the job; where they no longer fit, the change is open again."""
    change = db.session.get(Change, payload["change"])
    if change is None or change.state != "scheduled" or (change.starts and change.starts > clock.now()):
        return
    contract = change.contract
    try:
        with write():
            _put_in(contract, change)
    except (Conflict, Invalid) as refused:
        with write():
            change = db.session.get(Change, payload["change"], populate_existing=True) or change
            change.state, change.published_at = "open", None
            said = {"number": change.number, "why": str(refused.message)}
            record(contract.code, "change not published", None, said)


def _put_in(contract: Contract, change: Change) -> int:
    keys = _keys(contract, change)
    before = _at(keys)
    if change.head:
        change.head_before = heads.standing(contract, change.head)
        heads.put_in(contract, change.head)
    _apply_rows(contract, change)
    after = _at(keys)
    done = [{"before": before.get(key), "after": after.get(key)} for key in dict.fromkeys((*before, *after))]
    change.done = [row for row in done if row["before"] != row["after"]]
    by = change.published_by if change.state == "scheduled" else current_actor().name
    change.state, change.published_by, change.published_at = "published", by, clock.now()
    record(contract.code, "change published", None, {"number": change.number, "rows": len(change.done)})
    return len(change.done)


def undo(contract: Contract, change: Change, version: int) -> int:
    """Put the rows of a published change back; Conflict if any of them has been changed since."""
    with write():
        change = _current(change, version)
        if change.state != "published":
            raise Conflict("CHANGE-STATE", _("Only a published change can be undone."))
        done = change.done or []
        if change.head:
            heads.put_back(contract, change.head_before or {}, change.head)
        head = header(contract)
        keys = {staged_from(0, head, row["after"] or row["before"]).key: row for row in done}
        now = _at(keys)
        moved = sum(now.get(key) != row["after"] for key, row in keys.items())
        if moved:
            raise Conflict(
                "CHANGE-MOVED",
                ngettext(
                    "%(count)s row was changed again since. Prepare a new change instead.",
                    "%(count)s rows were changed again since. Prepare a new change instead.",
                    moved,
                ),
            )
        back = [staged_from(n, head, row["before"]) for n, row in enumerate(done) if row["before"]]
        gone = {key for key, row in keys.items() if not row["before"]}
        _refuse(Saver(back).save(gone, means="undo", note=str(change.number)).problems)
        change.state = "undone"
        record(contract.code, "change undone", None, {"number": change.number, "rows": len(done)})
        return len(done)


def moved_since(contract: Contract, change: Change) -> dict[Key, Moved]:
    """Return the change's rows that anybody changed in the contract since it was worked out whom an open change touches."""
    if change.state != "open" or not change.size or not change.effect:
        return {}
    seen = meanwhile.read_mark(change.effect["seen"])
    if not meanwhile.later([contract.id], seen):
        return {}  # the rows need not be read
    head = header(contract)
    keys = (staged_from(n, head, row).key for n, row in enumerate(change.rows))
    return meanwhile.moved(keys, seen, own=True)


def moved_in_words(contract: Contract, moved: Mapping[Key, Moved], most: int = 5) -> list[str]:
    """Return what happened to the rows, the first ``most`` of them, each as a sentence that begins with what it is of."""
    shown = list(moved.items())[:most]
    names = names_of(key[1] for key, _one in shown)
    return [
        _("%(what)s: %(sentence)s", what=names.get(key[1], ""), sentence=one.sentence(contract.currency))
        for key, one in shown
    ]


def _stale(contract: Contract, moved: Mapping[Key, Moved]) -> str:
    said = ngettext(
        "%(count)s row was changed since it was worked out whom the change touches. Work it out again, then publish.",
        "%(count)s rows were changed since it was worked out whom the change touches. Work it out again, then publish.",
        len(moved),
    )
    return " ".join([said, *moved_in_words(contract, moved)])


def withdraw(contract: Contract, change: Change, version: int) -> None:
    """Give up an open or scheduled change; it stays in the list."""
    with write():
        change = _current(change, version)
        if change.state != "scheduled":
            _open(change)
        change.state = "withdrawn"
        record(contract.code, "change withdrawn", None, {"number": change.number})


def _open(change: Change) -> Change:
    if change.state != "open":
        raise Conflict("CHANGE-STATE", _("This change is no longer open."))
    return change


def _current(change: Change, version: int) -> Change:
    found = db.session.get(Change, change.id, populate_existing=True)
    if found is None or found.version != version:
        raise Conflict("CHANGE-CHANGED", _("Somebody else has worked on this change meanwhile. Look at it again."))
    return found


def _effect(contract: Contract, change: Change) -> dict[str, Any]:
    rows = change.rows if not change.head else [*change.rows, *heads.rows_of(contract)]
    then = heads.read(change.head or {})
    head = header(contract)
    keys = [staged_from(n, head, row).key for n, row in enumerate(change.rows)]
    before = _at(keys)
    seen = meanwhile.mark_of(contract).text  # before: what is done while the prices are worked out was not seen
    effect = effect_of(contract, rows, lambda products: _apply(contract, change, products), then)
    return {**effect, "rows": counted(zip(change.rows, map(before.get, keys), strict=True)), "seen": seen}


def _apply(contract: Contract, change: Change, products: Collection[int]) -> None:
    """Write the terms and the rows for some products as they are to be, for a trial; call inside ``write()``."""
    if change.head:
        heads.try_on(contract, change.head)
    _apply_rows(contract, change, products)


def _apply_rows(contract: Contract, change: Change, only: Collection[int] | None = None) -> None:
    staged, gone = _plan(contract, change, only)
    if staged or gone:
        _refuse(Saver(staged).save(gone, means="change", note=str(change.number or "")).problems)


def _plan(contract: Contract, change: Change, only: Collection[int] | None = None) -> tuple[list[Staged], set[Key]]:
    """Return the rows to save and those to delete; with a start, rows begin there and end there instead.

    Where ``only`` some products are asked about, those for them, for categories and for everything.
    """
    head, starts = header(contract), change.starts
    staged, gone = [], set()
    for n, row in enumerate(change.rows):
        if only is not None and row["target"] > 0 and row["target"] not in only:
            continue
        one = staged_from(n, head, row)
        if not row.get("gone"):
            if starts is not None and one.valid_from < starts:
                one.valid_from = starts
            staged.append(one)
        elif starts is None or one.valid_from >= starts:
            gone.add(one.key)
        else:
            one.values = {"valid_until": starts}
            staged.append(one)
    return staged, gone


def _keys(contract: Contract, change: Change) -> set[Key]:
    staged, gone = _plan(contract, change)
    return {row.key for row in staged} | gone


def _at(keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """Return the rows that stand at the keys, as JSON, by key."""
    wanted = set(keys)
    if not wanted:
        return {}
    columns = select(*row_columns(), ContractPrice.contract_id)
    found = {}
    for targets in groups(sorted({key[1] for key in wanted})):
        here = (ContractPrice.contract_id.in_({key[0] for key in wanted}), ContractPrice.target.in_(targets))
        for row in db.session.execute(columns.where(*here)):
            key = (row.contract_id, row.target, row.unit, row.min_quantity, row.valid_from)
            if key in wanted:
                found[key] = row_as_json(row)
    return found


def _model(row: Staged) -> ContractPrice:
    return ContractPrice(
        target=target_of(row.product_id, row.category_id), unit=row.unit, min_quantity=row.min_quantity,
        valid_from=row.valid_from, product_id=row.product_id, category_id=row.category_id,
        **{"per": Decimal(1), **row.values},
    )  # fmt: skip


def _as_json(row: Staged) -> dict[str, Any]:
    """Return a staged row as `editing.row_as_json` writes one."""
    values = {"per": Decimal(1), "valid_until": None, "terms": None, **row.values}
    key = {"target": row.key[1], "unit": row.unit, "min_quantity": row.min_quantity, "valid_from": row.valid_from}
    return values_as_json({**key, **values, "product_id": row.product_id, "category_id": row.category_id})


def _refuse(problems: Mapping[Any, Any]) -> None:
    """Raise Invalid naming the first row that does not fit."""
    if not problems:
        return
    problem = next(iter(problems.values()))
    name = names_of([problem.rule.target]).get(problem.rule.target, "")
    raise Invalid(
        "CHANGE-ROW",
        _("The row for %(what)s does not fit the contract as it is now: %(problem)s", what=name, problem=problem.message),
    )
