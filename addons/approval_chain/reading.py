"""Read a rule's conditions as people and files write them, strictly; the one place that says what a condition may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.catalog import Product
from core.api.companies import Company
from core.api.data import db
from core.api.hooks import Invalid, OrderFact
from core.api.i18n import read_number, translations
from core.api.ui import typed_number

_, _l, ngettext, _p = translations(__name__)
FIGURES = {
    ">": _l("is above"),
    ">=": _l("is at least"),
    "<": _l("is below"),
    "<=": _l("is at most"),
    "=": _l("is exactly"),
}
CODES = {"in": _l("is or has one of"), "not_in": _l("is or has none of")}
OPERATORS = {**FIGURES, **CODES}
#: Figures whose codes are so many letters: no list of them is kept.
LETTERS = {"country": 2, "currency": 3}
#: Figures whose codes are those of records.
CODED: Mapping[str, Any] = {"sku": Product.sku, "company": Company.code}
LARGEST = Decimal(1_000_000_000_000)


def condition(
    specs: Mapping[str, OrderFact], fact: str, op: str, text: str, number: Callable[[str], Decimal] = read_number
) -> dict[str, Any]:
    """Return a condition as it is stored; Invalid, with ``field`` fact, op or value, where it cannot be.

    ``number`` reads a figure: as people write it, or as files do.
    """
    spec = specs.get(fact)
    if spec is None:
        raise _wrong("fact", _("There is no figure “%(name)s” that a rule could ask about.", name=fact))
    if op not in (FIGURES if spec.kind in ("money", "number", "percent") else CODES):
        raise _wrong("op", _("“%(fact)s” cannot be compared in this way.", fact=str(spec.title)))
    value: Any = _codes(spec, text) if op in CODES else _figure(text, number)
    return {"fact": fact, "op": op, "value": value}


def typed(said: Mapping[str, Any]) -> str:
    """Return a condition's value as people would type it."""
    value = said["value"]
    return ", ".join(value) if isinstance(value, list) else typed_number(Decimal(value))


def _figure(text: str, number: Callable[[str], Decimal]) -> str:
    try:
        value = number(text)
    except Invalid as error:
        raise _wrong("value", str(error.message)) from error
    if not -LARGEST <= value <= LARGEST or value != round(value, 6):
        raise _wrong("value", _("Use a smaller figure, with at most 6 decimals."))
    return str(value)


def _codes(spec: OrderFact, text: str) -> list[str]:
    wanted = list(dict.fromkeys(code.strip() for code in text.replace(";", ",").split(",") if code.strip()))
    if not wanted:
        raise _wrong("value", _("Name at least one, with commas between several."))
    if spec.key in LETTERS:
        wanted = [code.upper() for code in wanted]
        unknown = [code for code in wanted if len(code) != LETTERS[spec.key] or not code.isalpha()]
    elif spec.key in CODED:
        column = CODED[spec.key]
        unknown = sorted(set(wanted) - set(db.session.scalars(select(column).where(column.in_(wanted)))))
    else:
        known = {value for value, _label in spec.options()} if spec.options else set(wanted)
        unknown = [code for code in wanted if code not in known]
    if unknown:
        raise _wrong("value", _("“%(fact)s” knows no “%(code)s”.", fact=str(spec.title), code=unknown[0]))
    return wanted


def _wrong(field: str, text: str) -> Invalid:
    return Invalid("APPROVAL-CONDITION", text, details={"field": field})
