"""Import and export of what products cost and what their makers ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from core.api.catalog import Product
from core.api.data import db
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, Upsert, codes
from core.api.pricing import checked_currency

from .models import MEASURES, ProductValue
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)


def load_values(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert what products cost, or what their maker asks, net for one base unit."""
    batch = Batch(rows, "sku", "kind")
    products = codes(Product.sku, Product.id, batch.all("sku"))
    table = Upsert(ProductValue, ("product_id", "kind")).read(ProductValue.product_id.in_(products.values()))
    for row in batch:
        given = row.values
        if given["sku"] not in products:
            batch.unknown(row, "sku", _("product"))
        elif given["amount"] < 0:
            batch.fail(row, "amount", _("An amount cannot be negative."))
        else:
            try:
                values = {"currency": checked_currency(given["currency"]), "amount": given["amount"]}
            except Invalid as error:
                batch.fail(row, "currency", error.message)
                continue
            batch.done(row, table.put((products[given["sku"]], given["kind"]), values))
    table.flush()
    return batch.results()


def export_values() -> Iterator[dict[str, Any]]:
    """Yield costs and makers' prices by SKU."""
    query = select(ProductValue, Product.sku).join(Product, Product.id == ProductValue.product_id)
    for value, sku in db.session.execute(query.order_by(Product.sku, ProductValue.kind)):
        yield {"sku": sku, "kind": value.kind, "currency": value.currency, "amount": value.amount}


PRODUCT_VALUES = DataImport(
    kind="product_values",
    title=_l("Costs and makers' prices"),
    key=("sku", "kind"),
    fields=(
        ImportField("sku", required=True, max_length=80),
        ImportField("kind", "choice", required=True, choices=MEASURES),
        ImportField("currency", required=True, max_length=3),
        ImportField("amount", "decimal", required=True),
    ),
    load=load_values,
    permission=EDIT,
    export=export_values,
    order=200,
)
