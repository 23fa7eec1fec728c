"""Price a document: one function serves cart, checkout and placing, so what is shown is what is charged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.catalog.units import LARGEST, QuantityCheck, UnitInfo, check_quantity, to_base
from core.companies import services as companies
from core.data.db import db
from core.i18n import _
from core.orders import articles
from core.orders.articles import Article
from core.orders.beside import FreeLine, beside, rules_for, treatments_of
from core.orders.charges import TaxedCharge
from core.orders.models import Order, OrderLine
from core.pricing import services as pricing
from core.pricing.manual import read as read_terms
from core.pricing.money import line_net
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine, Totals, totals
from core.spec.catalog import QuantityLine
from core.spec.orders import FREE, DraftLine, OrderDraft
from core.spec.pricing import ManualTerms, PriceLine, PriceRequest


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product in a unit at a quantity; ``key`` is unique in the document (a line's position).

    ``manual`` is what staff agreed for the line by hand.
    """

    key: str
    product_id: int | None
    unit: str
    quantity: Decimal
    manual: ManualTerms | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with what catalogue, prices and tax say now; ``net`` is None where there is no price.

    ``article`` is None for a product that exists no more, ``unit`` for a unit in which it is not sold any more.
    """

    key: str
    article: Article | None
    unit: UnitInfo | None
    quantity: Decimal
    base_quantity: Decimal
    price: PriceLine | None
    net: Decimal | None
    treatment: Treatment | None
    check: QuantityCheck

    @property
    def unit_price(self) -> Decimal | None:
        """The net price for ``per`` units, None where there is none."""
        return self.price.price if self.price else None


@dataclass(frozen=True, slots=True)
class Priced:
    """A document with prices, charges and free goods of this moment, in ``currency``."""

    lines: tuple[PricedLine, ...]
    totals: Totals
    currency: str
    charges: tuple[TaxedCharge, ...] = ()
    #: What comes with the lines for nothing; it is no part of any sum.
    free: tuple[FreeLine, ...] = ()

    def by_key(self) -> dict[str, PricedLine]:
        """Return the lines by key."""
        return {line.key: line for line in self.lines}


def price_lines(
    wanted: Sequence[Wanted],
    *,
    ship_to_country: str = "",
    locale: str | None = None,
    at: datetime | None = None,
    explain: bool = False,
    charged: bool = True,
    order_id: int | None = None,
    wished: date | None = None,
) -> Priced:
    """Return prices, tax, quantity checks, charges and totals of the lines for the actor; a constant number of statements.

    ``at`` is the pricing instant, by default that of the request. Lines that are no document are not ``charged``.
    """
    context = pricing.context(at=at, wished=wished)
    known = articles.by_id((w.product_id for w in wanted), locale)
    units = {w.key: known[w.product_id].unit(w.unit) for w in wanted if w.product_id in known}
    asked = [w for w in wanted if units.get(w.key)]
    prices = pricing.price(
        context,
        [PriceRequest(w.key, w.product_id, units[w.key].unit, w.quantity) for w in asked],
        explain=explain,  # type: ignore[arg-type, union-attr]
        manual={w.key: w.manual for w in asked if w.manual is not None},
        together=True,
        order_id=order_id,
    ).by_key()
    checks = check_quantities(asked, units)
    classes = {known[w.product_id].tax_class for w in asked}  # type: ignore[index]
    taxed = treatments_of(classes, ship_to_country, companies.current_company())
    lines = tuple(
        _line(w, known.get(w.product_id or 0), units.get(w.key), prices, checks, taxed, context.currency) for w in wanted
    )
    goods = [TotalLine(line.net, line.treatment or _UNTAXED) for line in lines]
    added, free = beside(lines, goods, context.currency, ship_to_country, order_id, locale) if charged else ((), ())
    sums = totals(goods, context.currency, [TotalLine(charge.net, charge.treatment) for charge in added])
    return Priced(lines, sums, context.currency, added, free)


def price_order(
    order: Order, lines: Sequence[OrderLine], *, ship_to_country: str = "", at: datetime | None = None, explain: bool = False
) -> Priced:
    """Return what the lines of a cart cost now; keys are their positions."""
    wanted = [
        Wanted(str(line.position), line.product_id, line.unit, line.quantity, read_terms(line.manual)) for line in lines
    ]
    return price_lines(
        wanted,
        ship_to_country=ship_to_country,
        locale=order.locale,
        at=at,
        explain=explain,
        order_id=order.id,
        wished=order.wished_date,
    )


def draft_of(order: Order, lines: Sequence[OrderLine], priced: Priced) -> OrderDraft:
    """Return the document as checkout rules and hold types see it."""
    found = priced.by_key()
    return OrderDraft(
        order_id=order.id,
        company_id=order.company_id,
        user_id=order.user_id,
        currency=priced.currency,
        net=priced.totals.net,
        tax=priced.totals.tax,
        gross=priced.totals.gross,
        lines=tuple(_draft_line(line, found[str(line.position)]) for line in lines),
        po_number=order.po_number,
        ship_to_id=order.ship_to_id,
        bill_to_id=order.bill_to_id,
        extra=order.extra or {},
        charges_net=priced.totals.charges,
        wished_date=order.wished_date,
        free=tuple(one.drafted() for one in priced.free),
    )


def priced_draft(
    priced: Priced, company_id: int, user_id: int | None, *, order_id: int = 0, ship_to_id: int | None = None
) -> OrderDraft:
    """Return lines that are no document as rules would see them in an order of the person; positions as they stand."""
    return OrderDraft(
        order_id=order_id,
        company_id=company_id,
        user_id=user_id,
        currency=priced.currency,
        net=priced.totals.net,
        tax=priced.totals.tax,
        gross=priced.totals.gross,
        lines=tuple(_imagined(position, line) for position, line in enumerate(priced.lines, 1)),
        ship_to_id=ship_to_id,
        charges_net=priced.totals.charges,
        discounts_net=sum((charge.net for charge in priced.charges if charge.net < 0), Decimal(0)),
        free=tuple(one.drafted() for one in priced.free),
    )


def _imagined(position: int, line: PricedLine) -> DraftLine:
    return DraftLine(
        key=line.key,
        id=0,
        product_id=line.article.id if line.article else None,
        sku=line.article.sku if line.article else "",
        unit=line.unit.unit if line.unit else "",
        quantity=line.quantity,
        base_quantity=line.base_quantity,
        unit_price=line.unit_price,
        net=line.net,
        position=position,
        price_source=line.price.source if line.price else "",
        list_price=line.price.list_price if line.price else None,
        per=line.price.per if line.price else Decimal(1),
        tax_rate=line.treatment.rate if line.treatment else None,
    )


def stored_draft(order: Order, lines: Sequence[Any]) -> OrderDraft:
    """Return a placed order, at its frozen prices, as rules see it; ``lines`` are rows with the columns that it has."""
    found = [_stored(line) for line in lines]
    return OrderDraft(
        order_id=order.id,
        company_id=order.company_id,
        user_id=order.user_id,
        currency=order.currency,
        net=order.net,
        tax=order.tax,
        gross=order.gross,
        lines=tuple(line for line in found if not line.price_source.startswith(FREE)),
        po_number=order.po_number,
        ship_to_id=order.ship_to_id,
        bill_to_id=order.bill_to_id,
        extra=order.extra or {},
        charges_net=order.charges_net,
        free=tuple(line for line in found if line.price_source.startswith(FREE)),
    )


def _stored(x: Any) -> DraftLine:
    return DraftLine(
        str(x.position),
        x.id,
        x.product_id,
        x.sku,
        x.unit,
        x.quantity,
        x.base_quantity,
        x.unit_price,
        x.net,
        x.position,
        x.price_source,
        x.list_price,
        x.per,
        x.tax_rate,
    )


#: What of a line ``stored_draft`` reads.
_READ = (
    OrderLine.id, OrderLine.position, OrderLine.product_id, OrderLine.sku, OrderLine.unit, OrderLine.quantity,
    OrderLine.base_quantity, OrderLine.unit_price, OrderLine.net, OrderLine.price_source, OrderLine.list_price,
    OrderLine.per, OrderLine.tax_rate,
)  # fmt: skip


def stored_drafts(orders: Sequence[Order]) -> list[OrderDraft]:
    """Return placed orders as rules see them; one statement for the lines of all, which reads no more than that."""
    lines: dict[int, list[Any]] = {order.id: [] for order in orders}
    query = select(OrderLine.order_id, *_READ).where(OrderLine.order_id.in_(lines)).order_by(OrderLine.position)
    for row in db.session.execute(query) if orders else ():
        lines[row.order_id].append(row)
    return [stored_draft(order, lines[order.id]) for order in orders]


def check_quantities(wanted: Sequence[Wanted], units: Mapping[str, UnitInfo | None]) -> dict[str, QuantityCheck]:
    """Return whether each quantity may be ordered, by the product's own limits and the stricter ones of addons."""
    asked = [QuantityLine(w.key, w.product_id or 0, w.unit, w.quantity) for w in wanted if _sane(w.quantity)]
    rules = rules_for(asked)
    return {
        w.key: check_quantity(unit, w.quantity, rules.get(w.key, ()))
        if _sane(w.quantity)
        else QuantityCheck(False, None, reason=_absurd())
        for w in wanted
        if (unit := units.get(w.key))
    }


def _sane(quantity: Decimal) -> bool:
    """Tell whether a quantity is one that could be meant."""
    return quantity.is_finite() and abs(quantity) <= LARGEST


def _absurd() -> str:
    return _("This is not a quantity that can be ordered; check it.")


_UNTAXED = Treatment("", "", Decimal(0))


def _line(
    wanted: Wanted,
    article: Article | None,
    unit: UnitInfo | None,
    prices: Mapping[str, PriceLine],
    checks: Mapping[str, QuantityCheck],
    taxed: Mapping[str, Treatment],
    currency: str,
) -> PricedLine:
    if article is None or unit is None:
        return PricedLine(
            wanted.key, article, None, wanted.quantity, wanted.quantity, None, None, None, QuantityCheck(True, None)
        )
    price = prices[wanted.key]
    net = None if price.price is None else line_net(wanted.quantity, price.price, price.per, currency)
    return PricedLine(
        wanted.key,
        article,
        unit,
        wanted.quantity,
        to_base(wanted.quantity, unit),
        price,
        net,
        taxed[article.tax_class],
        checks[wanted.key],
    )


def _draft_line(line: OrderLine, priced: PricedLine) -> DraftLine:
    return DraftLine(
        key=str(line.position),
        id=line.id,
        product_id=line.product_id,
        sku=line.sku,
        unit=line.unit,
        quantity=line.quantity,
        base_quantity=priced.base_quantity,
        unit_price=priced.unit_price,
        net=priced.net,
        position=line.position,
        price_source=priced.price.source if priced.price else "",
        list_price=priced.price.list_price if priced.price else None,
        per=priced.price.per if priced.price else Decimal(1),
        tax_rate=priced.treatment.rate if priced.treatment else None,
    )
