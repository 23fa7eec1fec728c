"""Prepared changes: rows and terms that wait beside a contract until somebody has seen whom they touch.

publishing.py puts them in, and back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from core.api.changes import open_
from core.api.data import clock, current_actor, db, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations

from . import change_rows, heads, meanwhile
from .change_models import Change, ChangeRow
from .change_rows import KEY, VALUES
from .circles import Edges
from .editing import check_head, header, staged_rows
from .effect import effect_of
from .grid import GridRow, names_of, read_key
from .history_models import PastRow
from .meanwhile import Mark
from .models import Contract, ContractPrice
from .percents import Raised
from .rules import Problem
from .saving import Key, Saver, groups, hold, record

_, _l, ngettext, _p = translations(__name__)
#: A change that was begun so long ago and is not whole is left over from a server that stopped.
LEFT_OVER = timedelta(days=1)
NOTHING = _l("There is nothing to prepare: no row would change.")


def changes_of(contract: Contract) -> list[Change]:
    """Return the contract's changes, the newest first."""
    query = select(Change).where(Change.contract_id == contract.id, Change.state != "begun")
    return list(db.session.scalars(query.order_by(Change.number.desc()).limit(20)))


def change_by_number(contract: Contract, number: int) -> Change:
    """Return a change of the contract; NotFound if there is none with the number."""
    query = select(Change).where(Change.contract_id == contract.id, Change.number == number, Change.state != "begun")
    found = db.session.scalar(query)
    if found is None:
        raise NotFound("CHANGE-UNKNOWN", _("The contract has no prepared change %(number)s.", number=number))
    return found


def prepare(contract: Contract, rows: Sequence[GridRow], removed: Iterable[str] = (), title: str = "") -> Change | None:
    """Return a new change with the rows of a grid or a spreadsheet; None where a row has errors, which are noted on it."""
    seen = meanwhile.mark_of(contract)  # before: what is done while the rows are read was not seen
    found = checked_rows(contract, rows, removed)
    return None if any(row.errors for row in rows) else prepared(contract, found, title, seen)


def checked_rows(
    contract: Contract, rows: Sequence[GridRow], removed: Iterable[str] = (), around: Edges | None = None
) -> list[dict[str, Any]]:
    """Return the rows that a change of these would have, as columns; what is wrong with some is noted on them.

    ``around`` is which contracts compute from which, where that was read before.
    """
    staged = staged_rows(contract, rows)
    moved = [row.old for row in staged if row.old is not None]
    gone = {(contract.id, *read_key(text)) for text in removed} | set(moved)
    saver = Saver(staged, around)
    for one in staged:  # what was not given stays
        one.values = {
            **{name: value for name, value in (saver.existing(one.key) or {}).items() if name in VALUES},
            **one.values,
        }
    for tag, problem in saver.checked(gone)[1].items():
        rows[tag].refuse(problem.field, problem.message)  # type: ignore[index]
    found = []
    for one in staged:
        place = rows[one.tag].place  # type: ignore[index]
        found.append({**change_rows.of_staged(one), **({} if place is None else {"place": place})})
    return [*found, *({**row, "gone": True} for row in standing_at(gone).values())]


def prepared(contract: Contract, rows: Sequence[Mapping[str, Any]], title: str = "", seen: Mark | None = None) -> Change:
    """Return a new change with rows (by the columns of `change_rows.KEY` and ``VALUES``); Invalid if there are none.

    ``seen`` is the mark of when they were worked out, None for now.
    """
    if not rows:
        raise Invalid("CHANGE-EMPTY", NOTHING)
    return _kept(contract, Change(size=len(rows)), title, rows, seen)


def prepare_terms(contract: Contract, values: Mapping[str, Any], title: str = "") -> Change:
    """Return a new change with terms of the contract; Invalid where nothing differs or the terms cannot be."""
    head = heads.differing(contract, values)
    if not head:
        raise Invalid("CHANGE-EMPTY", _("There is nothing to prepare: no term would change."))
    check_head(contract, values)
    return _kept(contract, Change(head=head), title)


def by_percent(contract: Contract, changed: Sequence[Raised], title: str = "") -> Change:
    """Return a new change with the new values that `percents.change_by_percent` worked out."""
    return prepared(contract, [raised(row, value) for row, value in changed], title)


def raised(row: Any, value: Any) -> dict[str, Any]:
    """Return a row as it stands, as columns, but for its value."""
    return {**change_rows.of_price(row), "value": value}


def begin(contract: Contract, change: Change, title: str, state: str) -> None:
    """Give a new change its number, and let others see it by its state. Inside ``write()``."""
    change.contract_id, change.title, change.state = contract.id, title[:200], state
    change.prepared_by, change.prepared_at = current_actor().name, clock.now()
    session = db.session()
    hold(contract.id)  # its changes are numbered
    old = (Change.contract_id == contract.id, Change.state == "begun", Change.prepared_at < clock.now() - LEFT_OVER)
    session.execute(delete(Change).where(*old), execution_options={"synchronize_session": False})
    last = session.scalar(select(func.max(Change.number)).where(Change.contract_id == contract.id)) or 0
    change.number = last + 1
    session.add(change)
    session.flush()


def _kept(
    contract: Contract, change: Change, title: str, rows: Sequence[Mapping[str, Any]] = (), seen: Mark | None = None
) -> Change:
    """Keep a change. Nobody sees it before it is whole: its rows are written in portions, and its effect takes a while."""
    with write():
        begin(contract, change, title, "begun")
    try:
        change_rows.keep(change, rows)
        effect = worked_out(contract, change, seen)
    except BaseException:
        with write() as session:
            session.execute(delete(Change).where(Change.id == change.id))
        raise
    with write() as session:
        # not by the model: nobody has seen its first version
        whole = update(Change).where(Change.id == change.id).values(state="open", effect=effect)
        session.execute(whole, execution_options={"synchronize_session": False})
        session.refresh(change)
        record(contract.code, "change prepared", None, {"number": change.number, "rows": change.size})
    return change


def standing(contract: Contract, change: Change, rows: Sequence[ChangeRow]) -> dict[int, ContractPrice]:
    """Return, by the place of each of some rows of the change, the row that stands (or stood before) where it will be."""
    if change.state in ("published", "undoing", "undone"):
        query = select(PastRow).where(PastRow.ended_by == change.deed_id, PastRow.target.in_({row.target for row in rows}))
        past = {(one.target, one.unit, one.min_quantity): one for one in db.session.scalars(query)}
        found = {row.place: past.get((row.target, row.unit, row.min_quantity)) for row in rows}
        return {place: as_price(one) for place, one in found.items() if one}
    here = standing_at((contract.id, *(getattr(row, name) for name in KEY)) for row in rows)
    places = {row.place: here.get((contract.id, *(getattr(row, name) for name in KEY))) for row in rows}  # type: ignore[call-overload]
    return {place: ContractPrice(**one) for place, one in places.items() if one}


def as_price(row: Any) -> ContractPrice:
    """Return a row of a change, or of the history, as a model that no session holds."""
    return ContractPrice(**{name: getattr(row, name) for name in (*KEY, *VALUES)})


def standing_at(keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """Return the rows that stand at the keys, as columns, by key."""
    wanted = set(keys)
    contracts = {key[0] for key in wanted}
    columns = select(ContractPrice.contract_id, *(getattr(ContractPrice, name) for name in (*KEY, *VALUES)))
    found = {}
    for targets in groups(sorted({key[1] for key in wanted})):
        here = (ContractPrice.contract_id.in_(contracts), ContractPrice.target.in_(targets))
        for row in db.session.execute(columns.where(*here)):
            if row[:5] in wanted:
                found[row[:5]] = change_rows.of_price(row)
    return found


def look_again(contract: Contract, change: Change) -> None:
    """Work out anew whom an open change touches: prices, carts and companies have moved on since."""
    effect = worked_out(contract, open_(change))
    with write():
        open_(change).effect = effect


def worked_out(contract: Contract, change: Change, seen: Mark | None = None) -> dict[str, Any]:
    """Return whom a change touches, as JSON; ``seen`` is the mark of when its rows were worked out, None for now."""
    seen = seen or meanwhile.mark_of(contract)  # before: what is done while the prices are worked out was not seen
    rows = change_rows.asked(change) if not change.head else heads.rows_of(contract)
    then = heads.read(change.head or {})
    effect = effect_of(contract, rows, lambda products: _apply(contract, change, products), then)
    return {**effect, "rows": change_rows.counted(change, contract.id), "seen": seen.text}


def _apply(contract: Contract, change: Change, products: Collection[int]) -> None:
    """Write the terms, and the rows for some products, categories and everything, for a trial; call inside ``write()``."""
    if change.head:
        heads.try_on(contract, change.head)
    general = select(ChangeRow.target).where(ChangeRow.change_id == change.id, ChangeRow.target <= 0).distinct()
    rows = change_rows.rows_for(change, {*products, *db.session.scalars(general)})
    staged, gone = change_rows.plan(rows, header(contract), None)
    if staged or gone:
        problems = Saver(staged).save(gone, means="change").problems
        refuse(next(iter(problems.values()), None))


def refuse(problem: Problem | None) -> None:
    """Raise Invalid naming the row, where one does not fit."""
    if problem:
        name = names_of([problem.rule.target]).get(problem.rule.target, "")
        said = problem.message
        text = _("The row for %(what)s does not fit the contract as it is now: %(problem)s", what=name, problem=said)
        raise Invalid("CHANGE-ROW", text)
