"""Rows in words: what they are for, and what they do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.api.i18n import translations
from core.api.pricing import from_micro
from core.api.ui import day_text, percent_text, plain, price_text, typed

from . import query
from .agreed import COMPUTED
from .formula_text import said
from .formulas import parsed, read_terms

_, _l, ngettext, _p = translations(__name__)

KIND_LABELS = {
    "fixed": _l("Fixed price"),
    "percent": _l("Percent off the list price"),
    "amount_off": _l("Amount off the list price"),
    "cost_plus": _l("Cost plus percent"),
    "formula": _l("Formula"),
}
#: The same where there is little room.
SHORT_KINDS = {
    "fixed": _l("Fixed price"),
    "percent": _l("Percent off list"),
    "amount_off": _l("Amount off list"),
    "cost_plus": _l("Cost plus %"),
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
    if row[query.KIND] in COMPUTED:
        return said(parsed(row[query.KIND], row[query.VALUE], row[query.TERMS]))
    return KIND_LABELS[row[query.KIND] or "fixed"]


def terms_text(
    kind: str, value: Decimal, per: Decimal, until: date | None, currency: str, terms: Mapping[str, Any] | None = None
) -> str:
    """Return what a stored row does, for how many units, and until which day, in words."""
    if kind == "formula":
        amount = said(read_terms(terms, value))
    else:
        amount = percent_text(value) if kind in ("percent", "cost_plus") else _worth(value, currency)
    told = amount if kind == "fixed" else f"{KIND_LABELS[kind]}: {amount}"
    if per != 1:
        told += f" / {typed(per)}"
    return f"{told}, {_('until %(day)s', day=day_text(until))}" if until else told


def _worth(value: Decimal, currency: str) -> str:
    """Return an amount of money; a contract for any currency names none."""
    return price_text(value, currency) if currency else typed(value)
