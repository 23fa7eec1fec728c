"""Count what companies bought, and give each its level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select

from core.api.catalog import Category, Product
from core.api.companies import seller
from core.api.data import current_actor, db, now, write
from core.api.hooks import Seed
from core.api.orders import Movement, Order, OrderLine
from core.api.settings import get

from .models import Level, Standing
from .rules import Bought, Place, Target, decide

OWNER = "loyalty_levels"
COUNTED = ("confirmed", "completed")
ZERO, HUNDRED = Decimal(0), Decimal(100)


def _levels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield two levels to begin with; they take nothing off until somebody says how much."""
    for key, rank, name, spend in (("silver", 1, "Silver", 5_000), ("gold", 2, "Gold", 20_000)):
        yield key, {"rank": rank, "name": name, "percent": ZERO, "min_spend": Decimal(spend)}


SEEDS = (Seed("levels", Level, _levels, ("rank",)),)


def nightly(_payload: dict[str, Any]) -> None:
    """Count all companies; the job."""
    count()


def count() -> int:
    """Count all companies anew and store their levels; may run twice. Returns how many companies have a level."""
    at = now()
    bought = _bought(at - timedelta(days=get(OWNER, "window_days")))
    grace = timedelta(days=get(OWNER, "grace_days"))
    with write() as session:
        targets = {level.id: _target(level) for level in session.scalars(select(Level))}
        standings = {row.company_id: row for row in session.scalars(select(Standing))}
        for company_id in sorted({*bought, *standings}):
            row = standings.get(company_id) or Standing(company_id=company_id)
            facts = bought.get(company_id, Bought())
            before = Place(targets.get(row.level_id or 0), row.grace_until)
            place = decide(list(targets.values()), facts, before, at, grace)
            row.level_id, row.grace_until = place.level.id if place.level else None, place.grace_until
            row.spend, row.orders, row.returns, row.counted_at = facts.spend, facts.orders, facts.returns, at
            session.add(row)
        return session.scalar(select(func.count()).where(Standing.level_id.is_not(None))) or 0


def _target(level: Level) -> Target:
    return Target(level.id, level.rank, level.min_spend, level.min_orders, level.max_returns)


def _bought(since: datetime) -> dict[int, Bought]:
    """Return what each company bought and sent back since then, without the sale: two statements."""
    lines = (
        select(OrderLine.company_id, func.sum(OrderLine.net), func.count(OrderLine.order_id.distinct()))
        .join(Order, Order.id == OrderLine.order_id)
        .where(*_counts(since))
        .group_by(OrderLine.company_id)
    )
    back: dict[int, Decimal] = defaultdict(Decimal)
    for company_id, net, ordered, returned in db.session.execute(_returned(since)):
        back[company_id] += (net or ZERO) * returned / ordered
    return {
        company_id: Bought(spend or ZERO, orders, back[company_id] * HUNDRED / spend if spend else ZERO)
        for company_id, spend, orders in db.session.execute(lines)
    }


def _returned(since: datetime) -> Any:
    return (
        select(OrderLine.company_id, OrderLine.net, OrderLine.quantity, func.sum(Movement.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .join(Movement, Movement.line_id == OrderLine.id)
        .where(*_counts(since), Movement.kind == "returned", OrderLine.quantity > 0)
        .group_by(OrderLine.id, OrderLine.company_id, OrderLine.net, OrderLine.quantity)
    )


def _counts(since: datetime) -> tuple[Any, ...]:
    """Return what a line must be to count: of a sound order in the seller's currency, and not of the sale."""
    sound = (Order.state.in_(COUNTED), Order.submitted_at >= since, Order.currency == seller().currency)
    code = get(OWNER, "sale_category")
    if not code:
        return sound
    sale = select(Product.id).join(Category, Category.id == Product.category_id).where(Category.path.contains(f"/{code}/"))
    return (*sound, or_(OrderLine.product_id.is_(None), OrderLine.product_id.not_in(sale)))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the reader's company stands, and the level after it."""

    standing: Standing | None
    level: Level | None
    following: Level | None
    currency: str


def progress() -> Progress | None:
    """Return it for the company that is active; None for staff, and where there are no levels."""
    company_id = current_actor().company_id
    levels = list(db.session.scalars(select(Level).order_by(Level.rank)))
    if company_id is None or not levels:
        return None
    standing = db.session.scalar(select(Standing).where(Standing.company_id == company_id))
    mine = next((level for level in levels if standing and level.id == standing.level_id), None)
    rest = [level for level in levels if mine is None or level.rank > mine.rank]
    return Progress(standing, mine, rest[0] if rest else None, seller().currency)
