"""Rows in words: what they are for, and what they do."""

from __future__ import annotations

from typing import Any

from core.api.i18n import translations
from core.api.pricing import from_micro
from core.api.ui import percent_text, plain

from . import query

_, _l, ngettext, _p = translations(__name__)

KIND_LABELS = {
    "fixed": _l("Fixed price"),
    "percent": _l("Percent off the list price"),
    "amount_off": _l("Amount off the list price"),
    "cost_plus": _l("Cost plus percent"),
    "formula": _l("Formula"),
}


def selector_text(row: Any) -> object:
    """Return what a row of the statement is for."""
    if row[query.TARGET] > 0:
        return _l("This product")
    if row[query.TARGET] == 0:
        return _l("All products")
    return _l("Category %(code)s", code=(row[query.PATH] or "").rstrip("/").rsplit("/", 1)[-1])


def rule_text(row: Any) -> object:
    """Return what a row of the statement does."""
    value = from_micro(row[query.VALUE])
    if row[query.KIND] == "percent":
        return _l("%(percent)s off the list price", percent=percent_text(value))
    if row[query.KIND] == "amount_off":
        return _l("%(amount)s off the list price", amount=plain(value))
    return KIND_LABELS[row[query.KIND]]
