"""What the addon shows on other pages: a product's agreement in the shop, a company's agreements in the back-office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import ancestors
from core.api.data import db
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations
from core.api.pricing import context as price_context

from .models import Agreement
from .permissions import OWN, VIEW
from .pricing import terms_of
from .standing import in_force, named, standings

_, _l, ngettext, _p = translations(__name__)


def of_product(context: PageContext) -> Mapping[str, Any] | None:
    """Return how the buyer's agreements on the product stand; None where it has none, which costs no statement."""
    where = price_context()
    known = terms_of(where) if where.company_id is not None else ()
    if not known:
        return None
    row = db.session.execute(
        select(Product.base_unit, Category.path)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Product.id == context.subject_id)
    ).one()
    path = row.path or ""
    ids = [one.id for one in known if one.about(context.subject_id, path, row.base_unit)]
    found = in_force(ids)
    return {"standings": found} if found else None


def of_company(context: PageContext) -> Mapping[str, Any]:
    """Return the agreements of a company and its parents."""
    ids = ancestors(context.subject_id) if context.subject_id else ()
    query = select(Agreement).where(Agreement.company_id.in_(ids)).order_by(Agreement.valid_until.desc(), Agreement.code)
    found = list(db.session.scalars(query.limit(20)))
    return {"standings": standings(found), "named": named(found), "code": context.subject_code}


PANELS = (
    Panel(
        key="agreement",
        page="storefront.product",
        slot="side",
        template="volume_agreements/panel_product.html",
        load=of_product,
        title=_l("Your volume agreement"),
        permission=OWN,
        order=20,
    ),
    Panel(
        key="agreements",
        page="backoffice.company",
        slot="main",
        template="volume_agreements/panel_company.html",
        load=of_company,
        title=_l("Volume agreements"),
        permission=VIEW,
        order=45,
    ),
)
