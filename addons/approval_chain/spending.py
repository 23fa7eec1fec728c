"""What people may still order in a day, week, month or year: their limits less what they ordered already.

Everything that was placed and not rejected or cancelled counts (what of it, basis.py says), in the period in which it
was placed; what is cancelled or returned later is given back. Limits of one's own come before those of roles, of
several roles the highest holds, for each kind of period by itself. None is unlimited, 0 is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from core.api.companies import Membership, ancestors, descendants, seller
from core.api.data import clock, current_actor, db, once, today, unscoped
from core.api.i18n import translations
from core.api.orders import Order, discounts_of_orders
from core.api.pricing import rate

from . import basis, engine, kept, periods
from .budget_models import SpendLimit
from .periods import Calendar, Period
from .rule_models import GroupMember, role_of

_, _l, ngettext, _p = translations(__name__)
_REASON = "limits may be set by a parent company, and count what was ordered for every company beneath it"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Left:
    """A limit of a person in the present period: ``amount`` less ``spent``, in ``currency``; what is left may be below 0."""

    period: Period
    amount: Decimal
    spent: Decimal
    currency: str

    @property
    def left(self) -> Decimal:
        """What may still be ordered without approval."""
        return self.amount - self.spent


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose limits are asked for an order: it does not count itself, and only what was placed before ``at`` if given."""

    user_id: int
    company_id: int
    order_id: int | None = None
    at: datetime | None = None


def left_of(asked: Asked) -> list[Left]:
    """Return where the person stands with each of their limits; empty where nothing limits them."""
    return left_of_all([asked])[0]


def left_of_all(questions: Sequence[Asked]) -> list[list[Left]]:
    """Return where each person stands, in the order of the questions; statements do not grow with these."""
    return once(("approval_chain.left", tuple(questions)), lambda: _left_of_all(questions))


def _left_of_all(questions: Sequence[Asked]) -> list[list[Left]]:
    units = {company_id: ancestors(company_id) for company_id in {q.company_id for q in questions}}
    every = sorted({unit for found in units.values() for unit in found})
    limits = list(db.session.scalars(unscoped(select(SpendLimit).where(SpendLimit.company_id.in_(every)), _REASON)))
    if not limits:
        return [[] for _question in questions]
    roles = _roles({q.user_id for q in questions}, every)
    calendars = lru_cache(periods.calendar_of)
    holding = [_holding(q, units[q.company_id], limits, roles, calendars) for q in questions]
    spent = _Spent(zip(questions, holding, strict=True))
    return [
        [Left(p, row.amount or ZERO, spent.of(q, row, p), row.currency) for row, p in found]
        for q, found in zip(questions, holding, strict=True)
    ]


def _roles(people: Collection[int], units: Collection[int]) -> dict[tuple[int, int], set[str]]:
    query = select(Membership.user_id, Membership.company_id, Membership.role).where(
        Membership.user_id.in_(list(people)), Membership.company_id.in_(list(units))
    )
    found: dict[tuple[int, int], set[str]] = {}
    for user_id, company_id, role in db.session.execute(unscoped(query, _REASON)):
        found.setdefault((user_id, company_id), set()).add(role)
    own = select(GroupMember.user_id, GroupMember.group_id).where(GroupMember.user_id.in_(list(people)))
    for user_id, group_id in db.session.execute(unscoped(own, _REASON)):
        for key, roles in found.items():  # ids are the companies', so that a role only meets limits of its own
            if key[0] == user_id:
                roles.add(role_of(group_id))
    return found


def _holding(
    asked: Asked,
    units: Sequence[int],
    limits: Sequence[SpendLimit],
    roles: Mapping[tuple[int, int], set[str]],
    calendars: Callable[[int], Calendar],
) -> list[tuple[SpendLimit, Period]]:
    """Return the limits that hold for the person: those of the nearest company to which they belong."""
    unit = next((u for u in units if (asked.user_id, u) in roles), None)
    if unit is None:
        return []
    at, found = asked.at or clock.now(), []
    for kind in periods.KINDS:
        here = [x for x in limits if x.company_id == unit and x.period == kind]
        own = [x for x in here if x.user_id == asked.user_id]
        fitting = own or [x for x in here if x.role in roles[asked.user_id, unit]]
        if fitting and all(x.amount is not None for x in fitting):
            highest = max(fitting, key=lambda x: x.amount or ZERO)
            found.append((highest, periods.period_at(kind, at, calendars(unit))))
    return found


class _Spent:
    """What people ordered in the periods that are asked about: two statements for all of them."""

    def __init__(self, asked: Iterable[tuple[Asked, Sequence[tuple[SpendLimit, Period]]]]) -> None:
        known = [(q, row, period) for q, found in asked for row, period in found]
        self.beneath = {unit: frozenset(descendants(unit)) for unit in {row.company_id for _q, row, _p in known}}
        self.rows: list[Any] = []
        self.counts: dict[int, Decimal] = {}
        self.rate = lru_cache(lambda source, target: rate(source, target, today(seller().zone)))
        if known:
            self._read({q.user_id for q, _row, _p in known}, min(p.start for *_, p in known), max(p.end for *_, p in known))

    def _read(self, people: set[int], since: datetime, until: datetime) -> None:
        in_time = (Order.submitted_at >= since, Order.submitted_at < until)
        placed = (Order.user_id.in_(people), Order.state.in_(kept.COUNTED), *in_time)
        amounts = (Order.net, Order.charges_net, Order.gross, Order.currency)
        columns = (Order.id, Order.user_id, Order.company_id, Order.submitted_at, *amounts)
        self.rows = list(db.session.execute(unscoped(select(*columns).where(*placed), _REASON)))
        if not self.rows:
            return
        bases = basis.of_each(row.company_id for row in self.rows)
        off = discounts_of_orders(row.id for row in self.rows) if {*bases.values()} & {*basis.GOODS} else {}
        self.counts = {row.id: basis.part(bases[row.company_id], row, off.get(row.id, ZERO)) for row in self.rows}
        for gone in kept.taken_back(select(Order.id).where(*placed), bases).values():
            self.counts[gone.order_id] -= gone.amount

    def of(self, asked: Asked, limit: SpendLimit, period: Period) -> Decimal:
        """Return what counts against ``limit`` in ``period``, in the limit's currency."""
        total = ZERO
        for row in self.rows:
            counts = row.user_id == asked.user_id and row.company_id in self.beneath[limit.company_id]
            earlier = asked.at is None or (row.submitted_at, row.id) < (asked.at, asked.order_id or 0)
            if counts and earlier and row.id != asked.order_id and period.holds(row.submitted_at):
                amount = self.counts[row.id]
                total += amount if row.currency == limit.currency else amount * self.rate(row.currency, limit.currency)
        return total


def with_left(company: engine.Company, found: Sequence[Left], requester: str, currency: str) -> engine.Company:
    """Return the company as it is for an order in ``currency``: the requester has the least that is left to them."""
    if not found:
        return company
    day = today(seller().zone)
    least = min(x.left if x.currency == currency else x.left * rate(x.currency, currency, day) for x in found)
    people = tuple(replace(p, left=least) if p.id == requester else p for p in company.people)
    return replace(company, people=people)


def mine() -> list[Left]:
    """Return where the actor (or the buyer for whom staff acts) stands with their limits in the active company."""
    actor = current_actor()
    user_id = actor.on_behalf_of or actor.user_id
    if actor.company_id is None or user_id is None:
        return []
    return left_of(Asked(user_id, actor.company_id))
