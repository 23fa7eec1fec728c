"""Copy a contract with its rows and its order limits; prices may be changed by a percentage on the way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, literal, select, update

from core.api.data import db, unhurried, write

from . import deeds, percents, preparing, publishing
from .change_rows import KEY
from .editing import row_columns, save_head
from .models import Contract, ContractPrice, OrderLimit
from .percents import Raised, Rise
from .saving import record

_LIMITS = ("target", "unit", "minimum", "step", "packages", "product_id", "category_id")


def copy_contract(contract: Contract, values: Mapping[str, Any], percent: Decimal = Decimal(0)) -> Contract:
    """Return a new contract with the head ``values`` and all rows of another, fixed prices changed by ``percent``.

    The database copies the rows by itself, so that others wait for a moment only. Very many prices are changed by a job
    after that; until then the copy cannot be made active.
    """
    rise = Rise(percent)
    with write():
        unhurried()
        copy = save_head(None, values)
        deed = deeds.begin(copy.id, "copy", contract.code)
        count = _copy(ContractPrice, row_columns(), contract, copy, deed_id=deed)
        deeds.end(deed, count, 0, 0)
        _copy(OrderLimit, [getattr(OrderLimit, name) for name in _LIMITS], contract, copy)
        record(copy.code, "copied", None, {"from": contract.code, "rows": count})
        if percent and percents.count_fixed(copy, rise) > publishing.LONG:
            preparing.by_percent(copy, rise, publish=True)
        elif percent:
            _set(copy, percents.raised_rows(copy, rise))
    return copy


def _copy(model: Any, columns: Collection[Any], contract: Contract, copy: Contract, **more: int) -> int:
    """Copy the rows of a contract into another, return how many; one statement."""
    own = [literal(value) for value in more.values()]
    rows = select(literal(copy.id), *columns, *own).where(model.contract_id == contract.id)
    names = ["contract_id", *(column.key for column in columns), *more]
    counted = {"preserve_rowcount": True}  # PostgreSQL's driver would not say
    result = db.session.connection().execute(model.__table__.insert().from_select(names, rows), execution_options=counted)
    return int(result.rowcount)


def _set(copy: Contract, raised: Collection[Raised]) -> None:
    """Give rows of the new contract their prices: they have had no others."""
    table: Any = ContractPrice.__table__
    here = [table.c[name] == bindparam(f"of_{name}") for name in KEY]
    statement = update(table).where(table.c.contract_id == copy.id, *here).values(value=bindparam("new"))
    rows = [{**{f"of_{name}": getattr(row, name) for name in KEY}, "new": value} for row, value in raised]
    if rows:
        db.session.connection().execute(statement, rows)
