"""The ledger of rebates: it follows orders by adding what differs, so that doing it twice adds nothing.

For every line there is what should count of it; ``post`` compares this with the sums of the entries and adds the
difference. What accrues with it is the rebate for the totals after it less that before it: at the value of the step that
is reached then, and what is left of the difference (a step was crossed, up or down) as a true-up of its own. So the sum
of a period is always the rebate for its totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from core.api.companies import ancestors, descendants, seller
from core.api.data import clock, current_actor, db, start_of_day, unscoped
from core.api.orders import Order

from . import counting
from .engine import ZERO, Terms, period_of
from .models import Entry, Rebate

BATCH = 500
_REASON = "the rebate of a parent counts what is bought beneath it, by people who do not read its ledger"
#: rebate, order, position, period
Key = tuple[int, int, int, date]
Place = tuple[int, date]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the ledger should say more of a line (or, without one, of a period) than it does."""

    rebate: Rebate
    company_id: int
    order_id: int | None
    number: str
    position: int | None
    period: date
    net: Decimal
    quantity: Decimal


def terms_of(rebate: Rebate) -> Terms:
    """Return a rebate as the engine sees it."""
    steps = [(step.threshold, step.value) for step in rebate.steps]
    return Terms(rebate.basis, rebate.kind, rebate.mode, rebate.currency, sorted(steps))


def follow(order_id: int, _change: str) -> None:
    """Enter what an order changed; called with its company locked."""
    company_id = db.session.scalars(select(Order.company_id).where(Order.id == order_id)).one()
    rebates = concerning([company_id])
    if rebates:
        post(rebates, differences(rebates, [order_id]))


def concerning(company_ids: Iterable[int]) -> list[Rebate]:
    """Return the rebates for which purchases of companies count, drafts aside, by id."""
    ids = {above for company_id in company_ids for above in ancestors(company_id)}
    query = select(Rebate).where(Rebate.company_id.in_(ids), Rebate.status != "draft").order_by(Rebate.id)
    return list(db.session.scalars(unscoped(query, _REASON)))


def differences(rebates: Sequence[Rebate], order_ids: Sequence[int]) -> list[Difference]:
    """Return where the ledger says something else of lines than the orders do; statements do not grow with these."""
    lines = {(line.order_id, line.position): line for line in counting.counted(order_ids)}
    companies = _companies(order_ids)
    beneath = {rebate.id: set(descendants(rebate.company_id)) for rebate in rebates}
    which = counting.chosen(rebates)
    wanted: dict[Key, tuple[Decimal, Decimal]] = {}
    for rebate in rebates:
        for line in lines.values():
            period = period_of(rebate.period, rebate.starts, rebate.ends, line.day)
            if period and line.company_id in beneath[rebate.id] and counting.counts(rebate, which[rebate.id], line):
                wanted[rebate.id, line.order_id, line.position, period.first] = line.net, line.quantity
    entered = _entered([rebate.id for rebate in rebates], order_ids)
    by_id = {rebate.id: rebate for rebate in rebates}
    numbers = {line.order_id: line.number for line in lines.values()}
    found = []
    for key in sorted({*wanted, *entered}):
        net, quantity = (a - b for a, b in zip(wanted.get(key, (ZERO, ZERO)), entered.get(key, (ZERO, ZERO)), strict=True))
        if net or quantity:
            rebate_id, order_id, position, first = key
            number = numbers.get(order_id, "")
            found.append(Difference(by_id[rebate_id], companies[order_id], order_id, number, position, first, net, quantity))
    return found


def _companies(order_ids: Sequence[int]) -> dict[int, int]:
    query = select(Order.id, Order.company_id).where(Order.id.in_(order_ids))
    return {row.id: row.company_id for row in db.session.execute(unscoped(query, _REASON))}


def _entered(rebate_ids: Sequence[int], order_ids: Sequence[int]) -> dict[Key, tuple[Decimal, Decimal]]:
    key = (Entry.rebate_id, Entry.order_id, Entry.position, Entry.period)
    query = (
        select(*key, func.sum(Entry.net), func.sum(Entry.quantity))
        .where(Entry.rebate_id.in_(rebate_ids), Entry.order_id.in_(order_ids))
        .group_by(*key)
    )
    rows = db.session.execute(unscoped(query, _REASON))
    return {(rebate, order, position, period): (net, base) for rebate, order, position, period, net, base in rows}


def totals(rebate_ids: Iterable[int]) -> dict[Place, tuple[Decimal, Decimal, Decimal]]:
    """Return net, quantity and what accrued, by rebate and first day of the period; one statement."""
    sums = func.sum(Entry.net), func.sum(Entry.quantity), func.sum(Entry.accrued)
    query = (
        select(Entry.rebate_id, Entry.period, *sums)
        .where(Entry.rebate_id.in_(list(rebate_ids)))
        .group_by(Entry.rebate_id, Entry.period)
    )
    found = db.session.execute(unscoped(query, _REASON))
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in found}


def post(rebates: Sequence[Rebate], found: Sequence[Difference]) -> int:
    """Add differences to the ledger, with what accrues by them; inside ``write()`` with the companies locked."""
    sums, terms = totals(rebate.id for rebate in rebates), {rebate.id: terms_of(rebate) for rebate in rebates}
    rows: list[dict[str, Any]] = []
    for one in found:
        place = one.rebate.id, one.period
        net, quantity, accrued = sums.get(place, (ZERO, ZERO, ZERO))
        net, quantity = net + one.net, quantity + one.quantity
        after = terms[one.rebate.id].accrued(net, quantity)
        rows += _rows(one, terms[one.rebate.id], accrued, after, (net, quantity))
        sums[place] = net, quantity, after
    if rows:
        at, who = clock.now(), current_actor().name
        db.session.execute(insert(Entry), [{**row, "at": at, "by_name": who} for row in rows])
    return len(rows)


def _rows(
    one: Difference, terms: Terms, before: Decimal, after: Decimal, now: tuple[Decimal, Decimal]
) -> Iterator[dict[str, Any]]:
    """Yield the entry of a line at the value of the step reached now, and the true-up where a step was crossed."""
    then = now[0] - one.net, now[1] - one.quantity
    step, change = terms.reached(*now), after - before
    crossed = terms.mode == "retroactive" and step != terms.reached(*then)
    own = terms.share(one.net, one.quantity, step[1] if step else ZERO) if crossed else change
    head = {"rebate_id": one.rebate.id, "company_id": one.company_id, "period": one.period}
    line = {"order_id": one.order_id, "position": one.position, "net": one.net, "quantity": one.quantity}
    kind = "reverse" if (one.net or one.quantity) < 0 else "accrue"
    yield {**head, **line, "kind": kind, "accrued": own}
    if change != own:
        yield _true_up(one.rebate, one.company_id, one.period, change - own)


def _true_up(rebate: Rebate, company_id: int, period: date, amount: Decimal) -> dict[str, Any]:
    return {
        "rebate_id": rebate.id, "company_id": company_id, "period": period, "order_id": None, "position": None,
        "net": ZERO, "quantity": ZERO, "kind": "true_up", "accrued": amount,
    }  # fmt: skip


def corrections(rebates: Sequence[Rebate]) -> list[tuple[Rebate, date, Decimal]]:
    """Return the periods whose entries do not add up to the rebate for their totals, and by how much."""
    by_id, found = {rebate.id: rebate for rebate in rebates}, []
    for (rebate_id, first), (net, quantity, accrued) in sorted(totals(by_id).items()):
        missing = terms_of(by_id[rebate_id]).accrued(net, quantity) - accrued
        if missing:
            found.append((by_id[rebate_id], first, missing))
    return found


def true_up(rebates: Sequence[Rebate]) -> int:
    """Add what is missing to the rebate for the totals: after the terms changed; inside ``write()``."""
    at, who = clock.now(), current_actor().name
    rows = [
        {**_true_up(rebate, rebate.company_id, first, amount), "at": at, "by_name": who}
        for rebate, first, amount in corrections(rebates)
    ]
    if rows:
        db.session.execute(insert(Entry), rows)
    return len(rows)


def orders_of(rebate: Rebate) -> Iterator[list[int]]:
    """Yield the ids of the orders that may count or have counted for a rebate, in parts and in their order."""
    start = start_of_day(rebate.starts, seller().zone)
    entered = select(Entry.order_id).where(Entry.rebate_id == rebate.id, Entry.order_id.is_not(None))
    concerned = Order.company_id.in_(descendants(rebate.company_id)) & (
        func.coalesce(Order.confirmed_at, Order.submitted_at, Order.created_at) >= start
    )
    query = select(Order.id).where(Order.state != "cart", concerned | Order.id.in_(entered)).order_by(Order.id).limit(BATCH)
    last = 0
    while ids := list(db.session.scalars(unscoped(query.where(Order.id > last), _REASON))):
        yield ids
        last = ids[-1]


def post_all(rebate: Rebate) -> int:
    """Bring the ledger of a rebate up to date with all orders and its terms; inside ``write()``, returns the entries."""
    count = sum(post([rebate], differences([rebate], ids)) for ids in orders_of(rebate))
    return count + true_up([rebate])
