"""Publish prepared changes, at once or from an instant on, and undo them; a job does so for long ones.

A published change's rows begin where it starts, and what it takes out ends there, so that no job has to run at midnight;
a contract begins or ends by its own dates. Only other terms are put in by a job when their time comes. A change can be
undone while nobody has changed the same since.

Rows are checked beside what stands, then a few statements put them in (putting.py). For a long change the check runs
without a lock, in portions; what somebody writes meanwhile is checked again. So others wait for those statements only,
and a job that is killed has written nothing, or everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from core.api import changes as prepared
from core.api.changes import current, due, open_, published, schedule
from core.api.data import Actor, acting, clock, current_actor, db, write
from core.api.hooks import Conflict, Invalid
from core.api.i18n import current_locale, translations
from core.api.jobs import enqueue, progress

from . import change_rows, heads, meanwhile, putting
from .change_models import Change
from .changes import refuse
from .circles import edges, way_back
from .editing import header
from .grid import names_of
from .history_models import Deed, PastRow
from .meanwhile import Mark, Moved
from .models import Contract, ContractPrice
from .saving import Key, hold, record

_, _l, ngettext, _p = translations(__name__)
#: Changes with more rows than this are published and undone by a job.
LONG = 2000
JOB = "pricing_contract.put_in"


class Stopped(Exception):
    """Somebody stopped the work, or it was done."""


def publish(
    contract: Contract, change: Change, version: int, starts: datetime | None = None, *, by_job: bool = False
) -> int:
    """Let the change hold, at once or from ``starts`` on; return how many rows differ now, 0 where a job is at it.

    A long change is left to a job, with ``by_job`` a short one too.

    Invalid where a row was changed since it was worked out whom the change touches: look again first.
    """
    with write() as session, session.no_autoflush:  # the change's version rises once
        change = open_(current(change, version))
        hold(change.contract_id)
        _refuse_moved(contract, change)
        change.starts = starts
        if change.head and starts is not None:
            own = heads.dated(change.head, starts)
            if own is None:
                schedule(change, starts, "pricing_contract.publish")
                record(contract.code, "change scheduled", None, {"number": change.number, "starts": starts})
                return 0
            change.head = own
        if change.size > LONG or by_job:
            return _hand_over(change, "publishing")
        checked = _Check(contract, change)
        checked.settle(checked.portions())
        checked.look()
        checked.circles()
        return _put_in(contract, change)


def undo(contract: Contract, change: Change, version: int) -> int:
    """Put the rows of a published change back, return how many; Conflict if any of them has been changed since."""
    with write() as session, session.no_autoflush:
        change = published(current(change, version))
        hold(change.contract_id)
        _refuse_undo(change)
        if change.size > LONG:
            return _hand_over(change, "undoing")
        if change.head:
            heads.put_back(contract, change.head_before or {}, change.head)
        checked = _Check(contract, change)
        checked.look()
        checked.circles()
        return _put_back(contract, change)


def _hand_over(change: Change, state: str) -> int:
    """Leave a long change to a job."""
    change.state, change.checked, change.refused = state, 0, ""
    if state == "publishing":
        change.published_by, change.published_at = current_actor().name, clock.now()
    ask(JOB, change)
    return 0


def ask(job: str, change: Change) -> None:
    """Let a job do the work for the actor. Inside ``write()``."""
    actor = current_actor()
    enqueue(job, {"change": change.id, "name": actor.name, "user": actor.user_id, "locale": current_locale()})


def asker(payload: Mapping[str, Any]) -> Actor:
    """Return the person for whom a job works."""
    return replace(current_actor(), name=payload["name"], user_id=payload["user"], locale=payload["locale"])


@contextmanager
def unless_gone(change_id: int) -> Iterator[None]:
    """Let a job end where its change, or the contract with it, is deleted meanwhile: nothing is left to be done."""
    try:
        yield
    except (NoResultFound, ObjectDeletedError, StaleDataError, Conflict, Invalid):
        db.session.rollback()
        if db.session.get(Change, change_id, populate_existing=True) is not None:
            raise


def put_in_long(payload: dict[str, Any]) -> None:
    """Publish or undo a long change, as the person who asked for it; the job. May run twice, and be killed anywhere."""
    change = db.session.get(Change, payload["change"])
    if change is None or change.state not in ("publishing", "undoing"):
        return
    with acting(asker(payload)), unless_gone(payload["change"]):
        change = db.session.get_one(Change, payload["change"], populate_existing=True)
        try:
            _work(change.contract, change)
        except Stopped:
            return
        except (Conflict, Invalid) as refused:
            _give_up(payload["change"], str(refused.message))


def _work(contract: Contract, change: Change) -> None:
    """Check without a lock until nothing was written that is not checked, then write."""
    state, seen = change.state, meanwhile.mark_of(contract)
    check = _Check(contract, change)
    _told(change.id, change.size, -change.checked)  # a job that was killed may have counted
    check.settle(check.portions())
    some: Iterable[Collection[int]] = check.portions()
    while True:
        check.look(some, partial(_told, change.id, change.size))
        with write() as session:
            change = session.get_one(Change, change.id, populate_existing=True)
            contract = hold(change.contract_id)
            if change.state != state:
                raise Stopped
            later, same = meanwhile.later([contract.id], seen), header(contract) == check.head
            if same and not later:
                check.circles()
                if state == "publishing":
                    _refuse_moved(contract, change)
                    _put_in(contract, change)
                else:
                    _refuse_undo(change)
                    _put_back(contract, change)
                return
            seen = meanwhile.mark_of(contract)
            check = _Check(contract, change, check.bases)
            some = [_written(contract, later)] if same else check.portions()


def _told(change_id: int, size: int, count: int) -> None:
    """Note how far the check is, and let others write; Stopped where somebody stopped it."""
    with write() as session:
        mine = update(Change).where(Change.id == change_id, Change.state.in_(("publishing", "undoing")))
        # not by the model: the version is for people who work on the change
        noted: Any = session.execute(
            mine.values(checked=Change.checked + count), execution_options={"synchronize_session": False}
        )
        if not noted.rowcount:
            raise Stopped
        done = session.scalar(select(Change.checked).where(Change.id == change_id)) or 0
    progress(min(done, size), size)
    change_rows.give_way()


def _written(contract: Contract, later: Mapping[int, Deed]) -> set[int]:
    """Return for what rows were that some deeds wrote or took out."""
    now = select(ContractPrice.target).where(ContractPrice.contract_id == contract.id, ContractPrice.deed_id.in_(later))
    past = select(PastRow.target).where(PastRow.ended_by.in_(later))
    return set(db.session.scalars(now.union(past)))


def _give_up(change_id: int, why: str) -> None:
    """Let a change be what it was before the job, and say why."""
    with write() as session:
        change = session.get_one(Change, change_id, populate_existing=True)
        if change.state == "publishing":
            prepared.reopen(change, why)
        elif change.state == "undoing":
            change.state = "published"
        change.refused = why
        record(change.contract.code, "change not published", None, {"number": change.number, "why": why})


def publish_due(payload: dict[str, Any]) -> None:
    """Put in terms whose time has come, the job; where they no longer fit, the change is open again."""
    change = due(Change, payload["change"])
    if change is None:
        return
    try:
        with write():
            hold(change.contract_id)
            if due(Change, payload["change"]) is not None:
                _put_in(change.contract, change)
    except (Conflict, Invalid) as refused:
        with write():
            change = db.session.get_one(Change, payload["change"], populate_existing=True)
            prepared.reopen(change, str(refused.message))
            said = {"number": change.number, "why": change.refused}
            record(change.contract.code, "change not published", None, said)


class _Check:
    """Looks whether the rows that a change would write, or put back, fit beside what stands."""

    def __init__(self, contract: Contract, change: Change, bases: Collection[str] = ()) -> None:
        self._contract, self._change, self.head = contract, change, header(contract)
        self._back = change.state in ("published", "undoing")
        #: contracts that formulas of the change compute from
        self.bases = set(bases)

    def portions(self) -> Iterable[list[int]]:
        """Return what the rows are for, some at a time."""
        return change_rows.portions(self._change)

    def settle(self, some: Iterable[Collection[int]]) -> None:
        """Note where the rows begin, in portions where it is not done inside ``write()``."""
        if not self._back:
            for targets in some:
                with write():
                    change_rows.settle(self._change, targets)
                change_rows.give_way()

    def look(
        self, some: Iterable[Collection[int]] | None = None, progress: Callable[[int], None] = lambda count: None
    ) -> None:
        """Look at the rows for ``some`` products, or all; Invalid names the first that does not fit."""
        problem, bases = change_rows.checked(some or self.portions(), self._plan, progress)
        self.bases |= bases
        refuse(problem)

    def _plan(self, targets: Collection[int]) -> change_rows.Plan:
        if self._back:
            return change_rows.plan_back(self._change, self.head, targets)
        return change_rows.plan(change_rows.rows_for(self._change, targets), self.head, self._change.starts)

    def circles(self) -> None:
        """Refuse what no longer has a place, and formulas that would compute from their own contract by now."""
        lost = 0 if self._back else change_rows.homeless(self._change)
        if lost:
            text = ngettext(
                "%(count)s row is for a category that was deleted. Withdraw the change and prepare it without that row.",
                "%(count)s rows are for categories that were deleted. Withdraw the change and prepare it without them.",
                lost,
            )
            raise Invalid("CHANGE-LOST", text)
        found = edges() if self.bases else {}
        for base in sorted(self.bases):
            if way := way_back(found, self._contract.code, base):
                said = _("The contract would be computed from itself: %(way)s. Take another base.", way=" → ".join(way))
                raise Invalid("CHANGE-CIRCLE", said)


def _put_in(contract: Contract, change: Change) -> int:
    if change.head:
        before = heads.standing(contract, change.head)
        heads.put_in(contract, change.head)
        change.head_before = before
    prepared.done(change)
    done = putting.put_in(change) if change.size else putting.Done(None, 0)
    change.deed_id = done.deed_id
    record(contract.code, "change published", None, {"number": change.number, "rows": done.count})
    return done.count


def _put_back(contract: Contract, change: Change) -> int:
    done = putting.put_back(change, _later(change)) if change.deed_id else putting.Done(None, 0)
    change.state, change.refused = "undone", ""
    record(contract.code, "change undone", None, {"number": change.number, "rows": done.count})
    return done.count


def _later(change: Change) -> Collection[int]:
    """Return the deeds on the contract since the change was published."""
    deed = db.session.get(Deed, change.deed_id) if change.deed_id else None
    return meanwhile.later([change.contract_id], Mark(deed.id, deed.at)) if deed else ()


def _refuse_undo(change: Change) -> None:
    moved = putting.changed_since(change, _later(change))
    if moved:
        text = ngettext(
            "%(count)s row was changed again since. Prepare a new change instead.",
            "%(count)s rows were changed again since. Prepare a new change instead.",
            moved,
        )
        raise Conflict("CHANGE-MOVED", text)


def moved_since(contract: Contract, change: Change) -> dict[Key, Moved]:
    """Return the change's rows that anybody changed in the contract since it was worked out whom an open change touches."""
    if change.state not in ("open", "publishing") or not change.size or not change.effect:
        return {}
    seen = meanwhile.read_mark(change.effect["seen"])
    later = meanwhile.later([contract.id], seen)
    if not later:
        return {}  # the rows need not be read
    rows = change_rows.rows_for(change, _written(contract, later))
    keys = ((contract.id, *(getattr(row, name) for name in change_rows.KEY)) for row in rows)
    return meanwhile.moved(keys, seen, own=True)  # type: ignore[arg-type]


def moved_in_words(contract: Contract, moved: Mapping[Key, Moved], most: int = 5) -> list[str]:
    """Return what happened to the rows, the first ``most`` of them, each as a sentence that begins with what it is of."""
    shown = list(moved.items())[:most]
    names = names_of(key[1] for key, _one in shown)
    return [
        _("%(what)s: %(sentence)s", what=names.get(key[1], ""), sentence=one.sentence(contract.currency))
        for key, one in shown
    ]


def _refuse_moved(contract: Contract, change: Change) -> None:
    moved = moved_since(contract, change)
    if moved:
        said = ngettext(
            "%(count)s row was changed since it was worked out whom the change touches. Work it out again, then publish.",
            "%(count)s rows were changed since it was worked out whom the change touches. Work it out again, then publish.",
            len(moved),
        )
        raise Invalid("CHANGE-STALE", " ".join([said, *moved_in_words(contract, moved)]))


def withdraw(contract: Contract, change: Change, version: int) -> None:
    """Give up an open or scheduled change; it stays in the list."""
    with write():
        change = prepared.withdraw(change, version)
        record(contract.code, "change withdrawn", None, {"number": change.number})


def stop(contract: Contract, change: Change) -> None:
    """Stop a job that publishes or undoes the change, before it has written anything; Conflict where none is at it."""
    with write():
        change = db.session.get_one(Change, change.id, populate_existing=True)
        if change.state not in ("publishing", "undoing"):
            raise Conflict("CHANGE-STATE", _("Nothing is under way any more."))
        if change.state == "undoing":
            change.state = "published"
        else:
            prepared.reopen(change, "")
        record(contract.code, "change not published", None, {"number": change.number, "why": _("Stopped")})
