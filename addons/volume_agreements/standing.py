"""How agreements stand: what is reserved, taken and left, and whether that is behind the days that have passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.api.catalog import Category, Product
from core.api.companies import Company, seller
from core.api.data import clock, db, unscoped
from core.api.i18n import pick, translations
from core.api.pricing import round_money

from .models import Agreement, Entry

_, _l, ngettext, _p = translations(__name__)
ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
_REASON = "everybody who draws from an agreement may know how much is left of it"
#: Ways to look at agreements, for the filter of the list.
PROGRESS = (
    ("behind", _l("Behind schedule")),
    ("on", _l("On schedule")),
    ("used_up", _l("Used up")),
    ("short", _l("Ended short")),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """An agreement and how it stands at an instant; quantities in its unit. ``share`` of the days has passed, 0 to 1."""

    agreement: Agreement
    reserved: Decimal
    committed: Decimal
    share: Decimal
    at: datetime

    @property
    def used(self) -> Decimal:
        """What was ordered of it, confirmed or not."""
        return self.reserved + self.committed

    @property
    def left(self) -> Decimal:
        """What may still be ordered at the agreed price."""
        return max(self.agreement.quantity - self.used, ZERO)

    @property
    def percent(self) -> int:
        """How much is used, in whole percent."""
        return int(self.used * HUNDRED / self.agreement.quantity)

    @property
    def expected(self) -> Decimal:
        """What would be used by now if it were taken evenly, in whole units."""
        return (self.agreement.quantity * self.share).quantize(ONE, ROUND_DOWN)

    @property
    def behind(self) -> Decimal:
        """How much less is used than that, in whole units; 0 where it is on schedule."""
        lacking = self.agreement.quantity * self.share - self.used
        return lacking.quantize(ONE, ROUND_DOWN) if lacking >= ONE else ZERO

    @property
    def state(self) -> str:
        """draft, ended, upcoming, used_up, behind or active."""
        if self.agreement.status != "active":
            return self.agreement.status
        if self.agreement.valid_from > self.at:
            return "upcoming"
        if not self.left:
            return "used_up"
        if self.agreement.valid_until <= self.at:
            return "ended"
        return "behind" if self.behind else "active"

    @property
    def progress(self) -> str:
        """One of PROGRESS, '' for drafts and what has not begun."""
        if self.state in ("draft", "upcoming"):
            return ""
        return {"used_up": "used_up", "ended": "short" if self.left else "used_up", "behind": "behind"}.get(self.state, "on")

    @property
    def shortfall(self) -> Decimal | None:
        """What the rest is worth at the agreed price; None where the price is a percent off another."""
        one = self.agreement
        return None if one.kind != "fixed" else round_money(self.left * one.value / one.per, one.currency)

    @property
    def first_day(self) -> date:
        """The first day on which it holds."""
        return first_day(self.agreement.valid_from)

    @property
    def last_day(self) -> date:
        """The last day on which it holds."""
        return last_day(self.agreement.valid_until)

    @property
    def days_left(self) -> int:
        """How many days it still holds, today included."""
        return max((self.last_day - clock.today(seller().zone)).days + 1, 0)


def last_day(end: datetime) -> date:
    """Return the last day of a validity, as people write it."""
    return end.astimezone(ZoneInfo(seller().zone)).date() - timedelta(days=1)


def first_day(start: datetime) -> date:
    """Return the first day of a validity, as people write it."""
    return start.astimezone(ZoneInfo(seller().zone)).date()


def standings(agreements: Iterable[Agreement]) -> list[Standing]:
    """Return how agreements stand now, in their order; one statement."""
    found, now = list(agreements), clock.now()
    query = (
        select(Entry.agreement_id, func.sum(Entry.reserved), func.sum(Entry.committed))
        .where(Entry.agreement_id.in_([one.id for one in found]))
        .group_by(Entry.agreement_id)
    )
    sums = {row[0]: (row[1], row[2]) for row in db.session.execute(unscoped(query, _REASON))} if found else {}
    return [Standing(one, *sums.get(one.id, (ZERO, ZERO)), _share(one, now), now) for one in found]


def _share(one: Agreement, now: datetime) -> Decimal:
    passed = min(max((now - one.valid_from).total_seconds(), 0), (one.valid_until - one.valid_from).total_seconds())
    return Decimal(int(passed)) / Decimal(int((one.valid_until - one.valid_from).total_seconds()) or 1)


def in_force(ids: Sequence[int]) -> list[Standing]:
    """Return how those of the agreements stand that hold now, first those that end first."""
    now = clock.now()
    query = (
        select(Agreement)
        .where(Agreement.id.in_(ids), Agreement.status == "active")
        .where(Agreement.valid_from <= now, Agreement.valid_until > now)
        .order_by(Agreement.valid_until, Agreement.code)
    )
    return standings(db.session.scalars(query)) if ids else []


@dataclass(frozen=True, slots=True)
class Named:
    """Names of what agreements are about and for whom: by id, for pages; ``skus`` and ``categories`` are codes."""

    targets: dict[int, str]
    skus: dict[int, str]
    categories: dict[int, str]
    companies: dict[int, Company]

    def of(self, one: Agreement) -> str:
        """Return what an agreement is about."""
        return self.targets[one.id]


def named(agreements: Iterable[Agreement]) -> Named:
    """Return the names for some agreements, in three statements."""
    found = list(agreements)
    products = dict(
        db.session.execute(
            select(Product.id, Product.sku).where(Product.id.in_([x.product_id for x in found if x.product_id]))
        ).all()
    )
    ids = [x.category_id for x in found if x.category_id]
    categories = {row.id: row for row in db.session.scalars(select(Category).where(Category.id.in_(ids)))} if ids else {}
    companies = select(Company).where(Company.id.in_({x.company_id for x in found}))
    targets: dict[int, str] = {}
    skus: dict[int, str] = {}
    codes: dict[int, str] = {}
    for one in found:
        if one.product_id:
            targets[one.id] = skus[one.id] = products[one.product_id]
        else:
            category = categories[one.category_id or 0]
            targets[one.id], codes[one.id] = pick(category.name, fallback=category.code), category.code
    return Named(targets, skus, codes, {c.id: c for c in db.session.scalars(companies)})
