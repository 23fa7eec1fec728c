"""The columns of files in which the parts of a formula stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.i18n import read_plain, translations

from .formulas import CONTRACT
from .models import MEASURES
from .saving import Header

_, _l, ngettext, _p = translations(__name__)
#: Columns of formula rows; without ``percents``, ``value`` is the percent off the base.
FORMULA = ("base", "percents", "additive", "round_to", "round_mode", "surcharge", "min_margin", "max_margin")

ONLY_FORMULAS = _l("Only a row of the kind “formula” takes a base, rounding, a surcharge or margins.")


def wrong_base(given: Mapping[str, Any], contracts: Mapping[str, Header], own: str) -> tuple[str, str] | None:
    """Return what is wrong with a formula's columns: the field and a sentence."""
    if given.get("kind") != "formula":
        return "base", str(ONLY_FORMULAS)
    base = given.get("base", "list")
    if base == f"{CONTRACT}{own}":
        return "base", _("The contract would be computed from itself.")
    if base in ("list", *MEASURES) or base.removeprefix(CONTRACT) in contracts:
        return None
    if base.startswith(CONTRACT):
        code = base.removeprefix(CONTRACT)
        return "base", _("There is no contract or price list with the code “%(code)s”.", code=code)
    return "base", _("Write list, cost, msrp, or contract: and the code of a contract.")


def terms_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms that a file's columns say, as rows store them; Invalid for a percent that is no number."""
    terms: dict[str, Any] = {"base": given.get("base", "list")}
    if given.get("percents"):
        terms["percent"] = [str(read_plain(text)) for text in given["percents"]]
    if given.get("additive"):
        terms["additive"] = True
    return {**terms, **{name: str(given[name]) for name in FORMULA[3:] if name in given}}


def formula_columns(terms: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a formula row, for the export."""
    if not terms:
        return {}
    columns = {name: terms[name] for name in FORMULA if name in terms}
    return {**columns, **({"percents": terms["percent"]} if "percent" in terms else {})}
