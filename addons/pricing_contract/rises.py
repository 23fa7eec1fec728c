"""Tell buyers of price rises some days before: of products that they bought lately, whatever makes them rise.

Every night the prices of each company are asked of the engine for today and for the last day of notice. Where one is
higher then, the day is found by asking for the days between, halving them each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from core.api.catalog import Product, visible_to_company
from core.api.companies import Company, Membership, holders, seller
from core.api.data import db, now, start_of_day, today, write
from core.api.hooks import NotificationKind, SettingSpec
from core.api.i18n import translations
from core.api.notifications import Message, notify, path_of
from core.api.orders import Order, OrderLine
from core.api.pricing import SEE_PRICES, PriceLine, PriceRequest, context, price
from core.api.settings import get
from core.api.ui import day_text, price_text

from .rise_models import PriceRise

_, _l, ngettext, _p = translations(__name__)
OWNER, RISE = "pricing_contract", "pricing_contract.rise"
#: Products of a company that are looked at, those ordered most; rises named in a mail; days that a purchase counts.
PRODUCTS, NAMED, LATELY = 500, 20, 365
#: The step of stored prices.
MICRO = Decimal("0.000001")
BUYERS = ("orderer", "approver", "company_admin")
SETTINGS = (
    SettingSpec(
        "rise_notice_days", int, 14, _l("Days before a price rise that its buyers are told"),
        _l("Of products that they bought in the last year. 0: nobody is told."),
        ("deployment", "segment", "company"), minimum=0, maximum=180,
    ),
)  # fmt: skip
KINDS = (
    NotificationKind(
        "rise", _l("Prices rise"), _l("Products that you bought lately cost more soon."), "buyer", icon="arrow-up", order=60
    ),
)


@dataclass(frozen=True, slots=True)
class Rise:
    """A price before and after, and the first day of the new one."""

    before: PriceLine
    after: PriceLine
    day: date


def nightly(_payload: dict[str, Any]) -> None:
    """Tell every company of its rises; the job."""
    for company_id in db.session.scalars(select(Company.id).where(Company.status != "closed").order_by(Company.id)).all():
        tell(company_id)


def tell(company_id: int) -> list[Rise]:
    """Tell a company's buyers of rises they have not been told of; returns those. May run twice."""
    days = int(get(OWNER, "rise_notice_days", company=company_id))
    if not days:
        return []
    found = coming(company_id, days)
    with write() as session:
        known = {
            (row.product_id, row.unit, row.day, row.after): row
            for row in session.scalars(
                select(PriceRise).where(PriceRise.company_id == company_id, PriceRise.day > today(seller().zone))
            )
        }
        keys = {(one.after.product_id, one.after.unit, one.day, _stored(one.after)): one for one in found}
        for key, row in known.items():
            row.withdrawn_at = None if key in keys else row.withdrawn_at or now()
        new = [one for key, one in keys.items() if key not in known]
        if new:
            currency = context(company_id=company_id).currency
            session.execute(insert(PriceRise), [_row(company_id, currency, one) for one in new])
            people = _buyers(company_id)
            for day in sorted({one.day for one in new}):
                _notify(company_id, people, currency, [one for one in new if one.day == day])
    return new


def coming(company_id: int, days: int) -> list[Rise]:
    """Return the rises within so many days from today, of what the company bought lately, by day and SKU."""
    requests = _bought(company_id)
    if not requests:
        return []
    zone = seller().zone
    first = today(zone)

    def at(offset: int, some: Sequence[PriceRequest]) -> dict[str, PriceLine]:
        instant = now() if offset == 0 else start_of_day(first + timedelta(days=offset), zone)
        return price(context(at=instant, company_id=company_id), some).by_key() if some else {}

    base = at(0, requests)
    found: list[Rise] = []

    def search(low: int, high: int, some: Sequence[PriceRequest], then: dict[str, PriceLine]) -> None:
        """Find the day for those that cost more on ``high`` than today, and no more on ``low``."""
        if high - low == 1:
            day = first + timedelta(days=high)
            found.extend(Rise(base[one.key], then[one.key], day) for one in some)
            return
        middle = (low + high) // 2
        between = at(middle, some)
        early = [one for one in some if _higher(base[one.key], between[one.key])]
        late = [one for one in some if not _higher(base[one.key], between[one.key])]
        if early:
            search(low, middle, early, between)
        if late:
            search(middle, high, late, then)

    last = at(days, requests)
    rising = [one for one in requests if _higher(base[one.key], last[one.key])]
    if rising:
        search(0, days, rising, last)
    return sorted(found, key=lambda one: (one.day, one.after.sku, one.after.unit))


def _higher(before: PriceLine, after: PriceLine) -> bool:
    if before.price is None or after.price is None:
        return False
    return after.price * before.per > before.price * after.per


def _bought(company_id: int) -> list[PriceRequest]:
    """Return what the company ordered lately and still sees, each product and unit at the quantity of its last order."""
    times = func.count()
    latest = func.max(OrderLine.id)
    lines = (
        select(latest.label("id"), times.label("times"))
        .join(Order, Order.id == OrderLine.order_id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            OrderLine.company_id == company_id,
            Order.state.in_(("submitted", "confirmed", "completed")),
            Order.submitted_at >= now() - timedelta(days=LATELY),
            Product.status == "active",
            ~OrderLine.free,
            *visible_to_company(company_id),
        )
        .group_by(OrderLine.product_id, OrderLine.unit)
        .order_by(times.desc(), latest.desc())
        .limit(PRODUCTS)
        .subquery()
    )
    query = select(OrderLine.id, OrderLine.product_id, OrderLine.unit, OrderLine.quantity)
    rows = db.session.execute(query.join(lines, lines.c.id == OrderLine.id))
    return [PriceRequest(str(row.id), row.product_id, row.unit, row.quantity) for row in rows]


def _stored(line: PriceLine) -> Decimal:
    """Return the price as the column keeps it, with six decimals."""
    return Decimal(line.price or 0).quantize(MICRO)


def _row(company_id: int, currency: str, one: Rise) -> dict[str, Any]:
    before, after = one.before, one.after
    return {
        "company_id": company_id, "product_id": after.product_id, "unit": after.unit, "quantity": after.quantity,
        "day": one.day, "currency": currency, "per": after.per, "after": _stored(after),
        "before": ((before.price or 0) * after.per / before.per).quantize(MICRO), "told_at": now(),
    }  # fmt: skip


def _buyers(company_id: int) -> list[int]:
    query = select(Membership.user_id).where(Membership.company_id == company_id, Membership.role.in_(BUYERS))
    return holders(SEE_PRICES, company_id, db.session.scalars(query.distinct()).all())


def _notify(company_id: int, people: Sequence[int], currency: str, rises: Sequence[Rise]) -> None:
    """Tell people of the rises of one day."""
    day = rises[0].day

    def compose() -> Message:
        subject = ngettext(
            "The price of %(count)s product that you buy rises on %(day)s",
            "The prices of %(count)s products that you buy rise on %(day)s",
            len({one.after.product_id for one in rises}),  # one bought in two units stands in two lines
            day=day_text(day),
        )
        lines = [f"{one.after.sku}: {_text(one.before, currency)} → {_text(one.after, currency)}" for one in rises[:NAMED]]
        if len(rises) > NAMED:
            lines.append(ngettext("and %(count)s more", "and %(count)s more", len(rises) - NAMED))
        return Message(subject, "\n".join(lines), path_of("pricing_contract.coming_rises"))

    key = f"rise:{company_id}:{day}:{min(one.after.product_id for one in rises)}:{now():%Y%m%d}"
    notify(RISE, people, compose, key=key)


def _text(line: PriceLine, currency: str) -> str:
    amount = price_text(line.price, currency)
    return f"{amount} / {line.unit}" if line.per == 1 else f"{amount} / {line.per.normalize():f} {line.unit}"


def told(company_id: int) -> list[PriceRise]:
    """Return the rises that a company has been told of and that are still to come, by day and SKU."""
    query = select(PriceRise).join(Product, Product.id == PriceRise.product_id).where(*_told(company_id))
    return list(db.session.scalars(query.order_by(PriceRise.day, Product.sku, PriceRise.unit)))


def count_told(company_id: int) -> int:
    """Return how many ``told`` would return."""
    query = select(func.count(PriceRise.id)).join(Product, Product.id == PriceRise.product_id)
    return db.session.scalar(query.where(*_told(company_id))) or 0


def _told(company_id: int) -> tuple[Any, ...]:
    return (
        PriceRise.company_id == company_id, PriceRise.day > today(seller().zone), PriceRise.withdrawn_at.is_(None),
        *visible_to_company(company_id),
    )  # fmt: skip
