"""The one statement of the agreement step: the contracts that may concern the buyer, and their rows for the lines.

It is a union of (a) every contract with its rows for categories and for everything, few for each contract, and (b) the
rows of the products asked for, found by one index probe for each product and contract. Where (a) is known already, (b)
is asked alone. Filters that only save work (validity, quantity) are left out when the batch explains, so that the engine
can say why a row lost.

A buyer may have many contracts with a price for the same product, of which the first final one decides. So (b) may be
*cut*: for each product the contracts behind the first final one that has a row for it are not read. Whether that row
makes the price asked for (its unit, its quantity) is for the engine to see, which reads the rest where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
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
    MICROS,
    InOrder,
    PriceContext,
    id_table,
    id_values,
    instant_value,
    prepared,
    quantity_table,
    quantity_values,
)

from .models import AUDIENCES, POLICIES, Contract, ContractPrice

#: More than any quantity that is priced: asks for every break of a product.
EVERY_BREAK = 2**62
#: A contract's place is told by one number: twice the place, one more where it cuts, times this, and its id.
PLACE = 2**32
_LARGE = literal(PLACE, BigInteger)
_NONE = literal(0, BigInteger).label("none")
#: Positions of the columns: the price row, its contract (only in (a)), and the end of the row.
CONTRACT, TARGET, UNIT, MIN_QUANTITY, ROW_FROM, KIND, VALUE, PER, TERMS = range(9)
CODE, NAME, AUDIENCE, COMPANY, SEGMENT, PRIORITY, POLICY, SHOW_LIST, PATH = range(9, 18)
STATUS, CURRENCY, CONTRACT_FROM, CONTRACT_UNTIL, BELOW_FIRST, CLOSES, DATE_BASIS = range(18, 25)
BREAKS, COUNTS, PERIOD, ROW_UNTIL = range(25, 29)
#: What the column KIND says of a row with a fixed price.
FIXED = None
Row = Any


class _Asked(NamedTuple):
    """The columns of a product asked for: its id, and the largest quantity in millionths."""

    id: Any
    value: Any

    @classmethod
    def of(cls, table: Any) -> _Asked:
        return cls(table.c.id, table.c.value)


def fetch(
    where: PriceContext, quantities: dict[int, int], *, everything: bool = False, cut: bool = False
) -> tuple[list[Row], list[Row]]:
    """Return the rows that are not for a product, of any time, and those for products, by their largest quantity asked.

    Quantities are millionths of a base or asked unit. ``everything`` lifts the filters of validity, status, currency
    and quantity; ``cut`` leaves out what is behind a final price.
    """
    dialect = db.engine.dialect.name
    if everything:
        quantities = dict.fromkeys(quantities, EVERY_BREAK)
    rows = prepared(_every_row if everything else _rows_to_the_final if cut else _rows_in_force, dialect).rows(
        **_asked(dialect, quantities),
        **id_values(dialect, "companies", where.company_ids),
        **(quantity_values(dialect, "near", {company: n for n, company in enumerate(where.company_ids)}) if cut else {}),
        **id_values(dialect, "segments", where.segment_ids),
        currency=where.currency,
        instant=instant_value(dialect, where.instant),
        country=where.country,
    )
    return _parted(rows)


def fetch_products(where: PriceContext, contracts: Iterable[int], quantities: dict[int, int]) -> list[Row]:
    """Return the rows for products of the contracts with these ids."""
    dialect = db.engine.dialect.name
    return prepared(_products_in_force, dialect).rows(
        **_asked(dialect, quantities),
        **id_values(dialect, "contracts", contracts),
        instant=instant_value(dialect, where.instant),
    )


def fetch_to_the_final(where: PriceContext, contracts: Mapping[int, bool], quantities: dict[int, int]) -> list[Row]:
    """Return the rows for products of contracts in their order, cut behind those of which it says that they are final."""
    dialect = db.engine.dialect.name
    places = {one: (2 * place + final) * PLACE + one for place, (one, final) in enumerate(contracts.items())}
    return prepared(_products_to_the_final, dialect).rows(
        **_asked(dialect, quantities),
        **quantity_values(dialect, "contracts", places),
        instant=instant_value(dialect, where.instant),
    )


def fetch_lists(where: PriceContext, quantities: dict[int, int], codes: Iterable[str]) -> tuple[list[Row], list[Row]]:
    """Return as ``fetch`` the rows of the contracts with these codes, whoever they are for: formulas compute from them."""
    dialect = db.engine.dialect.name
    rows = prepared(_rows_by_code, dialect).rows(
        **_asked(dialect, quantities),
        **id_values(dialect, "codes", sorted(codes)),
        currency=where.currency,
        instant=instant_value(dialect, where.instant),
    )
    return _parted(rows)


def _asked(dialect: str, quantities: Mapping[int, int]) -> dict[str, Any]:
    """Return the products as parameters, by id: looked up in that order, neighbours in the index are near in memory."""
    return quantity_values(dialect, "asked", {product_id: quantities[product_id] for product_id in sorted(quantities)})


def _asked_table(dialect: str) -> Any:
    """Return the products with their quantity, and with the instant for which each is asked.

    A condition on price rows alone would let SQLite, once it has statistics, take the many pairs of product and contract
    that it expects for a reason to read the whole table into a Bloom filter first.
    """
    asked = quantity_table(dialect, "asked")
    instant = bindparam("instant", type_=Instant).label("instant")
    return select(asked.c.id, asked.c.value, instant).cte("asked_then").prefix_with("MATERIALIZED")


def _parted(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    general = [row for row in rows if row[TARGET] is None or row[TARGET] <= 0]
    return general, [row for row in rows if row[TARGET] is not None and row[TARGET] > 0]


def _rows_by_code(dialect: str) -> Any:
    return _statement(dialect, everything=False, by_code=True)


def _every_row(dialect: str) -> Any:
    return _statement(dialect, everything=True)


def _rows_in_force(dialect: str) -> Any:
    return _statement(dialect, everything=False)


def _rows_to_the_final(dialect: str) -> Any:
    return _statement(dialect, everything=False, cut=True)


def _statement(dialect: str, *, everything: bool, by_code: bool = False, cut: bool = False) -> Any:
    contract, price, category = Contract.__table__, ContractPrice.__table__, Category.__table__
    instant = bindparam("instant", type_=Instant)
    chosen = chosen_contracts(contract, dialect, everything=everything, by_code=by_code)
    general = (
        select(chosen.c.id, *_row(price), *contract_columns(chosen, category), price.c.valid_until.label("row_until"))
        .select_from(chosen)
        .outerjoin(price, and_(price.c.contract_id == chosen.c.id, price.c.target <= 0))
        .outerjoin(category, category.c.id == price.c.category_id)
    )
    pairs: Any
    if cut:
        places, asked = _places(dialect, chosen, instant), quantity_table(dialect, "asked")
        pairs = _to_the_final(dialect, places, asked, price, instant)
        own, found = pairs.c.contract_id, _found(pairs.c.contract_id, _Asked.of(pairs), price, pairs.c.instant)
    else:
        asked = _asked_table(dialect)
        pairs, own = InOrder(chosen, asked, true()), chosen.c.id
        found = _found(own, _Asked.of(asked), price, None if everything else asked.c.instant)
    probed, row, until = _probe(dialect, pairs, price, found)
    nothing = [_null(column) for column in contract_columns(chosen, category)]
    products = select(own, *row, *nothing, until).select_from(probed)
    if not everything and not cut:
        products = products.where(*in_force(chosen, instant))
    return union_all(general, products)


def _products_in_force(dialect: str) -> Any:
    contracts, asked = id_table(dialect, "contracts"), quantity_table(dialect, "asked")
    pairs = InOrder(contracts, asked, true())
    return _products(dialect, pairs, contracts.c.id, asked, bindparam("instant", type_=Instant))


def _products_to_the_final(dialect: str) -> Any:
    contracts = quantity_table(dialect, "contracts").prefix_with("MATERIALIZED")
    asked, instant = quantity_table(dialect, "asked"), bindparam("instant", type_=Instant)
    pairs = _to_the_final(dialect, contracts, asked, ContractPrice.__table__, instant)
    return _products(dialect, pairs, pairs.c.contract_id, pairs, pairs.c.instant)


def _products(dialect: str, pairs: Any, contract_id: Any, asked: Any, instant: Any) -> Any:
    price = ContractPrice.__table__
    probed, row, _until = _probe(dialect, pairs, price, _found(contract_id, _Asked.of(asked), price, instant))
    start = row.index(next(column for column in row if column.name == "row_from"))
    row[start] = cast(row[start], Text)  # it only has to sort, and a text is made faster than an instant
    return select(contract_id, *row).select_from(probed)


def _places(dialect: str, chosen: Any, instant: Any) -> Any:
    """Return the contracts in force with their place, as `fetch_to_the_final` is given them by the engine.

    The order has to be that of `sources.Source.place`: codes go by code point, whatever the language of the database.
    """
    near = quantity_table(dialect, "near")
    code = chosen.c.code if dialect == "sqlite" else chosen.c.code.collate("C")
    place = func.row_number().over(
        order_by=(
            case({name: n for n, name in enumerate(AUDIENCES)}, value=chosen.c.audience),
            select(near.c.value).where(near.c.id == chosen.c.company_id).scalar_subquery(),
            chosen.c.priority.desc(),
            case({name: n for n, name in enumerate(POLICIES)}, value=chosen.c.merge_policy),
            code,
        )
    )
    final = case((chosen.c.merge_policy == "override", 1), else_=0)
    return (
        select(chosen.c.id, ((2 * place + final) * _LARGE + chosen.c.id).label("value"), instant.label("instant"), _NONE)
        .where(*in_force(chosen, instant))
        .cte("places")
        .prefix_with("MATERIALIZED")
    )


def _to_the_final(dialect: str, contracts: Any, asked: Any, price: Any, instant: Any) -> Any:
    """Return the pairs of product and contract up to the first contract, in their order, that is final and names it.

    ``contracts`` have an id and, as ``value``, what `fetch_to_the_final` makes of it. Final ones before that contract
    have nothing for the product, so only the others are looked at again. There is no ORDER BY: tables of parameters come
    in their order, and any such contract is right, for no less is read. The pairs carry the instant: see `_asked_table`.
    """
    walked = contracts.alias("walked")
    if "none" in walked.c:  # contracts that the database finds: here too no condition is on the price row alone
        product, then = _Asked(asked.c.id + walked.c.none, asked.c.value + walked.c.none), walked.c.instant
    else:
        product, then = _Asked(asked.c.id, asked.c.value), instant
    named = _found(walked.c.id, product, price, then)
    if dialect == "sqlite":
        source = InOrder(walked, price, named)
    else:
        one = select(literal(1).label("one")).where(named).correlate(walked, asked).limit(1).offset(0)
        source = walked.join(one.lateral("one"), true())
    last = select(walked.c.value).select_from(source).where(walked.c.value.op("&")(_LARGE) != 0).limit(1)
    every = select(asked.c.id, asked.c.value, instant.label("instant"), last.scalar_subquery().label("last"))
    ended = every.cte("ended").prefix_with("MATERIALIZED")
    end = func.coalesce(ended.c.last, literal(EVERY_BREAK, BigInteger))
    others = select(contracts.c.id, contracts.c.value).where(contracts.c.value.op("&")(_LARGE) == 0)
    others = others.cte("others").prefix_with("MATERIALIZED")
    first = select(func.min(others.c.value)).scalar_subquery()
    known = ended.c.id, ended.c.value, ended.c.instant
    return union_all(
        select(ended.c.last.op("&")(literal(PLACE - 1, BigInteger)).label("contract_id"), *known).where(
            ended.c.last.is_not(None)
        ),
        select(others.c.id, *known).select_from(InOrder(ended, others, others.c.value < end)).where(end > first),
    ).subquery("pairs")


def _found(contract_id: Any, asked: _Asked, price: Any, instant: Any) -> Any:
    return and_(
        price.c.contract_id == contract_id,
        price.c.target == asked.id,
        type_coerce(price.c.min_quantity, BigInteger) <= asked.value,
        *(() if instant is None else in_force(price, instant)),
    )


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


def chosen_contracts(contract: Any, dialect: str, *, everything: bool, by_code: bool) -> Any:
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
        )
    return chosen.cte("chosen")


def in_force(table: Any, instant: Any) -> tuple[Any, ...]:
    return table.c.valid_from <= instant, or_(table.c.valid_until.is_(None), table.c.valid_until > instant)


def _row(price: Any) -> tuple[Any, ...]:
    """The price row's columns, as the driver gives them: scaled decimals are integers.

    What most rows say comes as NULL, which is fetched and looked at quickest: the kind FIXED, and a price per one unit.
    """
    return (
        price.c.target,
        price.c.unit,
        price.c.min_quantity,
        price.c.valid_from.label("row_from"),
        func.nullif(price.c.kind, "fixed").label("kind"),
        price.c.value,
        func.nullif(type_coerce(price.c.per, BigInteger), MICROS).label("per"),
        cast(price.c.terms, Text).label("terms"),
    )


def contract_columns(chosen: Any, category: Any) -> tuple[Any, ...]:
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
        chosen.c.status,
        chosen.c.currency,
        chosen.c.valid_from,
        chosen.c.valid_until,
        chosen.c.below_first,
        chosen.c.closes,
        chosen.c.date_basis,
        chosen.c.breaks,
        chosen.c.counts,
        chosen.c.period,
    )


def _null(column: Any) -> Any:
    """Return NULL of the column's type, so that both halves of the union agree."""
    return cast(null(), column.type).label(column.name)
