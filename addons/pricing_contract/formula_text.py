"""A formula as it stands in a cell, and in words: “cost +20% round 0.05 up +0.10 min 0.50”.

The base comes first (list, cost, msrp or contract:CODE; the list price where none is named), then percents on (+) and off
(-) it, each of what the last left or, after “sum”, all of the base, then “round” and a step, an amount added or taken off,
and the least and most above the base. It is computed in this order whatever the order in the cell (semantics: formulas.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from core.api.hooks import Invalid
from core.api.i18n import read_number, translations
from core.api.ui import percent_text, typed

from .formulas import CONTRACT, HUNDRED, Terms, read_terms
from .models import MEASURES
from .rules import LIMIT

_, _l, ngettext, _p = translations(__name__)
BASES = {"list": _l("list price"), "cost": _l("cost"), "msrp": _l("recommended retail price")}
PLACES = 6
#: What a file says in its column ``additive`` where percents are summed.
YES = frozenset({"yes", "y", "true", "1", "x", "kyllä", "tak", "evet"})
#: What pages and refusals show.
EXAMPLES = (
    Terms("cost", (Decimal(-20),), round_to=Decimal("0.05"), round_mode="up", surcharge=Decimal("0.1")),
    Terms("list", (Decimal(10), Decimal(3)), min_margin=Decimal("0.5")),
)
_TOKEN = re.compile(r"contract:\S+|[a-z]\w*|[+-]?\d[^\s%+-]*%?|\S+", re.IGNORECASE)
_BEGINNING = re.compile(r"(list|cost|msrp|contract:\S+)(?=[\s+-]|$)", re.IGNORECASE)
_SPACES = re.compile(r"(?<=[+-])\s+|\s+(?=%)")
_LIMITS = {"min": "min_margin", "max": "max_margin"}


def written(terms: Terms) -> str:
    """Return the formula as one types it, in the reader's numbers."""
    parts = [terms.base, *(["sum"] if terms.additive else [])]
    parts += [f"{_signed(-percent)}%" for percent in terms.percent]
    if terms.round_to:
        parts += ["round", typed(terms.round_to), *([terms.round_mode] if terms.round_mode != "half_up" else [])]
    if terms.surcharge:
        parts.append(_signed(terms.surcharge))
    for word, name in _LIMITS.items():
        if getattr(terms, name) is not None:
            parts += [word, typed(getattr(terms, name))]
    return " ".join(parts)


def cell_of(columns: Mapping[str, str]) -> str:
    """Return the formula that the columns of a file say, as one types it; `read` says what is wrong in it."""
    given = {name: text.strip() for name, text in columns.items() if text and text.strip()}
    percents = [part.strip() for part in given.get("percents", given.get("value", "")).split(";") if part.strip()]
    parts = [given.get("base", "list"), *(["sum"] if given.get("additive", "").lower() in YES else [])]
    parts += [f"{_turned(percent)}%" for percent in percents if percent != "0"]
    if "round_to" in given:
        mode = given.get("round_mode", "half_up")
        parts += ["round", given["round_to"], *([mode] if mode != "half_up" else [])]
    if "surcharge" in given:
        parts.append(given["surcharge"] if given["surcharge"][0] in "+-" else f"+{given['surcharge']}")
    for word, name in _LIMITS.items():
        if name in given:
            parts += [word, given[name]]
    return " ".join(parts)


def _turned(percent: str) -> str:
    """Return a percent off as it is typed: below the base with a minus, above it with a plus."""
    return f"+{percent[1:]}" if percent.startswith("-") else f"-{percent.removeprefix('+')}"


def begins(text: str) -> bool:
    """Tell whether a cell is meant as a formula: it begins with a base."""
    return bool(_BEGINNING.match(text))


def read(text: str) -> dict[str, Any]:
    """Return the terms of a formula that somebody typed, as rows store them; Invalid says what is wrong in it."""
    found: dict[str, Any] = {"percent": []}
    tokens = iter(_TOKEN.findall(_SPACES.sub("", text.replace("\u2212", "-").replace("\u00a0", " "))))
    for token in tokens:
        word = token.lower()
        if word in BASES or word in MEASURES or word.startswith(CONTRACT):
            _once(found, "base", CONTRACT + token[len(CONTRACT) :] if word.startswith(CONTRACT) else word)
        elif word == "sum":
            found["additive"] = True
        elif word == "round":
            _once(found, "round_to", _number(next(tokens, token), above=True))
        elif word in ("up", "down") and "round_to" in found:
            _once(found, "round_mode", word)
        elif word in _LIMITS:
            _once(found, _LIMITS[word], _number(next(tokens, token)))
        elif word.endswith("%") and word[0] in "+-":
            found["percent"].append(str(-Decimal(_number(word[:-1]))))
        elif word[0] in "+-":
            _once(found, "surcharge", _number(word))
        else:
            raise _unread(token)
    if any(Decimal(percent) > HUNDRED for percent in found["percent"]):
        raise Invalid("FORMULA", _("More than 100 percent off would be a negative price."))
    return read_terms(found).stored()


def _once(found: dict[str, Any], name: str, value: str) -> None:
    if name in found:
        told = _("A formula has one base, rounding, amount, least and most; “%(value)s” is another.", value=value)
        raise Invalid("FORMULA", told)
    found[name] = value


def _number(text: str, *, above: bool = False) -> str:
    try:
        value = read_number(text)
    except Invalid:
        raise _unread(text) from None
    if abs(value) >= LIMIT or value != round(value, PLACES) or (above and value <= 0):
        raise _unread(text)
    return str(value)


def _unread(token: str) -> Invalid:
    return Invalid(
        "FORMULA",
        _(
            "“%(text)s” is not understood. Write for example: %(example)s. The base is list, cost, msrp or contract:CODE.",
            text=token,
            example=written(EXAMPLES[0]),
        ),
    )


def said(terms: Terms) -> str:
    """Return the formula in words."""
    base = _("price of %(code)s", code=terms.contract) if terms.contract else str(BASES.get(terms.base, terms.base))
    return ", ".join([" ".join([base, *_percents(terms)]), *_amounts(terms)])


def _percents(terms: Terms) -> Iterator[str]:
    percents = (sum(terms.percent, Decimal(0)),) if terms.additive else terms.percent
    for percent in percents:
        yield ("\u2212" if percent > 0 else "+") + "\u00a0" + percent_text(abs(percent))


def _amounts(terms: Terms) -> Iterator[str]:
    if terms.round_to:
        step = typed(terms.round_to)
        match terms.round_mode:
            case "up":
                yield _("rounded up to a multiple of %(step)s", step=step)
            case "down":
                yield _("rounded down to a multiple of %(step)s", step=step)
            case _nearest:
                yield _("rounded to a multiple of %(step)s", step=step)
    if terms.surcharge:
        yield _signed(terms.surcharge)
    if terms.min_margin is not None:
        yield _("at least %(amount)s above it", amount=typed(terms.min_margin))
    if terms.max_margin is not None:
        yield _("at most %(amount)s above it", amount=typed(terms.max_margin))


def _signed(value: Decimal) -> str:
    return f"{'-' if value < 0 else '+'}{typed(abs(value))}"
