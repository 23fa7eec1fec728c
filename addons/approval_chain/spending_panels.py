"""What is left of limits by the period, where buyers look; and the limits on a company's page in the back-office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.data import current_actor
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations
from core.api.pricing import SEE_PRICES

from . import basis, limits, spending
from .permissions import LIMITS

_, _l, ngettext, _p = translations(__name__)


def mine(_context: PageContext) -> Mapping[str, Any] | None:
    """Return where the buyer stands with their limits; nothing where they have none."""
    found = spending.mine()
    if not found:
        return None
    return {"rows": [_bar(x) for x in found], "counted": basis.counted(current_actor().company_id)}


def _bar(left: spending.Left) -> dict[str, Any]:
    return {
        "spent": min(left.spent, left.amount) if left.amount else 1,
        "amount": left.amount or 1,
        "label": limits.sentence([left]),
        "note": "",
        "tone": "danger" if left.left <= 0 else "attention" if left.left * 5 < left.amount else "",
    }


def of_company(context: PageContext) -> Mapping[str, Any]:
    """Return the limits of the company that staff look at."""
    return {"rows": limits.shown(context.subject_id or 0), "code": context.subject_code}


def _mine(page: str, order: int = 100) -> Panel:
    return Panel("spending", page, "side", "approval_chain/spending.html", mine, _l("Your limits"), SEE_PRICES, order)


PANELS = (
    _mine("storefront.home", 15), _mine("storefront.cart", 90), _mine("storefront.checkout", 90),
    _mine("storefront.account"),
    Panel(
        "limits", "backoffice.company", "main", "approval_chain/panel_company.html", of_company, _l("Spending limits"),
        LIMITS, 60,
    ),
)  # fmt: skip
