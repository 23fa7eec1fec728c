"""What stands beside the goods of a document: freight, charges, discounts, and goods that come with them for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from core.catalog.units import LARGEST, UnitInfo, rules_by_key, to_base, with_rules
from core.companies import services as companies
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.orders import articles, charges
from core.orders.articles import Article
from core.orders.charges import TaxedCharge
from core.orders.models import Order, OrderLine
from core.orders.queries import lines_of, store_lines
from core.pricing import tax
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine
from core.registry.registry import registry
from core.spec.catalog import QuantityLine, QuantityRule
from core.spec.orders import FREE, ChargeLine, ChargeRequest, DraftLine, FreeGoods

if TYPE_CHECKING:
    from core.orders.draft import PricedLine

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class FreeLine:
    """Goods that come with a document for nothing: who gives them, why (``label``), what, and how they would be taxed."""

    owner: str
    code: str
    label: str
    article: Article
    unit: UnitInfo
    quantity: Decimal
    treatment: Treatment

    @property
    def source(self) -> str:
        """What their lines name as the source of the price."""
        return f"{FREE}{self.owner}:{self.code}"

    @property
    def key(self) -> str:
        """What names them in a document; lines that are ordered are named by their positions."""
        return f"{self.source}:{self.article.sku}"

    def row(self) -> dict[str, Any]:
        """Return the columns of their line of an order."""
        return {
            "product_id": self.article.id, "sku": self.article.sku, "name": self.article.name, "unit": self.unit.unit,
            "quantity": self.quantity, "base_quantity": to_base(self.quantity, self.unit), "unit_price": ZERO, "per": ONE,
            "net": ZERO, "tax_category": self.treatment.category, "tax_rate": self.treatment.rate,
            "price_source": self.source, "price_reason": self.label[:250],
        }  # fmt: skip

    def drafted(self) -> DraftLine:
        """Return them as rules see them."""
        names = ("product_id", "sku", "unit", "quantity", "base_quantity", "unit_price", "net", "price_source", "tax_rate")
        row = self.row()
        return DraftLine(key=self.key, id=0, position=0, **{name: row[name] for name in names})


def beside(
    lines: Sequence[PricedLine],
    goods: Sequence[TotalLine],
    currency: str,
    country: str,
    order_id: int | None = None,
    locale: str | None = None,
) -> tuple[tuple[TaxedCharge, ...], tuple[FreeLine, ...]]:
    """Return what is charged beside the lines and taken off, and what comes with them for nothing.

    Both are empty for a document of which nothing has a price. Each costs the same number of statements however many lines.
    """
    company = companies.current_company()
    asked = [
        ChargeLine(
            x.article.id if x.article else None,
            x.unit.unit if x.unit else "",
            x.quantity,
            x.base_quantity,
            x.net,
            x.key,
            x.price.source if x.price else "",
        )
        for x in lines
    ]
    request = _request(company, asked, currency, country, order_id)
    if request is None:
        return (), ()
    return _charged(request, goods, country, company), tuple(_free(request, country, company, locale))


def charges_for(
    company: Company | None,
    lines: Sequence[ChargeLine],
    goods: Sequence[TotalLine],
    currency: str,
    country: str,
    order_id: int | None = None,
    at: datetime | None = None,
) -> tuple[TaxedCharge, ...]:
    """Return what is charged beside the goods of a company's document as of ``at`` (now), whoever looks after it."""
    request = _request(company, lines, currency, country, order_id, at)
    return () if request is None else _charged(request, goods, country, company)


def store_free(order: Order, given: Sequence[FreeLine]) -> None:
    """Make ``given`` the free lines of an order that is locked, behind those that were ordered; call inside ``write()``.

    A line of the same goods by the same giver stays that line. Two statements at most beside the reading.
    """
    lines = lines_of(order.id)
    known = {(line.price_source, line.product_id): line.id for line in lines if line.free}
    last = max((line.position for line in lines), default=0)
    stays, new = [], []
    for one in given:
        line_id = known.pop((one.source, one.article.id), None)
        if line_id is None:
            new.append({**one.row(), "order_id": order.id, "company_id": order.company_id, "position": last + len(new) + 1})
        else:
            stays.append({"id": line_id, **one.row()})
    if known:
        gone = delete(OrderLine).where(OrderLine.id.in_(known.values()))
        db.session.execute(gone.execution_options(synchronize_session="fetch"))
    store_lines(stays)
    if new:
        db.session.execute(insert(OrderLine), new)


def treatments_of(classes: set[str], country: str, company: Company | None) -> dict[str, Treatment]:
    """Return how each tax class is taxed for a company's document in a country ('' for the seller's)."""
    seller = companies.seller_facts()
    return tax.treatments(seller, company, country, classes, clock.today(seller.zone)) if classes else {}


def rules_for(lines: Sequence[QuantityLine]) -> Mapping[str, Sequence[QuantityRule]]:
    """Return the stricter limits of addons for lines, by key."""
    answers = registry().batch("quantity_rules", lines=tuple(lines), company_id=current_actor().company_id)
    return rules_by_key(rule for _owner, found in answers for rule in found)


def _request(
    company: Company | None,
    lines: Sequence[ChargeLine],
    currency: str,
    country: str,
    order_id: int | None,
    at: datetime | None = None,
) -> ChargeRequest | None:
    if all(line.net is None for line in lines):
        return None
    return ChargeRequest(
        company_id=company.id if company else None,
        currency=currency,
        net=sum((line.net for line in lines if line.net is not None), ZERO),
        lines=lines,
        ship_to_country=country or companies.seller_facts().country,
        at=at or clock.now(),
        order_id=order_id,
    )


def _charged(
    request: ChargeRequest, goods: Sequence[TotalLine], country: str, company: Company | None
) -> tuple[TaxedCharge, ...]:
    return charges.of(request, goods, lambda classes: treatments_of(classes, country, company))


def _free(request: ChargeRequest, country: str, company: Company | None, locale: str | None) -> Iterator[FreeLine]:
    """Yield what addons give, of articles that the buyer may order."""
    asked = [(owner, one) for owner, found in registry().batch("order_free_goods", request=request) for one in found]
    if not asked:
        return
    known = articles.by_id({one.product_id for _owner, one in asked}, locale)
    given = [
        (owner, one, article, unit)
        for owner, one in sorted(asked, key=lambda pair: (pair[1].order, pair[0], pair[1].code, pair[1].product_id))
        if (article := known.get(one.product_id)) and article.availability == "ok" and (unit := _unit(article))
    ]
    rules = rules_for([QuantityLine(str(n), a.id, u.unit, o.quantity) for n, (_owner, o, a, u) in enumerate(given)])
    taxed = treatments_of({article.tax_class for _owner, _one, article, _unit in given}, country, company)
    for n, (owner, one, article, unit) in enumerate(given):
        quantity = _whole(one, unit)
        if quantity > 0 and not with_rules(unit, rules.get(str(n), ())).refused:
            yield FreeLine(owner, one.code, str(one.label), article, unit, quantity, taxed[article.tax_class])


def _unit(article: Article) -> UnitInfo | None:
    return article.units.get(article.base_unit) or article.unit()


def _whole(goods: FreeGoods, unit: UnitInfo) -> Decimal:
    """Return what is given in the unit, rounded down to whole ones; in which steps they are ordered does not matter."""
    asked = min(Fraction(goods.quantity) / unit.factor, Fraction(LARGEST))
    return unit.quantum * (asked // Fraction(unit.quantum))


def shown(given: Sequence[FreeLine]) -> dict[str, Decimal]:
    """Return what a page says that it showed of them: quantities by key."""
    return {one.key: one.quantity for one in given}
