"""The one statement of the agreement step: the contracts that may concern the buyer, and their rows for the lines.

It is a union of (a) every contract with its rows for categories and for everything, few for each contract, and (b) the
rows of the products asked for, found by one index probe for each product and contract. Filters that only save work
(validity, quantity) are left out when the batch explains, so that the engine can say why a row lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    String,
    Text,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from core.api.catalog import Category
from core.api.data import Instant, db
from core.api.pricing import (
    InOrder,
    PriceContext,
    id_table,
    id_values,
    instant_value,
    prepared,
    quantity_table,
    quantity_values,
)

from .models import Contract, ContractPrice

#: More than any quantity that is priced: asks for every break of a product.
EVERY_BREAK = 2**62
#: Positions of the columns: the price row, its contract (only in (a)), and what only explanations need.
CONTRACT, TARGET, UNIT, MIN_QUANTITY, ROW_FROM, KIND, VALUE, PER, TERMS = range(9)
CODE, NAME, AUDIENCE, COMPANY, SEGMENT, PRIORITY, POLICY, SHOW_LIST, PATH = range(9, 18)
STATUS, CURRENCY, CONTRACT_FROM, CONTRACT_UNTIL, ROW_UNTIL = range(18, 23)
Row = Any


def fetch(where: PriceContext, quantities: dict[int, int], everything: bool = False) -> list[Row]:
    """Return the rows for products by their largest quantity asked (millionths of a base or asked unit).

    ``everything`` lifts the filters of validity, status, currency and quantity.
    """
    dialect = db.engine.dialect.name
    if everything:
        quantities = dict.fromkeys(quantities, EVERY_BREAK)
    return prepared(_every_row if everything else _rows_in_force, dialect).rows(
        **quantity_values(dialect, "asked", quantities),
        **id_values(dialect, "companies", where.company_ids),
        **id_values(dialect, "segments", where.segment_ids),
        currency=where.currency,
        instant=instant_value(dialect, where.instant),
        country=where.country,
    )


def fetch_lists(where: PriceContext, quantities: dict[int, int], codes: Iterable[str]) -> list[Row]:
    """Return the rows of the contracts with these codes, whoever they are for: formulas compute from them."""
    dialect = db.engine.dialect.name
    return prepared(_rows_by_code, dialect).rows(
        **quantity_values(dialect, "asked", quantities),
        **id_values(dialect, "codes", sorted(codes)),
        currency=where.currency,
        instant=instant_value(dialect, where.instant),
    )


def _rows_by_code(dialect: str) -> Any:
    return _statement(dialect, everything=False, by_code=True)


def _every_row(dialect: str) -> Any:
    return _statement(dialect, everything=True)


def _rows_in_force(dialect: str) -> Any:
    return _statement(dialect, everything=False)


def _statement(dialect: str, *, everything: bool, by_code: bool = False) -> Any:
    contract, price, category = Contract.__table__, ContractPrice.__table__, Category.__table__
    asked = quantity_table(dialect, "asked")
    instant = bindparam("instant", type_=Instant)
    chosen = _chosen(contract, dialect, instant, everything=everything, by_code=by_code)
    held = () if everything else _in_force(price, instant)
    general = (
        select(chosen.c.id, *_row(price), *_contract(chosen, category))
        .select_from(chosen)
        .outerjoin(price, and_(price.c.contract_id == chosen.c.id, price.c.target <= 0, *held))
        .outerjoin(category, category.c.id == price.c.category_id)
    )
    found = and_(
        price.c.contract_id == chosen.c.id,
        price.c.target == asked.c.id,
        type_coerce(price.c.min_quantity, BigInteger) <= asked.c.value,
        *held,
    )
    probed, row, until = _probe(dialect, InOrder(chosen, asked, true()), price, found)
    products = select(chosen.c.id, *row, *[_null(column) for column in _contract(chosen, category)]).select_from(probed)
    if everything:
        general = general.add_columns(*_validity(chosen), price.c.valid_until.label("row_until"))
        nothing = [_null(column) for column in _validity(chosen)]
        products = products.add_columns(*nothing, until)
    return union_all(general, products)


def _probe(dialect: str, pairs: Any, price: Any, found: Any) -> tuple[Any, list[Any], Any]:
    """Return the join that looks each pair of contract and product up by the key, its row's columns, and the row's end.

    PostgreSQL would read the whole table instead, for it cannot know how few contracts there are: a lateral query with
    an offset, which it must not take apart, tells it.
    """
    until = price.c.valid_until.label("row_until")
    if dialect == "sqlite":
        return InOrder(pairs, price, found), list(_row(price)), until
    inner = select(*_row(price), until).where(found).offset(0).lateral("found")
    return pairs.join(inner, true()), list(inner.c)[:-1], inner.c.row_until


def _chosen(contract: Any, dialect: str, instant: Any, *, everything: bool, by_code: bool) -> Any:
    """Return the contracts whose audience the buyer belongs to, or those asked for by code."""
    if by_code:
        chosen = select(contract).where(contract.c.code.in_(select(id_table(dialect, "codes", String).c.id)))
    else:
        companies = select(id_table(dialect, "companies").c.id)
        segments = select(id_table(dialect, "segments").c.id)
        chosen = select(contract).where(
            or_(
                contract.c.company_id.in_(companies),
                contract.c.segment_id.in_(segments),
                contract.c.audience.in_([literal("location"), literal("public")]),
            ),
            contract.c.country.in_([literal(""), bindparam("country")]),
        )
    if not everything:
        chosen = chosen.where(
            contract.c.status == "active",
            contract.c.currency.in_([literal(""), bindparam("currency")]),
            *_in_force(contract, instant),
        )
    return chosen.cte("chosen")


def _in_force(table: Any, instant: Any) -> tuple[Any, ...]:
    return table.c.valid_from <= instant, or_(table.c.valid_until.is_(None), table.c.valid_until > instant)


def _row(price: Any) -> tuple[Any, ...]:
    """The price row's columns, as the driver gives them: scaled decimals are integers."""
    return (
        price.c.target,
        price.c.unit,
        price.c.min_quantity,
        price.c.valid_from.label("row_from"),
        price.c.kind,
        price.c.value,
        price.c.per,
        cast(price.c.terms, Text).label("terms"),
    )


def _contract(chosen: Any, category: Any) -> tuple[Any, ...]:
    return (
        chosen.c.code,
        chosen.c.name,
        chosen.c.audience,
        chosen.c.company_id,
        chosen.c.segment_id,
        chosen.c.priority,
        chosen.c.merge_policy,
        chosen.c.show_list,
        category.c.path,
    )


def _validity(chosen: Any) -> tuple[Any, ...]:
    return chosen.c.status, chosen.c.currency, chosen.c.valid_from, chosen.c.valid_until


def _null(column: Any) -> Any:
    """Return NULL of the column's type, so that both halves of the union agree."""
    return cast(null(), column.type).label(column.name)
