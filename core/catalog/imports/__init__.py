"""The catalogue's kinds of import, contributed by the domain's plugin."""

from core.catalog.imports.exports import export_products
from core.catalog.imports.products import OPEN, STATUSES, TAX_CLASSES, load_products
from core.catalog.imports.tree import ATTRIBUTES, CATEGORIES
from core.catalog.imports.units import ITEM_CODES, UNITS
from core.i18n import _l
from core.imports.names import fields_per_locale
from core.spec.imports import DataImport, ImportField

PRODUCTS = DataImport(
    kind="products",
    title=_l("Products"),
    key=("sku",),
    fields=(
        ImportField("sku", required=True, max_length=80),
        *fields_per_locale("name", 250),
        *fields_per_locale("description", lines=True),
        ImportField("category", max_length=60),
        ImportField("gtin", max_length=14),
        ImportField("manufacturer", max_length=120),
        ImportField("manufacturer_code", max_length=80),
        ImportField("tax_class", "choice", choices=TAX_CLASSES),
        ImportField("base_unit", max_length=20),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("superseded_by", max_length=80),
        ImportField("weight_kg", "decimal"),
        ImportField("image", max_length=255),
        ImportField("source", max_length=40),
        ImportField("external_id", max_length=80),
    ),
    load=load_products,
    permission="catalog.product.manage",
    export=export_products,
    open_fields=OPEN,
    order=30,
)
IMPORTS: tuple[DataImport, ...] = (CATEGORIES, ATTRIBUTES, PRODUCTS, UNITS, ITEM_CODES)
