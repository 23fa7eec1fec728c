"""What the addon shows on a company's page and a segment's page in the back-office: the assortments that concern it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.data import db
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations

from . import why
from .models import Assortment
from .permissions import VIEW
from .wording import SHORT_MODES, state

_, _l, ngettext, _p = translations(__name__)


def of_company(context: PageContext) -> Mapping[str, Any]:
    """Return what a company sees, and by which assortments."""
    return {"answer": why.explain(context.subject_code), "code": context.subject_code, "modes": SHORT_MODES}


def of_segment(context: PageContext) -> Mapping[str, Any]:
    """Return the assortments that a segment gives its companies."""
    query = (
        select(Assortment).where(Assortment.segment_id == context.subject_id).order_by(Assortment.status, Assortment.code)
    )
    found = [(one, state(one)) for one in db.session.scalars(query)]
    return {"assortments": found, "code": context.subject_code, "modes": SHORT_MODES}


PANELS = (
    Panel(
        key="assortments",
        page="backoffice.company",
        slot="main",
        template="assortments/panel_company.html",
        load=of_company,
        title=_l("Assortment"),
        permission=VIEW,
        order=43,
    ),
    Panel(
        key="assortments",
        page="backoffice.segment",
        slot="main",
        template="assortments/panel_segment.html",
        load=of_segment,
        title=_l("Assortments"),
        permission=VIEW,
        order=43,
    ),
)
