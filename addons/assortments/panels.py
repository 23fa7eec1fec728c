"""What the addon shows on a company's page in the back-office: the assortments that concern it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.hooks import PageContext, Panel
from core.api.i18n import translations

from . import why
from .permissions import VIEW
from .wording import SHORT_MODES

_, _l, ngettext, _p = translations(__name__)


def of_company(context: PageContext) -> Mapping[str, Any]:
    """Return what a company sees, and by which assortments."""
    return {"answer": why.explain(context.subject_code), "code": context.subject_code, "modes": SHORT_MODES}


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
)
