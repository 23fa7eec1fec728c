"""What waits for the reader's decision, on the home page of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.data import current_actor
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations

from . import inbox, reasons
from .permissions import DECIDE

_, _l, ngettext, _p = translations(__name__)
FIRST = 5


def mine(_context: PageContext) -> Mapping[str, Any] | None:
    """Return the orders that wait for the reader the longest, and how many more do; nothing where none does."""
    if current_actor().user_id is None:
        return None
    asked = [s for s in inbox.standing() if s.mine or s.instead]
    if not asked:
        return None
    first = asked[:FIRST]
    whys = reasons.why([s.one.flow for s in first])
    rows = [(s.one.order, s.one.approval, why) for s, why in zip(first, whys, strict=True)]
    tab = "mine" if any(s.mine for s in asked) else "instead"
    return {"rows": rows, "count": len(asked), "list_url": inbox.address(tab)}


PANELS = (
    Panel(
        "approvals", "storefront.home", "main", "approval_chain/waiting_home.html", mine, _l("Waits for your decision"),
        DECIDE, 5,
    ),
)  # fmt: skip
