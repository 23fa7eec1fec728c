"""What the back-office lists about the catalogue: products, and companies' own item codes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, literal
from sqlalchemy.orm import aliased

from core.catalog.forms import category_choices
from core.catalog.models import Category, ItemCode, Product, ProductText
from core.catalog.saving import STATUSES
from core.catalog.structure import tree
from core.companies.models import Company
from core.i18n import _l, current_locale, ngettext
from core.ui.resource import Field, Resource, View
from core.ui.states import state_of

Own = aliased(ProductText)
English = aliased(ProductText)


def _products(statement: Select[Any]) -> Select[Any]:
    for text, locale in ((Own, current_locale()), (English, "en")):
        statement = statement.outerjoin(text, and_(text.product_id == Product.id, text.locale == locale))
    return statement.outerjoin(Category, Category.id == Product.category_id)


def _category_name(code: str | None) -> str:
    node = tree().by_code.get(code or "")
    return node.name if node else ""


PRODUCTS = Resource(
    key="catalog.products",
    title=_l("Products"),
    id=Product.id,
    code="sku",
    source=_products,
    fields=(
        Field("sku", _l("Code"), Product.sku, "code", search=True),
        Field("name", _l("Name"), func.coalesce(Own.name, English.name, Product.sku), search=True),
        Field("category", _l("Category"), Category.code, choices=category_choices, show=_category_name),
        Field("status", _l("Status"), Product.status, "state", choices=lambda: [(s, state_of(s).label) for s in STATUSES]),
        Field("base_unit", _l("Unit"), Product.base_unit),
        Field("gtin", _l("GTIN"), Product.gtin, "code", search=True, shown=False),
        Field("manufacturer", _l("Manufacturer"), Product.manufacturer, on_card=False),
        Field("manufacturer_code", _l("Manufacturer's code"), Product.manufacturer_code, search=True, shown=False),
        Field("tax_class", _l("Tax class"), Product.tax_class, shown=False),
        Field("weight", _l("Weight, kg"), Product.weight_kg, "quantity", shown=False),
        Field("updated", _l("Changed"), Product.updated_at, "day", on_card=False),
    ),
    order="sku",
    endpoint="catalog_admin.product",
    search_label=_l("Find by code, name or GTIN"),
    count=lambda number: ngettext("%(count)s product", "%(count)s products", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("blocked", _l("Blocked"), {"status": "blocked"}),
        View("discontinued", _l("Discontinued"), {"status": "discontinued"}),
    ),
)


def _item_codes(statement: Select[Any]) -> Select[Any]:
    return statement.join(Product, Product.id == ItemCode.product_id).join(Company, Company.id == ItemCode.company_id)


ITEM_CODES = Resource(
    key="catalog.item_codes",
    title=_l("Item codes of companies"),
    id=ItemCode.id,
    code="key",
    source=_item_codes,
    fields=(
        Field("code", _l("Its code"), ItemCode.code, "code", search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("company_code", _l("Company's code"), Company.code, "code", search=True, shown=False),
        Field("sku", _l("Product"), Product.sku, "code", search=True),
        # a company's code has no space, so the first one ends it
        Field(
            "key",
            _l("Key"),
            Company.code + literal(" ") + ItemCode.code,
            shown=False,
            column=False,
            filter=False,
            sort=False,
        ),
    ),
    order="code",
    search_label=_l("Find by code, company or product"),
    count=lambda number: ngettext("%(count)s item code", "%(count)s item codes", number),
)
