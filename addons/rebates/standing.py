"""How rebates stand in a period: what counts, what accrued, at which step, and what is missing to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from core.api.catalog import Category, Product
from core.api.companies import seller
from core.api.data import db, today
from core.api.i18n import pick, translations

from . import engine, ledger
from .engine import ZERO, Missing, Period, Terms, period_of
from .models import Rebate, Settlement

_, _l, ngettext, _p = translations(__name__)
Totals = tuple[Decimal, Decimal, Decimal]
NOTHING: Totals = (ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Standing:
    """A rebate in one of its periods; ``settled`` is what finance accepted for it."""

    rebate: Rebate
    period: Period
    net: Decimal
    quantity: Decimal
    accrued: Decimal
    settled: Decimal = ZERO

    @property
    def terms(self) -> Terms:
        """The rebate as the engine sees it."""
        return ledger.terms_of(self.rebate)

    @property
    def basis(self) -> Decimal:
        """What thresholds compare."""
        return self.terms.basis_of(self.net, self.quantity)

    @property
    def reached(self) -> tuple[Decimal, Decimal] | None:
        """The step that is reached: from which basis, and its value."""
        return self.terms.reached(self.net, self.quantity)

    @property
    def next(self) -> Missing | None:
        """The next step, None where the last is reached."""
        return engine.missing(self.terms, self.net, self.quantity)

    @property
    def open(self) -> Decimal:
        """What accrued and is not settled."""
        return self.accrued - self.settled


def current(rebates: Iterable[Rebate], day: date | None = None) -> list[Standing]:
    """Return how rebates stand in the period of a day, by default today; those without one then are left out."""
    found, at = list(rebates), day or today(seller().zone)
    sums, settled = ledger.totals(r.id for r in found), accepted(r.id for r in found)
    standings = []
    for rebate in found:
        period = period_of(rebate.period, rebate.starts, rebate.ends, at)
        if period is not None:
            place = rebate.id, period.first
            standings.append(Standing(rebate, period, *sums.get(place, NOTHING), settled.get(place, ZERO)))
    return standings


def every(rebate: Rebate) -> list[Standing]:
    """Return how a rebate stood in each period in which something counted, and stands now, the latest first."""
    sums, settled = ledger.totals([rebate.id]), accepted([rebate.id])
    days = {first for _id, first in sums} | {p.first for p in [_now(rebate)] if p}
    found = []
    for first in sorted(days, reverse=True):
        period = period_of(rebate.period, rebate.starts, rebate.ends, first) or Period(first, first)
        place = rebate.id, first
        found.append(Standing(rebate, period, *sums.get(place, NOTHING), settled.get(place, ZERO)))
    return found


def _now(rebate: Rebate) -> Period | None:
    return period_of(rebate.period, rebate.starts, rebate.ends, today(seller().zone))


def accepted(rebate_ids: Iterable[int]) -> dict[tuple[int, date], Decimal]:
    """Return what was accepted, by rebate and first day of the period."""
    query = (
        select(Settlement.rebate_id, Settlement.period, func.sum(Settlement.amount))
        .where(Settlement.rebate_id.in_(list(rebate_ids)), Settlement.state == "accepted")
        .group_by(Settlement.rebate_id, Settlement.period)
    )
    return {(row[0], row[1]): row[2] for row in db.session.execute(query)}


def targets_of(rebates: Iterable[Rebate]) -> Mapping[int, list[str]]:
    """Return what each rebate counts, in words; empty for everything. Two statements."""
    found = list(rebates)
    products = {t.product_id for r in found for t in r.targets if t.product_id}
    categories = {t.category_id for r in found for t in r.targets if t.category_id}
    skus = dict(db.session.execute(select(Product.id, Product.sku).where(Product.id.in_(products))).all())
    names = {
        c.id: pick(c.name, fallback=c.code) for c in db.session.scalars(select(Category).where(Category.id.in_(categories)))
    }
    return {r.id: [skus[t.product_id] if t.product_id else names[t.category_id or 0] for t in r.targets] for r in found}
