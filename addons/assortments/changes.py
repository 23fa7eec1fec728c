"""Prepared changes of assortments: goods and states that wait until somebody has seen who loses and who gains what.

A change holds at once, or a job puts it in on its day. It can be undone while nobody has moved the same goods since.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from core.api import changes as prepared
from core.api.changes import current, open_, published, schedule
from core.api.data import clock, current_actor, db, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations

from . import editing
from .editing import Change
from .effect import effect_of
from .models import STATUSES, Assortment, AssortmentChange

_, _l, ngettext, _p = translations(__name__)
JOB = "assortments.publish"
STALE = _l("The assortment was changed since it was worked out whom this touches. Work it out again, then publish.")


def changes_of(assortment: Assortment) -> list[AssortmentChange]:
    """Return the assortment's changes, the newest first."""
    mine = select(AssortmentChange).where(AssortmentChange.assortment_id == assortment.id)
    return list(db.session.scalars(mine.order_by(AssortmentChange.number.desc()).limit(20)))


def by_number(assortment: Assortment, number: int) -> AssortmentChange:
    """Return a change of the assortment; NotFound if there is none with the number."""
    mine = (AssortmentChange.assortment_id == assortment.id, AssortmentChange.number == number)
    found = db.session.scalar(select(AssortmentChange).where(*mine))
    if found is None:
        raise NotFound("CHANGE-UNKNOWN", _("The assortment has no prepared change %(number)s.", number=number))
    return found


def prepare(assortment: Assortment, rows: Sequence[Change] = (), status: str = "", title: str = "") -> AssortmentChange:
    """Return a new change with goods to put in or take out, or a state to set; Invalid where nothing would differ."""
    if status and status not in STATUSES:
        raise Conflict("ASSORTMENT-STATUS", _("An assortment is a draft, active, or ended."))
    given = list({one.target: one for one in rows}.values())  # the last line that names something counts
    with write():
        trial = db.session.begin_nested()
        differing = any(outcome != "unchanged" for outcome in editing.put_rows(given)) if given else False
        trial.rollback()
    if not differing and status in ("", assortment.status):
        raise Invalid("CHANGE-EMPTY", _("There is nothing to prepare: nothing would change."))
    change = AssortmentChange(
        assortment_id=assortment.id, title=title[:200], status=status, state="open", prepared_by=current_actor().name,
        prepared_at=clock.now(),
        rows=[{"name": one.name, "target": list(one.target), "remove": one.remove} for one in given],
    )  # fmt: skip
    change.effect = _effect(assortment, change)
    with write() as session:
        editing.hold(assortment.id)  # its changes are numbered
        mine = AssortmentChange.assortment_id == assortment.id
        change.number = (session.scalar(select(func.max(AssortmentChange.number)).where(mine)) or 0) + 1
        session.add(change)
        editing.record(assortment, "change prepared", None, {"number": change.number, "rows": len(given)})
    return change


def look_again(assortment: Assortment, change: AssortmentChange) -> None:
    """Work out anew whom an open change touches."""
    effect = _effect(assortment, open_(change))
    with write():
        open_(change).effect = effect


def publish(assortment: Assortment, change: AssortmentChange, version: int, starts: datetime | None = None) -> int:
    """Let the change hold, at once or by a job from ``starts`` on; return how many rows it put in or took out.

    Invalid where the assortment was changed since it was worked out whom the change touches: look again first.
    """
    with write():
        change = open_(current(change, version))
        editing.hold(change.assortment_id)
        if stale(assortment, change):
            text = _(
                "The assortment was changed since it was worked out whom this touches. Work it out again, then publish."
            )
            raise Invalid("CHANGE-STALE", text)
        if starts is not None and starts > clock.now():
            schedule(change, starts, JOB)
            editing.record(assortment, "change scheduled", None, {"number": change.number, "starts": starts})
            return 0
        return _put_in(change)


def stale(assortment: Assortment, change: AssortmentChange) -> bool:
    """Tell whether the assortment was changed since it was worked out whom an open change touches."""
    seen = (change.effect or {}).get("seen", "")
    now = db.session.scalar(select(Assortment.updated_at).where(Assortment.id == assortment.id))
    return change.state == "open" and now is not None and now.isoformat() != seen


def publish_due(payload: dict[str, Any]) -> None:
    """Put in a change whose day has come, the job; where that is refused, the change is open again."""
    change = prepared.due(AssortmentChange, payload["change"])
    if change is None:
        return
    try:
        with write():
            editing.hold(change.assortment_id)
            if prepared.due(AssortmentChange, payload["change"]) is not None:
                _put_in(change)
    except (Conflict, Invalid) as refused:
        with write():
            change = db.session.get_one(AssortmentChange, payload["change"], populate_existing=True)
            prepared.reopen(change, str(refused.message))
            said = {"number": change.number, "why": change.refused}
            editing.record(change.assortment, "change not published", None, said)


def undo(assortment: Assortment, change: AssortmentChange, version: int) -> int:
    """Put things back as they were before the change; Conflict where somebody moved the same since."""
    with write():
        change = published(current(change, version))
        editing.hold(change.assortment_id)
        back = [_as_change(assortment, row, remove=not row["remove"]) for row in change.done or ()]
        outcomes = editing.put_rows(back) if back else []
        moved = outcomes.count("unchanged")
        if change.status_before:
            if _fresh(assortment).status != change.status:
                moved += 1
            else:
                editing.set_status(_fresh(assortment), change.status_before)
        if moved:
            raise Conflict("CHANGE-MOVED", _("Somebody changed the same again since. Prepare a new change instead."))
        change.state = "undone"
        editing.record(assortment, "change undone", None, {"number": change.number, "rows": len(outcomes)})
        return len(outcomes)


def withdraw(assortment: Assortment, change: AssortmentChange, version: int) -> None:
    """Give up an open or scheduled change; it stays in the list."""
    with write():
        change = prepared.withdraw(change, version)
        editing.record(assortment, "change withdrawn", None, {"number": change.number})


def _fresh(assortment: Assortment) -> Assortment:
    return db.session.get_one(Assortment, assortment.id, populate_existing=True)


def _as_change(assortment: Assortment, row: dict[str, Any], *, remove: bool) -> Change:
    return Change(assortment.code, row["name"], (row["target"][0], row["target"][1]), remove)


def _put_in(change: AssortmentChange) -> int:
    assortment = _fresh(change.assortment)
    outcomes = editing.put_rows([_as_change(assortment, row, remove=row["remove"]) for row in change.rows])
    change.done = [row for row, outcome in zip(change.rows, outcomes, strict=True) if outcome != "unchanged"]
    if change.status and change.status != assortment.status:
        change.status_before = assortment.status
        editing.set_status(_fresh(assortment), change.status)
    prepared.done(change)
    editing.record(assortment, "change published", None, {"number": change.number, "rows": len(change.done)})
    return len(change.done)


def _effect(assortment: Assortment, change: AssortmentChange) -> dict[str, Any]:
    def apply() -> None:
        if change.rows:
            editing.put_rows([_as_change(assortment, row, remove=row["remove"]) for row in change.rows])
        if change.status:
            editing.set_status(_fresh(assortment), change.status)

    seen = _fresh(assortment).updated_at.isoformat()
    targets = None if change.status else [row["target"] for row in change.rows]
    return {**effect_of(assortment, targets, apply), "seen": seen}
