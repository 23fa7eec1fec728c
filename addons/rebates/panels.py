"""What the addon shows on other pages: a company's rebates, and proposals that wait for finance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.companies import ancestors
from core.api.data import db
from core.api.hooks import Card, PageContext, Panel
from core.api.i18n import translations

from . import settling, standing, wording
from .models import Rebate
from .permissions import SETTLE, VIEW

_, _l, ngettext, _p = translations(__name__)


def of_company(context: PageContext) -> Mapping[str, Any]:
    """Return the rebates of a company and its parents as they stand now."""
    ids = ancestors(context.subject_id) if context.subject_id else ()
    query = select(Rebate).where(Rebate.company_id.in_(ids), Rebate.status == "active").order_by(Rebate.code)
    found = standing.current(db.session.scalars(query))
    return {"standings": found, "words": wording, "code": context.subject_code}


def waiting(_context: PageContext) -> Mapping[str, Any] | None:
    """Return how many proposals wait for finance, None where none does."""
    count = settling.open_count()
    return {"count": count} if count else None


PANELS = (
    Panel(
        key="rebates",
        page="backoffice.company",
        slot="main",
        template="rebates/panel_company.html",
        load=of_company,
        title=_l("Rebates"),
        permission=VIEW,
        order=47,
    ),
)
CARDS = (
    Card("settlements", "rebates/card_waiting.html", waiting, size="queue", permission=SETTLE, order=60),
)  # fmt: skip
