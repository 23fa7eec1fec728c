"""What a company ordered before, for contracts whose breaks count it: one statement, read anew at each question.

Orders that were placed count from then on, whoever of the contract's company and its subsidiaries placed them; for a list
of several companies those of the buyer alone. What was rejected or cancelled does not count, what came back counts no
more from its return on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Select, and_, func, literal, null, select, type_coerce, union_all

from core.api.catalog import Category, Product
from core.api.companies import Company
from core.api.data import db, start_of_day, unscoped
from core.api.orders import Movement, Order, OrderLine
from core.api.pricing import PriceContext

from .counting import Ordered
from .sources import Source

PLACED = ("submitted", "confirmed", "completed")
BACK = ("cancelled", "returned")
_REASON = "what counts towards a contract's break is what its company ordered, whoever asks for the price"


def ordered_before(
    where: PriceContext, sources: Mapping[int, Source], products: Iterable[int], order_id: int | None
) -> dict[int, Sequence[Ordered]]:
    """Return what was ordered before by contract, of those that count it; the order itself is none before."""
    wanted = [source for source in sources.values() if source.period]
    roots = {source.id: _root(source, where) for source in wanted}
    wanted = [source for source in wanted if roots[source.id] is not None]
    if not wanted:
        return {}
    below = _below({root for root in roots.values() if root is not None})
    parts = []
    for source in wanted:
        held: tuple[Any, ...] = (
            Order.company_id.in_(select(below.c.id).where(below.c.root == roots[source.id])),
            Order.state.in_(PLACED),
            Order.submitted_at >= beginning(source, where),
            Order.submitted_at <= where.instant,
            Order.id != (order_id or 0),
            ~OrderLine.free,
        )
        if source.counts == "product":
            held = (*held, OrderLine.product_id.in_(sorted(set(products))))
        parts += [_placed(source, held), _came_back(source, held, where.instant)]
    found: dict[int, list[Ordered]] = defaultdict(list)
    for row in db.session.execute(unscoped(union_all(*parts), _REASON)):
        moved = int(row.quantity)  # PostgreSQL sums to a decimal
        quantity = Fraction(moved) if row.line is None else -Fraction(moved * row.base, row.line)
        found[row.source].append(Ordered(row.product_id, row.path or "", row.base_unit, quantity))
    return dict(found)


def _root(source: Source, where: PriceContext) -> int | None:
    """Return the company whose orders count, with those of its subsidiaries."""
    return source.company_id if source.audience == "company" else where.company_id


def beginning(source: Source, where: PriceContext) -> datetime:
    """Return from when on orders count: the calendar's month, quarter or year, or the contract's first day."""
    if source.period == "contract":
        return source.since
    day = where.instant.astimezone(ZoneInfo(where.zone)).date()
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[source.period]
    return start_of_day(date(day.year, month, 1), where.zone)


def _below(roots: set[int]) -> Any:
    """Return a table of the companies and everything below each: ``root`` and ``id``."""
    start = (
        select(Company.id.label("root"), Company.id.label("id"))
        .where(Company.id.in_(sorted(roots)))
        .cte("below", recursive=True)
    )
    return start.union(select(start.c.root, Company.id).join(start, Company.parent_id == start.c.id))


def _placed(source: Source, held: tuple[Any, ...]) -> Select[Any]:
    base = type_coerce(OrderLine.base_quantity, BigInteger)
    return _of(source, held, func.sum(base), type_coerce(null(), BigInteger), type_coerce(null(), BigInteger)).group_by(
        OrderLine.product_id, Category.path, Product.base_unit
    )


def _came_back(source: Source, held: tuple[Any, ...], instant: datetime) -> Select[Any]:
    """Return what was cancelled or came back of the same lines, in their own units, with what to convert it by."""
    line, base = type_coerce(OrderLine.quantity, BigInteger), type_coerce(OrderLine.base_quantity, BigInteger)
    moved = and_(Movement.line_id == OrderLine.id, Movement.kind.in_(BACK), Movement.at <= instant)
    return (
        _of(source, held, func.sum(type_coerce(Movement.quantity, BigInteger)), line, base)
        .join(Movement, moved)
        .group_by(OrderLine.product_id, Category.path, Product.base_unit, OrderLine.quantity, OrderLine.base_quantity)
    )


def _of(source: Source, held: tuple[Any, ...], quantity: Any, line: Any, base: Any) -> Select[Any]:
    return (
        select(
            literal(source.id).label("source"),
            OrderLine.product_id,
            Category.path.label("path"),
            Product.base_unit,
            quantity.label("quantity"),
            line.label("line"),
            base.label("base"),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Product, Product.id == OrderLine.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(*held)
    )
