"""Put the rows of a change into a contract, and back, all at once: a few statements, however many the rows.

Rows were checked before, without a lock, and lie in the database already; so the database itself moves them, and nobody
waits long. Buyers see all of a change or nothing of it: it is one transaction. Call both inside ``write()``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, delete, exists, func, literal, null, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from core.api.data import db, unhurried

from . import deeds
from .change_models import Change, ChangeRow
from .change_rows import KEY, VALUES, differs, same_place
from .history_models import Deed, PastRow
from .models import ContractPrice
from .saving import touch

_PRICE: Any = ContractPrice.__table__
_PAST: Any = PastRow.__table__
_KEPT = ("contract_id", *KEY, *VALUES)
_SILENT = {"synchronize_session": False}


class Done(NamedTuple):
    """What was written: the deed, None where nothing differed, and how many rows differ now."""

    deed_id: int | None
    count: int


def put_in(change: Change) -> Done:
    """Write the rows of a change as of its start; what stood there goes into the history."""
    unhurried()
    contract_id, starts = change.contract_id, change.starts
    deed = deeds.begin(contract_id, "change", str(change.number))
    mine = ContractPrice.contract_id == contract_id
    row = ChangeRow
    set_rows = and_(row.change_id == change.id, ~row.gone, row.begins.is_not(None))
    place = and_(mine, same_place(row, ContractPrice, "begins"))
    other = _to_history(deed, select(ContractPrice).join(row, place).where(set_rows, differs(row, ContractPrice)))
    changed = other
    ending, leaving = _ended(change), _gone(change)
    if ending is not None:
        changed += _to_history(deed, select(ContractPrice).where(mine, *ending))
        values = {"valid_until": starts, "deed_id": deed}
        db.session.execute(update(ContractPrice).where(mine, *ending).values(**values), execution_options=_SILENT)
    removed = _to_history(deed, select(ContractPrice).where(mine, leaving), removed=True)
    if removed:
        db.session.execute(delete(ContractPrice).where(mine, leaving), execution_options=_SILENT)
    new = [getattr(row, name) for name in (*KEY[:3], *VALUES)]
    query = select(literal(contract_id).label("contract_id"), row.begins.label("valid_from"), *new).where(set_rows)
    return _ended_deed(contract_id, deed, _upsert(query, deed) - other, changed, removed)


def _ended(change: Change) -> tuple[Any, ...] | None:
    """Return the condition of the contract's rows that end where the change starts; None where it starts at once."""
    if change.starts is None:
        return None
    keys = _keys(select(*_key_of(ChangeRow)).where(_taken_out(change), ChangeRow.valid_from < change.starts))
    return keys, or_(ContractPrice.valid_until.is_(None), ContractPrice.valid_until > change.starts)


def _gone(change: Change) -> Any:
    """Return the condition of the contract's rows that go altogether; one that the change also sets stays, and changes."""
    row, other = ChangeRow, aliased(ChangeRow)
    named = (getattr(other, name) == getattr(row, name) for name in KEY[:3])
    also = exists().where(other.change_id == change.id, ~other.gone, *named, other.begins == row.valid_from)
    wanted = [_taken_out(change), ~also]
    if change.starts is not None:
        wanted.append(row.valid_from >= change.starts)
    return _keys(select(*_key_of(row)).where(*wanted))


def _taken_out(change: Change) -> Any:
    return and_(ChangeRow.change_id == change.id, ChangeRow.gone)


def _key_of(model: Any) -> list[Any]:
    return [getattr(model, name) for name in KEY]


def _keys(query: Select[Any]) -> Any:
    return tuple_(*_key_of(ContractPrice)).in_(query)


def _to_history(deed_id: int, rows: Select[Any], *, removed: Any = False) -> int:
    """Copy contract rows as they are into the history, as ended by a deed; return how many.

    ``removed`` says whether they go: True, False, or a condition.
    """
    columns = [getattr(ContractPrice, name) for name in _KEPT]
    goes = literal(removed) if isinstance(removed, bool) else removed
    query = rows.with_only_columns(*columns, ContractPrice.deed_id, literal(deed_id), goes)
    names = [*_KEPT, "made_by", "ended_by", "removed"]
    return _written(_PAST.insert().from_select(names, query))


def _written(statement: Any) -> int:
    """Write, and return how many rows; counting them by a statement of its own would keep others waiting longer."""
    counted = {"preserve_rowcount": True}  # PostgreSQL's driver would not say
    return int(db.session.connection().execute(statement, execution_options=counted).rowcount)


def _upsert(rows: Select[Any], deed_id: int) -> int:
    """Write rows (with the columns contract_id, KEY and VALUES), return how many are new or changed.

    Those that say what stands already are left alone.
    """
    source = rows.subquery()
    product = case((source.c.target > 0, source.c.target), else_=null())
    category = case((source.c.target < 0, -source.c.target), else_=null())
    own = [source.c[name] for name in _KEPT]
    query = select(*own, product, category, literal(deed_id)).where(source.c.contract_id.is_not(None))
    upsert: Any = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = upsert(_PRICE).from_select([*_KEPT, "product_id", "category_id", "deed_id"], query)
    key = ["contract_id", *KEY]
    told = {name: statement.excluded[name] for name in (*VALUES, "deed_id")}
    other = differs(_PRICE.c, statement.excluded)
    return _written(statement.on_conflict_do_update(index_elements=key, set_=told, where=other))


def _ended_deed(contract_id: int, deed_id: int, added: int, changed: int, removed: int) -> Done:
    deeds.end(deed_id, added, changed, removed)
    count = added + changed + removed
    if count:
        touch({contract_id})
    for one in db.session():
        if isinstance(one, ContractPrice):
            db.session.expire(one)
    return Done(deed_id if count else None, count)


def changed_since(change: Change, later: Collection[int]) -> int:
    """Return how many rows that the change wrote say something else by now, by one of the ``later`` deeds."""
    if not later or change.deed_id is None:
        return 0
    made = and_(PastRow.made_by == change.deed_id, PastRow.ended_by.in_(later))
    same = exists().where(_stands(), ~differs(PastRow, ContractPrice))
    moved = select(func.count()).select_from(PastRow).where(made, ~same)
    back = and_(PastRow.ended_by == change.deed_id, PastRow.removed)
    again = select(func.count()).select_from(PastRow).where(back, exists().where(_stands()))
    return (db.session.scalar(moved) or 0) + (db.session.scalar(again) or 0)


def _stands() -> Any:
    """Return the condition that a row stands where one of the history stood."""
    return and_(ContractPrice.contract_id == PastRow.contract_id, same_place(PastRow, ContractPrice))


def put_back(change: Change, later: Collection[int]) -> Done:
    """Write the rows as they were before the change, by the history; nobody changed them since (see `changed_since`).

    Rows that one of the ``later`` deeds changed and another set back again are the change's too.
    """
    unhurried()
    contract_id, was = change.contract_id, change.deed_id
    deed = deeds.begin(contract_id, "undo", str(change.number))
    whose = ContractPrice.deed_id == was
    if later:
        made = exists().where(PastRow.made_by == was, PastRow.ended_by.in_(later), _stands())
        whose = or_(whose, and_(ContractPrice.deed_id.in_(later), made))
    before = exists().where(PastRow.ended_by == was, _stands())
    mine = and_(ContractPrice.contract_id == contract_id, whose)
    ended = _to_history(deed, select(ContractPrice).where(mine), removed=~before)
    removed = 0
    if db.session.scalar(select(Deed.added).where(Deed.id == was)):
        result: Any = db.session.execute(delete(ContractPrice).where(mine, ~before), execution_options=_SILENT)
        removed = int(result.rowcount)
    columns = [getattr(PastRow, name) for name in _KEPT]
    back = select(*columns).where(PastRow.ended_by == was)
    total = db.session.scalar(select(func.count()).select_from(PastRow).where(PastRow.ended_by == was)) or 0
    _upsert(back, deed)
    return _ended_deed(contract_id, deed, total - (ended - removed), ended - removed, removed)
