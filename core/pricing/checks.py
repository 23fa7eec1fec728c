"""What may be wrong with prices, tax and currencies; one statement or two for each check."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, or_, select

from core.catalog.models import Product
from core.companies.models import Company
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.i18n import _, _l, ngettext
from core.pricing.converted import wanted
from core.pricing.currency import RateMissing, rates
from core.pricing.models import ListPrice, TaxRate
from core.spec.app import ConfigCheck, ConfigFinding
from core.spec.errors import NotFound


def tax_of_the_country() -> Iterator[ConfigFinding]:
    """Find out whether the seller's own country has a standard rate today."""
    try:
        country, zone = seller().country, seller().zone
    except NotFound:
        return  # the seller's own check says so
    today = clock.today(zone)
    holds = (TaxRate.valid_from <= today, or_(TaxRate.valid_until.is_(None), TaxRate.valid_until > today))
    standard = select(TaxRate.id).where(TaxRate.country == country, TaxRate.category == "standard", *holds)
    if db.session.scalar(standard.limit(1)) is None:
        text = _(
            "There is no standard VAT rate for %(country)s, the seller's country. Orders cannot be priced.", country=country
        )
        yield ConfigFinding("TAX-RATE-MISSING", "error", text, _("Open the tax rates"), "pricing_admin.tax_rates")


def currencies_have_rates() -> Iterator[ConfigFinding]:
    """Find currencies of companies that cannot be converted into the seller's."""
    try:
        base, zone = seller().currency, seller().zone
    except NotFound:
        return
    used = select(Company.currency, func.count(Company.id)).where(Company.status == "active").group_by(Company.currency)
    for currency, count in db.session.execute(used.order_by(Company.currency)):
        if currency == base:
            continue
        try:
            rates([(currency, base)], clock.today(zone))
        except RateMissing:
            text = ngettext(
                "%(count)s company buys in %(currency)s, for which there is no rate to %(base)s. Figures leave it out.",
                "%(count)s companies buy in %(currency)s, for which there is no rate to %(base)s. Figures leave them out.",
                count,
                currency=currency,
                base=base,
            )
            yield ConfigFinding("RATE-MISSING", "warning", text, _("Import rates"), "imports.index")


def list_prices_convert() -> Iterator[ConfigFinding]:
    """Find currencies of companies into which list prices are to be converted and cannot."""
    try:
        base, zone = seller().currency, seller().zone
    except NotFound:
        return
    if not wanted():
        return
    used = select(Company.currency).where(Company.status == "active", Company.currency != base).distinct()
    for currency in db.session.scalars(used.order_by(Company.currency)):
        try:
            rates([(base, currency)], clock.today(zone))
        except RateMissing:
            text = _(
                "List prices cannot be converted from %(base)s to %(currency)s, for there is no rate: buyers are asked to "
                "inquire.",
                base=base, currency=currency,
            )  # fmt: skip
            yield ConfigFinding("PRICE-RATE-MISSING", "error", text, _("Import rates"), "imports.index")


def products_have_prices() -> Iterator[ConfigFinding]:
    """Count products on sale that have no list price today in any currency."""
    now = clock.now()
    priced = select(ListPrice.id).where(
        ListPrice.product_id == Product.id,
        ListPrice.valid_from <= now,
        or_(ListPrice.valid_until.is_(None), ListPrice.valid_until > now),
    )
    without = select(func.count(Product.id)).where(Product.status == "active", ~priced.exists())
    count = db.session.scalar(without) or 0
    if count:
        text = ngettext(
            "%(count)s product on sale has no list price. Buyers without a contract for it are asked to inquire.",
            "%(count)s products on sale have no list price. Buyers without a contract for them are asked to inquire.",
            count,
        )
        yield ConfigFinding("PRICE-MISSING", "warning", text, _("Open the products"), "catalog_admin.products")


CHECKS = (
    ConfigCheck("tax", _l("VAT of the seller's country"), tax_of_the_country, order=20),
    ConfigCheck("currencies", _l("Rates of the currencies in use"), currencies_have_rates, order=30),
    ConfigCheck("conversion", _l("List prices in other currencies"), list_prices_convert, order=35),
    ConfigCheck("prices", _l("List prices of products on sale"), products_have_prices, order=40),
)
