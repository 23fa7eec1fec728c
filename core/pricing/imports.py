"""Import and export of list prices, tax rates and currency rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.catalog.models import Product, ProductUnit
from core.companies.editing import checked_country
from core.companies.services import seller
from core.data import clock
from core.data.clock import end_of_day, start_of_day
from core.data.db import db
from core.i18n import _, _l
from core.i18n.currencies import checked_currency
from core.imports.batch import Batch
from core.imports.upsert import Upsert
from core.jobs.services import emit
from core.pricing.gross import domestic_rates, without_tax
from core.pricing.models import CurrencyRate, ListPrice, TaxRate
from core.pricing.tax import TaxRateMissing
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

#: A price without a first day has been valid since this one.
ALWAYS = date(1970, 1, 1)
CATEGORIES = ("standard", "reduced", "zero")
ONE_DAY = timedelta(days=1)


def load_list_prices(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert list prices; first and last day are days in the seller's zone, both included."""
    batch = Batch(rows, "sku", "unit", "currency", "from")
    zone = seller().zone
    query = select(Product.sku, ProductUnit.unit, Product.id, Product.tax_class)
    query = query.join(ProductUnit, ProductUnit.product_id == Product.id).where(Product.sku.in_(batch.all("sku")))
    found = db.session.execute(query).all()
    units = {(row.sku, row.unit): row.id for row in found}
    classes = {row.sku: row.tax_class for row in found}
    skus = set(classes)
    table = Upsert(ListPrice, ("product_id", "unit", "currency", "valid_from")).read(
        ListPrice.product_id.in_(set(units.values()))
    )
    changed = set()
    for row in batch:
        values = row.values
        if values["sku"] not in skus:
            batch.unknown(row, "sku", _("product"))
        elif (values["sku"], values["unit"]) not in units:
            message = _("The product is not sold in “%(unit)s”; import the unit first.", unit=values["unit"])
            batch.fail(row, "unit", message)
        elif _priced_well(batch, row) and (net := _net(batch, row, classes[values["sku"]], zone)) is not None:
            product_id = units[values["sku"], values["unit"]]
            key = (product_id, values["unit"], values["currency"].upper(), start_of_day(values.get("from", ALWAYS), zone))
            outcome = table.put(
                key, _price_values({**values, "price": net}, zone), new={"per": Decimal(1), "valid_until": None}
            )
            batch.done(row, outcome)
            changed |= {product_id} if outcome != "unchanged" else set()
    table.flush()
    if changed:
        emit("price.changed", {"source": "list", "product_ids": sorted(changed)})
    return batch.results()


def _net(batch: Batch, row: ImportRow, tax_class: str, zone: str) -> Decimal | None:
    """Return the price without tax, at the rate of its first day where it includes that; None where there is no rate."""
    price: Decimal = row.values["price"]
    if not row.values.get("with_tax"):
        return price
    try:
        rate = domestic_rates({tax_class}, row.values.get("from") or clock.today(zone))[tax_class]
    except TaxRateMissing as missing:
        batch.fail(row, "with_tax", missing.message)
        return None
    return without_tax(price, rate)


def _price_values(values: Mapping[str, Any], zone: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {"price": values["price"]}
    if "per" in values:
        wanted["per"] = values["per"]
    if "until" in values:
        wanted["valid_until"] = end_of_day(values["until"], zone)
    return wanted


def _priced_well(batch: Batch, row: ImportRow) -> bool:
    """Refuse a row that breaks a rule of prices."""
    values = row.values
    if values["price"] < 0:
        batch.fail(row, "price", _("A price cannot be negative. For something free write 0."))
    elif values.get("per", Decimal(1)) <= 0:
        batch.fail(row, "per", _("It must be above zero: the price is for so many units."))
    else:
        return not _reversed(batch, row) and _currency_known(batch, row, "currency")
    return False


def _reversed(batch: Batch, row: ImportRow) -> bool:
    """Refuse a row whose last day is before the first."""
    first, last = row.values.get("from"), row.values.get("until")
    if first and last and last < first:
        batch.fail(row, "until", _("The last day is before the first, %(day)s; swap the two.", day=first.isoformat()))
        return True
    return False


def _currency_known(batch: Batch, row: ImportRow, *fields: str, past: bool = False) -> bool:
    for field in fields:
        try:
            checked_currency(row.values[field], past=past)
        except Invalid as error:
            batch.fail(row, field, error.message)
            return False
    return True


def export_list_prices() -> Iterator[dict[str, Any]]:
    """Yield the list prices by SKU, with the days in the seller's zone."""
    zone = ZoneInfo(seller().zone)
    query = select(ListPrice, Product.sku).join(Product, Product.id == ListPrice.product_id)
    for price, sku in db.session.execute(
        query.order_by(Product.sku, ListPrice.unit, ListPrice.currency, ListPrice.valid_from)
    ):
        first = _day(price.valid_from, zone)
        last = _day(price.valid_until, zone) - ONE_DAY if price.valid_until else None
        yield {
            "sku": sku,
            "unit": price.unit,
            "currency": price.currency,
            "from": None if first == ALWAYS else first,
            "price": price.price,
            "per": price.per,
            "until": last,
        }


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def load_tax_rates(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert VAT rates in percent; the last day is included."""
    batch = Batch(rows, "country", "category", "from")
    table = Upsert(TaxRate, ("country", "category", "valid_from")).read(
        TaxRate.country.in_({country.upper() for country in batch.all("country")})
    )
    for row in batch:
        values = row.values
        try:
            country = checked_country(values["country"])
        except Invalid as error:
            batch.fail(row, "country", error.message)
            continue
        if not 0 <= values["rate"] <= 100:
            batch.fail(row, "rate", _("A rate is between 0 and 100 per cent."))
        elif not _reversed(batch, row):
            wanted = {"rate": values["rate"]}
            if "until" in values:
                wanted["valid_until"] = values["until"] + ONE_DAY
            batch.done(row, table.put((country, values["category"], values["from"]), wanted, new={"valid_until": None}))
    table.flush()
    return batch.results()


def export_tax_rates() -> Iterator[dict[str, Any]]:
    """Yield the VAT rates by country."""
    for rate in db.session.scalars(select(TaxRate).order_by(TaxRate.country, TaxRate.category, TaxRate.valid_from)):
        last = rate.valid_until - ONE_DAY if rate.valid_until else None
        row = {"country": rate.country, "category": rate.category, "from": rate.valid_from}
        yield {**row, "rate": rate.rate, "until": last}


def load_currency_rates(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert currency rates: how many units of ``to`` one unit of ``from`` costs on a day."""
    batch = Batch(rows, "from", "to", "date")
    table = Upsert(CurrencyRate, ("source", "target", "day")).read(CurrencyRate.day.in_(batch.all("date")))
    for row in batch:
        values = row.values
        source, target = values["from"].upper(), values["to"].upper()
        if not _currency_known(batch, row, "from", "to", past=True):
            continue
        if values["rate"] <= 0:
            batch.fail(row, "rate", _("A rate is above zero."))
        elif source == target:
            batch.fail(row, "to", _("The two currencies are the same."))
        else:
            wanted = {"rate": values["rate"], **({"origin": values["source"]} if "source" in values else {})}
            batch.done(row, table.put((source, target, values["date"]), wanted, new={"origin": ""}))
    table.flush()
    return batch.results()


def export_currency_rates() -> Iterator[dict[str, Any]]:
    """Yield the currency rates by day."""
    query = select(CurrencyRate).order_by(CurrencyRate.day, CurrencyRate.source, CurrencyRate.target)
    for rate in db.session.scalars(query):
        row = {"from": rate.source, "to": rate.target, "date": rate.day}
        yield {**row, "rate": rate.rate, "source": rate.origin}


LIST_PRICES = DataImport(
    kind="list_prices",
    title=_l("List prices"),
    key=("sku", "unit", "currency", "from"),
    fields=(
        ImportField("sku", required=True, max_length=80),
        ImportField("unit", required=True, max_length=20),
        ImportField("currency", required=True, max_length=3),
        ImportField("from", "date"),
        ImportField("price", "decimal", required=True),
        ImportField("per", "decimal"),
        ImportField("until", "date"),
        ImportField("with_tax", "boolean"),
    ),
    load=load_list_prices,
    permission="pricing.price.manage",
    export=export_list_prices,
    order=50,
)
TAX_RATES = DataImport(
    kind="tax_rates",
    title=_l("Tax rates"),
    key=("country", "category", "from"),
    fields=(
        ImportField("country", "country", required=True),
        ImportField("category", "choice", required=True, choices=CATEGORIES),
        ImportField("from", "date", required=True),
        ImportField("rate", "decimal", required=True),
        ImportField("until", "date"),
    ),
    load=load_tax_rates,
    permission="pricing.tax.manage",
    export=export_tax_rates,
    order=5,
)
CURRENCY_RATES = DataImport(
    kind="currency_rates",
    title=_l("Currency rates"),
    key=("from", "to", "date"),
    fields=(
        ImportField("from", required=True, max_length=3),
        ImportField("to", required=True, max_length=3),
        ImportField("date", "date", required=True),
        ImportField("rate", "decimal", required=True),
        ImportField("source", max_length=60),
    ),
    load=load_currency_rates,
    permission="pricing.rate.manage",
    export=export_currency_rates,
    order=6,
)
IMPORTS: tuple[DataImport, ...] = (TAX_RATES, CURRENCY_RATES, LIST_PRICES)
