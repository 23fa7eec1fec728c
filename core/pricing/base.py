"""The first step: what each product is, and the merchant's own list price for it.

What the tables say of a product in a unit is kept between requests for as long as they are unchanged; in a
transaction that changes, an order's above all, it is read from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from sys import intern
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, and_, bindparam, case, select

from core.catalog.models import Category, Product, ProductUnit
from core.data import stamps
from core.data.db import db
from core.i18n import _l
from core.pricing.asked import instant_value, line_table, line_values, prepared
from core.pricing.models import ListPrice
from core.pricing.money import MICROS, STORED_PLACES, computed_places, finer, from_micro, minor_digits, round_to
from core.spec.pricing import ONE, Candidate, PriceBatch, PriceLine, PriceStage, PriceStep

STEP = "list_price"
LIST = "list"
LIST_REASON = _l("List price")
_DERIVED_REASON = _l("List price of the base unit, for the whole package")
_UNKNOWN_PRODUCT = _l("There is no such product.")
_UNKNOWN_UNIT = _l("The product is not sold in this unit.")
_OTHER_UNIT = _l("A price in the asked unit comes first.")
_OLDER = _l("A price whose validity began later holds now.")
ZERO = Decimal(0)
#: The tables from which prices are kept, and for how many products in each unit and currency.
STAMPS, MOST = ("catalogue", "list_prices"), 50_000
SKU, BASE_UNIT, TAX_CLASS, PATH, NUMERATOR, DENOMINATOR, FROM_BASE, UNIT, PRICE, PER, SINCE, UNTIL = range(1, 13)
Row = Any
Pair = tuple[int, str]


class Facts(NamedTuple):
    """What a line takes over; see PriceLine. ``package`` is of a unit that is not the base unit."""

    sku: str = ""
    base_unit: str = ""
    category_path: str = ""
    tax_class: str = "standard"
    known: bool = False
    reason: object = ""
    price: Decimal | None = None
    list_price: Decimal | None = None
    per: Decimal = ONE
    list_places: int = 0
    source: str = ""
    package: Package | None = None


class Package(NamedTuple):
    """What a unit that is not the base unit adds."""

    factor: tuple[int, int]
    price_from_base: bool
    places: int | None = None
    derived: bool = False


class Window(NamedTuple):
    """A list price that holds in [since, until), instants as the driver gives them (None: for ever).

    ``facts`` is what a line takes over; None for a base unit's price that packages are not sold by. The price itself,
    for explanations, is ``price`` for ``per`` of ``unit``.
    """

    since: Any
    until: Any
    facts: Facts | None
    price: Decimal
    per: Decimal
    unit: str


#: What is known of a product in a unit, in the plainest shape, for thousands of them are looked at while most of them are
#: not in the processor's cache: since and until of the first window, its Facts, and what holds where it does not, in the
#: same shape. The last has no since, the Facts without a list price, and all Windows, for explanations.
Known = tuple[Any, ...]


def list_price_step() -> PriceStep:
    """Return the step that gives every line its product's facts and the list price."""
    return PriceStep(STEP, PriceStage.BASE, apply, prepare, title=_l("List price"))


def prepare(batch: PriceBatch) -> list[Known]:
    """Return what is known of each line's product and unit; one statement for all that is not kept."""
    currency = batch.context.currency
    # a book for each unit: a number is looked up with less than a pair
    books: dict[str, dict[int, Known]] = {
        unit: stamps.book(STAMPS, f"list_price {currency} {unit}", most=MOST) for unit in {line.unit for line in batch.lines}
    }
    known = [books[line.unit].get(line.product_id) for line in batch.lines]
    if all(known):
        return cast(list[Known], known)
    missing = {(line.product_id, line.unit): line for line, one in zip(batch.lines, known, strict=True) if one is None}
    for (product_id, unit), one in _read(missing, currency).items():
        books[unit][product_id] = one
    return [books[line.unit][line.product_id] for line in batch.lines]


def _read(asked: Mapping[Pair, PriceLine], currency: str) -> dict[Pair, Known]:
    dialect, digits = db.engine.dialect.name, minor_digits(currency)
    values = line_values(dialect, "lines", list(asked.values()))
    rows: list[list[Row]] = [[] for _pair in asked]
    for row in prepared(_statement, dialect).rows(**values, currency=currency):
        rows[row[0]].append(row)
    return {pair: _known(pair[1], found, digits) for pair, found in zip(asked, rows, strict=True)}


def _statement(dialect: str) -> Select[Any]:
    """Build the statement: a row for each list price in the asked unit and in the base unit, of any time, or one without.

    Scaled decimals come as integers.
    """
    lines = line_table(dialect, "lines")
    product, unit, price = Product.__table__, ProductUnit.__table__, ListPrice.__table__
    category = Category.__table__
    # null for a base unit, whose factor is not looked up at all
    larger = case((lines.c.unit != product.c.base_unit, lines.c.id))
    return (
        select(
            lines.c.n,
            product.c.sku,
            product.c.base_unit,
            product.c.tax_class,
            category.c.path,
            unit.c.numerator,
            unit.c.denominator,
            unit.c.price_from_base,
            price.c.unit,
            price.c.price,
            price.c.per,
            price.c.valid_from,
            price.c.valid_until,
        )
        .select_from(lines)
        .join(product, product.c.id == lines.c.id)
        .outerjoin(category, category.c.id == product.c.category_id)
        .outerjoin(unit, and_(unit.c.product_id == larger, unit.c.unit == lines.c.unit))
        .outerjoin(
            price,
            and_(
                price.c.product_id == lines.c.id,
                price.c.unit.in_((lines.c.unit, product.c.base_unit)),
                price.c.currency == bindparam("currency"),
            ),
        )
    )


def _known(unit: str, rows: Sequence[Row], digits: int) -> Known:
    """Order the list prices: those in the asked unit before the base unit's by the factor; of each the newest first.

    Windows nest: the one that began last holds, and when it ends the outer one returns.
    """
    if not rows:
        return _chain(Facts(reason=_UNKNOWN_PRODUCT))
    first = rows[0]
    numerator = first[NUMERATOR]
    # one text for all products that share it: less memory, and more of it near
    facts = Facts(first[SKU], intern(first[BASE_UNIT]), intern(first[PATH] or ""), intern(first[TAX_CLASS]), known=True)
    if unit != facts.base_unit:
        if numerator is None:
            return _chain(facts._replace(known=False, reason=_UNKNOWN_UNIT))
        facts = facts._replace(package=Package((numerator, first[DENOMINATOR]), bool(first[FROM_BASE])))
    priced = sorted((row for row in rows if row[UNIT] is not None), key=lambda row: row[SINCE], reverse=True)
    asked = [row for row in priced if row[UNIT] == unit]
    others = [row for row in priced if row[UNIT] != unit]
    windows = (*(_window(row, facts, digits) for row in asked), *(_derived(row, facts, digits) for row in others))
    return _chain(facts, windows)


def _chain(facts: Facts, windows: Sequence[Window] = ()) -> Known:
    known: Known = (None, None, *facts, windows)
    for window in reversed(windows):
        if window.facts is not None:
            known = (window.since, window.until, *window.facts, known)
    return known


def _window(row: Row, facts: Facts, digits: int) -> Window:
    price, per = from_micro(row[PRICE]), ONE if row[PER] == MICROS else from_micro(row[PER])
    places = computed_places(price, digits)
    own = facts._replace(price=price, list_price=price, per=per, reason=LIST_REASON, list_places=places, source=LIST)
    return Window(_same(row[SINCE]), row[UNTIL], own, price, per, intern(row[UNIT]))


def _derived(row: Row, facts: Facts, digits: int) -> Window:
    """Return the window of a base unit's price for a larger unit."""
    base, per = from_micro(row[PRICE]), from_micro(row[PER])
    assert facts.package is not None
    price, places = by_factor(base, per, facts.package.factor, digits)
    package = facts.package._replace(places=places, derived=True)
    listed = round_to(price, places)
    own = facts._replace(
        price=price, list_price=listed, reason=_DERIVED_REASON, list_places=places, source=LIST, package=package
    )
    since = _same(row[SINCE])
    return Window(since, row[UNTIL], own if package.price_from_base else None, base, per, intern(row[UNIT]))


def _same(instant: Any) -> Any:
    return intern(instant) if isinstance(instant, str) else instant


def apply(batch: PriceBatch, known: Sequence[Known]) -> None:
    """Fill the lines with what is known of them at the batch's instant."""
    instant = instant_value(db.engine.dialect.name, batch.context.instant)
    for line, one in zip(batch.lines, known, strict=True):
        while (since := one[0]) is not None and (instant < since or ((until := one[1]) is not None and instant >= until)):
            one = one[-1]
        (
            _since, _until, line.sku, line.base_unit, line.category_path, line.tax_class, line.known, line.reason,
            line.price, line.list_price, line.per, line.list_places, line.source, package, _next,
        ) = one  # fmt: skip
        if package is not None:
            line.factor, line.price_from_base, line.places, line.derived = package
        if batch.explain:
            while one[0] is not None:
                one = one[-1]
            _explain(line, [window for window in one[-1] if _holds(window, instant)])


def _holds(window: Known | Window, instant: Any) -> bool:
    """Tell whether the instant lies within the window; in one without a beginning every instant does."""
    since, until = window[0], window[1]
    return since is None or (since <= instant and (until is None or instant < until))


def by_factor(price: Decimal, per: Decimal, factor: tuple[int, int], digits: int) -> tuple[Decimal, int]:
    """Return what one other unit costs, from the base unit's price for ``per``, and the decimals to round it to."""
    places = computed_places(price, digits)
    if factor[0] < factor[1]:
        places = min(places + finer(factor), STORED_PLACES)
    return price * factor[0] / (factor[1] * per), places


def _explain(line: PriceLine, windows: Sequence[Window]) -> None:
    """Tell every list price that holds, and why it was not taken: the first with something for the line was."""
    first = next((window for window in windows if window.facts is not None), None)
    for window in windows:
        lost: object = "" if window is first else _OLDER if window.unit == line.unit or line.derived else _OTHER_UNIT
        line.consider(Candidate(LIST, str(LIST_REASON), window.price, window.per, window.unit, ZERO, lost))
    if line.price is not None:
        line.note(STEP, None, line.reason)
