"""Cards that domains and addons put on the back-office's home; one that fails hurts only itself."""

from __future__ import annotations

from core.data.scope import actor_or_none
from core.registry.registry import registry
from core.spec.ui import CARD_SIZES, PageContext
from core.ui.slots import Filled, fill

HOME = PageContext("backoffice.home")


def cards() -> dict[str, list[Filled]]:
    """Return the cards that the actor may see, by size, in order."""
    actor = actor_or_none()
    found: dict[str, list[Filled]] = {size: [] for size in CARD_SIZES}
    for contribution in registry().contributions("ui_cards"):
        card = contribution.value
        if not card.permission or (actor is not None and actor.may(card.permission)):
            found[card.size].extend(fill(contribution, HOME, "ui_cards"))
    return found
