"""Rebates in words: steps, and what a value gives."""

from __future__ import annotations

from decimal import Decimal

from core.api.i18n import translations
from core.api.ui import money_text, percent_text, price_text, quantity_text, unit_text

from .models import Rebate

_, _l, ngettext, _p = translations(__name__)


def value(rebate: Rebate, given: Decimal) -> str:
    """Return what a step gives: a percent, or an amount for each unit."""
    if rebate.kind == "percent":
        return percent_text(given)
    return _(
        "%(amount)s for each %(unit)s",
        amount=price_text(given, rebate.currency),
        unit=unit_text(rebate.unit),
    )


def basis(rebate: Rebate, amount: Decimal) -> str:
    """Return an amount of what thresholds compare, with its currency or unit."""
    return money_text(amount, rebate.currency) if rebate.basis == "net" else quantity_text(amount, rebate.unit)


def terms(rebate: Rebate) -> str:
    """Return how steps count, in a sentence."""
    if rebate.mode == "retroactive":
        return _("The step that is reached counts for everything, from the first unit.")
    return _("Each step counts only for what lies above its threshold.")
