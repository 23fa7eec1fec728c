"""What the back-office lists about agreements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Float, Select, and_, bindparam, case, cast, extract, func, or_, select, type_coerce

from core.api.catalog import Category, Product
from core.api.companies import Company
from core.api.data import Instant, clock
from core.api.i18n import translations
from core.api.pricing import MICROS
from core.api.ui import Field, Resource, View

from .forms import STATUSES
from .models import Agreement, Entry
from .standing import PROGRESS

_, _l, ngettext, _p = translations(__name__)
LIST = "volume_agreements.agreements"
_USED = (
    select(func.coalesce(func.sum(Entry.reserved) + func.sum(Entry.committed), 0))
    .where(Entry.agreement_id == Agreement.id)
    .correlate(Agreement)
    .scalar_subquery()
)


def _progress() -> Any:
    """Return Standing.progress as SQL: floats are good enough to compare a share of days with one of quantities."""
    now = bindparam("now_for_progress", callable_=clock.now, type_=Instant)
    begins, ends, here = (cast(extract("epoch", at), Float) for at in (Agreement.valid_from, Agreement.valid_until, now))
    used, quantity = (cast(type_coerce(figure, BigInteger), Float) for figure in (_USED, Agreement.quantity))
    return case(
        (or_(Agreement.status == "draft", and_(Agreement.status == "active", Agreement.valid_from > now)), ""),
        (used >= quantity, "used_up"),
        (or_(Agreement.status == "ended", Agreement.valid_until <= now), "short"),
        (quantity * (here - begins) / (ends - begins) - used >= MICROS, "behind"),
        else_="on",
    )


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.join(Company, Company.id == Agreement.company_id)
        .outerjoin(Product, Product.id == Agreement.product_id)
        .outerjoin(Category, Category.id == Agreement.category_id)
    )


AGREEMENTS = Resource(
    key=LIST,
    title=_l("Volume agreements"),
    id=Agreement.id,
    code="code",
    source=_source,
    fields=(
        Field("code", _l("Code"), Agreement.code, "code", search=True),
        Field("name", _l("Name"), Agreement.name, search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("product", _l("Article"), Product.sku, "code", search=True, on_card=False),
        Field("category", _l("Category"), Category.code, "code", search=True, shown=False, on_card=False),
        Field("quantity", _l("Agreed"), Agreement.quantity, "quantity", extra="unit"),
        Field("used", _l("Ordered"), _USED, "quantity", extra="unit"),
        Field("unit", _l("Unit"), Agreement.unit, shown=False, column=False),
        Field("until", _l("Ends"), Agreement.valid_until, "day", on_card=False),
        Field("status", _l("Status"), Agreement.status, "state", choices=lambda: STATUSES),
        Field(
            "progress",
            _l("Progress"),
            _progress(),
            choices=lambda: PROGRESS,
            show=lambda v: dict(PROGRESS).get(v, ""),
            sort=False,
            on_card=False,
        ),
        Field("changed", _l("Changed"), Agreement.updated_at, "instant", shown=False),
    ),
    order="code",
    endpoint="volume_agreements_admin.agreement",
    search_label=_l("Find by code, name, company or article"),
    count=lambda number: ngettext("%(count)s agreement", "%(count)s agreements", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("behind", _l("Behind schedule"), {"progress": "behind"}),
        View("draft", _l("Drafts"), {"status": "draft"}),
        View("ended", _l("Ended"), {"status": "ended"}),
    ),
)
