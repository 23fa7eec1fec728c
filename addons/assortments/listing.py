"""What the back-office lists: assortments, and the rows of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, case, func, literal, select

from core.api.catalog import Category, Product, ProductText
from core.api.companies import Company, Segment
from core.api.i18n import current_locale, pick, translations
from core.api.ui import Field, Resource, View

from .models import Assortment, AssortmentRow
from .wording import AUDIENCES, MODES, SHORT_AUDIENCES, SHORT_MODES, STATUSES

_, _l, ngettext, _p = translations(__name__)
_COUNT = (
    select(func.count())
    .select_from(AssortmentRow)
    .where(AssortmentRow.assortment_id == Assortment.id)
    .correlate(Assortment)
    .scalar_subquery()
)
KINDS = (("product", _l("Product")), ("category", _l("Category")))


def _source(statement: Select[Any]) -> Select[Any]:
    return statement.outerjoin(Company, Company.id == Assortment.company_id).outerjoin(
        Segment, Segment.id == Assortment.segment_id
    )


ASSORTMENTS = Resource(
    key="assortments.assortments",
    title=_l("Assortments"),
    id=Assortment.id,
    code="code",
    source=_source,
    fields=(
        Field("code", _l("Code"), Assortment.code, "code", search=True),
        Field("name", _l("Name"), Assortment.name, search=True),
        Field("mode", _l("What is seen"), Assortment.mode, choices=lambda: MODES, show=lambda v: SHORT_MODES.get(v, v)),
        Field(
            "audience",
            _l("For whom"),
            Assortment.audience,
            choices=lambda: AUDIENCES,
            show=lambda v: SHORT_AUDIENCES.get(v, v),
            on_card=False,
        ),
        Field("company", _l("Company"), Company.name, search=True),
        Field("segment", _l("Segment"), Segment.code, "code", search=True, on_card=False),
        Field("country", _l("Country"), Assortment.country, "code", shown=False, on_card=False),
        Field("rows", _l("Rows"), _COUNT, "number", on_card=False),
        Field("status", _l("Status"), Assortment.status, "state", choices=lambda: STATUSES),
        Field("until", _l("Ends"), Assortment.valid_until, "day", on_card=False),
        Field("changed", _l("Changed"), Assortment.updated_at, "instant", shown=False),
    ),
    order="code",
    endpoint="assortments_admin.assortment",
    search_label=_l("Find by code, name, company or segment"),
    count=lambda number: ngettext("%(count)s assortment", "%(count)s assortments", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("draft", _l("Drafts"), {"status": "draft"}),
        View("ended", _l("Ended"), {"status": "ended"}),
    ),
)


def _rows(statement: Select[Any]) -> Select[Any]:
    text = and_(ProductText.product_id == Product.id, ProductText.locale == current_locale())
    return (
        statement.join(Assortment, Assortment.id == AssortmentRow.assortment_id)
        .outerjoin(Product, Product.id == AssortmentRow.product_id)
        .outerjoin(ProductText, text)
        .outerjoin(Category, Category.id == AssortmentRow.category_id)
    )


#: A product by its SKU, a category by * and its code, as people write them.
_NAMED = func.coalesce(Product.sku, literal("*") + Category.code)
ROWS = Resource(
    key="assortments.rows",
    title=_l("Goods of an assortment"),
    id=AssortmentRow.id,
    code="key",
    source=_rows,
    fields=(
        Field("code", _l("Code"), _NAMED, "code", search=True),
        Field(
            "kind",
            _l("Kind"),
            case((AssortmentRow.product_id.is_not(None), "product"), else_="category"),
            choices=lambda: KINDS,
            on_card=False,
            show=lambda v: dict(KINDS).get(v, v),
        ),
        Field("product", _l("Product"), ProductText.name, search=True),
        Field(
            "category",
            _l("Category"),
            Category.name,
            show=lambda names: pick(names) if names else "",
            filter=False,
            sort=False,
        ),
        Field("status", _l("Status"), func.coalesce(Product.status, ""), "state", filter=False, on_card=False, shown=False),
        Field("assortment", _l("Assortment"), Assortment.code, "code", shown=False, column=False),
        # a code has no space, so the first one ends that of the assortment
        Field(
            "key", _l("Key"), Assortment.code + literal(" ") + _NAMED, shown=False, column=False, filter=False, sort=False
        ),
    ),
    order="code",
    search_label=_l("Find by code or name"),
    count=lambda number: ngettext("%(count)s row", "%(count)s rows", number),
    views=(
        View("all", _l("All")),
        View("products", _l("Products"), {"kind": "product"}),
        View("categories", _l("Categories"), {"kind": "category"}),
    ),
)
