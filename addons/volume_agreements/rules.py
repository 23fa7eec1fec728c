"""What buyers are told in the cart: where only part of a line fits into an agreement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.api.hooks import CheckoutRule, Finding, OrderDraft, Stage
from core.api.i18n import translations
from core.api.ui import quantity_text

from . import engine

_, _l, ngettext, _p = translations(__name__)


def told(draft: OrderDraft) -> Sequence[Finding]:
    """Say of each line that is partly at an agreed price how much of it is; asks the database nothing."""
    found = []
    for line in draft.lines:
        drawn = sum(engine.drawn(line.price_source, line.base_quantity).values(), Decimal(0))
        if drawn and drawn < line.base_quantity:
            text = _(
                "%(sku)s: %(part)s of %(whole)s are left in your volume agreement; the rest is at the price without it.",
                sku=line.sku, part=quantity_text(drawn), whole=quantity_text(line.base_quantity),
            )  # fmt: skip
            found.append(Finding("VOLUME-PARTLY", "info", text))
    return found


RULES = (CheckoutRule("volume_partly", Stage.CART, told, order=90),)
