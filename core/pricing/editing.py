"""Change list prices and tax rates by hand; files go through the importers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.catalog.models import Product, ProductUnit
from core.companies.services import seller
from core.data import audit, clock
from core.data.clock import end_of_day, start_of_day
from core.data.db import db
from core.data.write import write
from core.i18n import _
from core.i18n.currencies import checked_currency
from core.jobs.services import emit
from core.pricing.gross import domestic_rates, without_tax
from core.pricing.models import ListPrice, TaxRate
from core.spec.errors import Invalid, NotFound
from core.spec.pricing import BEGINNING

LIMIT = Decimal(10**9)


def product_of(sku: str) -> Product:
    """Return the product with ``sku``; NotFound if there is none."""
    found: Product | None = db.session.scalar(select(Product).where(Product.sku == sku))
    if found is None:
        raise NotFound("PRODUCT-UNKNOWN", _('There is no product with the code "%(sku)s".', sku=sku))
    return found


def units_of(product: Product) -> list[str]:
    """Return the units in which the product may have a price, its base unit first."""
    found = db.session.scalars(
        select(ProductUnit.unit).where(ProductUnit.product_id == product.id).order_by(ProductUnit.position)
    )
    return list(dict.fromkeys([product.base_unit, *found]))


def list_prices_of(product_id: int) -> list[ListPrice]:
    """Return the product's list prices by unit, currency and start."""
    order = ListPrice.unit, ListPrice.currency, ListPrice.valid_from
    return list(db.session.scalars(select(ListPrice).where(ListPrice.product_id == product_id).order_by(*order)))


def set_list_price(sku: str, values: Mapping[str, Any]) -> None:
    """Add a list price, or change the one with the same unit, currency and first day.

    ``values``: unit, currency, price, per, and the days ``first`` and ``last`` (included), None for open ends. A price
    ``with_tax`` is kept without, at the seller's own rate.
    """
    product, zone = product_of(sku), seller().zone
    price, per = values["price"], values["per"]
    if values["unit"] not in units_of(product):
        raise Invalid("PRICE-UNIT", _("The product is not sold in this unit."))
    if not 0 <= price < LIMIT or not 0 < per < LIMIT:
        raise Invalid("PRICE-VALUE", _("A price is zero or more, for more than zero units, and below a milliard."))
    start, end = _window(values["first"], values["last"], zone)
    if values.get("with_tax"):
        rates = domestic_rates({product.tax_class}, values["first"] or clock.today(zone))
        price = without_tax(price, rates[product.tax_class])
    key = {
        "product_id": product.id,
        "unit": values["unit"],
        "currency": checked_currency(values["currency"]),
        "valid_from": start,
    }
    with write() as session:
        found = session.scalar(select(ListPrice).filter_by(**key))
        before = {"price": found.price, "per": found.per} if found else None
        if found is None:
            session.add(ListPrice(**key, price=price, per=per, valid_until=end))
        else:
            found.price, found.per, found.valid_until = price, per, end
        after = {"price": price, "per": per, "unit": key["unit"], "currency": key["currency"]}
        audit.record("product", sku, "list price set", before=before, after=after)
        emit("price.changed", {"source": "list", "product_ids": [product.id]})


def remove_list_price(sku: str, price_id: int) -> None:
    """Remove a list price of the product; NotFound if it is gone already."""
    product_id = product_of(sku).id
    with write() as session:
        found = session.scalar(select(ListPrice).where(ListPrice.id == price_id, ListPrice.product_id == product_id))
        if found is None:
            raise NotFound("PRICE-UNKNOWN", _("This price is gone already."))
        before = {"price": found.price, "per": found.per, "unit": found.unit, "currency": found.currency}
        session.delete(found)
        audit.record("product", sku, "list price removed", before=before)
        emit("price.changed", {"source": "list", "product_ids": [product_id]})


def tax_rates() -> list[TaxRate]:
    """Return the tax rates by country, category and start."""
    order = TaxRate.country, TaxRate.category, TaxRate.valid_from.desc()
    return list(db.session.scalars(select(TaxRate).order_by(*order)))


def set_tax_rate(country: str, category: str, rate: Decimal, first: date) -> None:
    """Let a rate hold from ``first`` on, or correct the one that begins on that day."""
    if not 0 <= rate <= 100:
        raise Invalid("TAX-RATE", _("A rate is between 0 and 100 percent."))
    with write() as session:
        found = session.scalar(
            select(TaxRate).where(TaxRate.country == country, TaxRate.category == category, TaxRate.valid_from == first)
        )
        before = {"rate": found.rate} if found else None
        if found is None:
            session.add(TaxRate(country=country, category=category, rate=rate, valid_from=first))
        else:
            found.rate = rate
        audit.record("tax rate", f"{country}/{category}", "set", before=before, after={"rate": rate, "from": first})


def _window(first: date | None, last: date | None, zone: str) -> tuple[Any, Any]:
    if first and last and last < first:
        raise Invalid("PRICE-DATES", _("The last day is before the first."))
    return start_of_day(first, zone) if first else BEGINNING, end_of_day(last, zone) if last else None


def first_day(start: datetime, zone: ZoneInfo) -> date | None:
    """Return the first day of a validity, None where it has always held."""
    return None if start <= BEGINNING else start.astimezone(zone).date()


def last_day(end: datetime | None, zone: ZoneInfo) -> date | None:
    """Return the last day of a validity, as people write it."""
    return None if end is None else end.astimezone(zone).date() - timedelta(days=1)
