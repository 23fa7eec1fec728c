"""Rules and reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.api.companies import seller
from core.api.i18n import pick, translations
from core.api.ui import money_text, percent_text

from .models import Rule

_, _l, ngettext, _p = translations(__name__)


def sentence(rule: Rule) -> str:
    """Return what the rule asks for, as one readable sentence."""
    parts = []
    if rule.min_spend is not None:
        parts.append(_("bought for %(amount)s at least", amount=money_text(rule.min_spend, seller().currency)))
    if rule.min_orders is not None:
        parts.append(ngettext("%(count)s order at least", "%(count)s orders at least", rule.min_orders))
    if rule.min_share is not None:
        name = pick(rule.category.name) if rule.category is not None else _("a category that is gone")
        parts.append(_("%(percent)s of it %(category)s at least", percent=percent_text(rule.min_share), category=name))
    window = ngettext("in the last %(count)s day", "in the last %(count)s days", rule.window_days)
    if parts:
        parts[-1] = f"{parts[-1]}, {window}"
    if rule.countries:
        parts.append(_("country %(countries)s", countries=", ".join(rule.countries)))
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def reason(figures: Mapping[str, Any], cause: str = "rule") -> str:
    """Return why a company moved: its figures then, and what they lacked."""
    if cause == "ended":
        return _("The rule was deleted.")
    texts = [
        _("bought for %(amount)s", amount=money_text(Decimal(figures["spend"]), figures["currency"])),
        ngettext("%(count)s order", "%(count)s orders", figures["orders"]),
    ]
    if Decimal(figures["share"]):
        texts.append(_("%(percent)s in the category", percent=percent_text(Decimal(figures["share"]))))
    if figures["country"]:
        texts.append(_("country %(countries)s", countries=figures["country"]))
    text = ", ".join(texts)
    lacking = ", ".join(str(LACKING[name]) for name in figures["failed"])
    if not lacking:
        return text
    missing = _("too little: %(what)s", what=lacking)
    return f"{text} ({missing})"


LACKING = {
    "spend": _l("spend"),
    "orders": _l("orders"),
    "share": _l("share of the category"),
    "country": _l("country"),
}
