"""What a row may say, alone and beside its neighbours; every refusal names the field and how to mend it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from core.api.data import clock
from core.api.i18n import translations
from core.api.pricing import BEGINNING
from core.api.ui import day_text, plain

from .formulas import read_terms

_, _l, ngettext, _p = translations(__name__)

LIMIT = Decimal(1_000_000_000)
HUNDRED = Decimal(100)
#: End of an open validity, for comparisons.
NEVER = datetime.max.replace(tzinfo=BEGINNING.tzinfo)


class Rule(NamedTuple):
    """The values of a row that rules look at. Its first four and the start are its key in a contract."""

    target: int
    unit: str
    min_quantity: Decimal
    valid_from: datetime
    valid_until: datetime | None
    kind: str
    value: Decimal
    per: Decimal
    terms: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[int, str, Decimal, datetime]:
        """What the row is known by within its contract."""
        return self.target, self.unit, self.min_quantity, self.valid_from

    @property
    def end(self) -> datetime:
        """The end of its validity, far away where it has none."""
        return self.valid_until or NEVER


class Problem(NamedTuple):
    """Something wrong with a row: the field, and a sentence."""

    rule: Rule
    field: str
    message: str


def alone(rule: Rule, currency: str) -> Problem | None:
    """Return what is wrong with the row by itself, in a contract in ``currency`` ('' takes percents only)."""
    for check in (_quantity, _value, _validity):
        found = check(rule)
        if found:
            return Problem(rule, *found)
    if rule.kind in ("fixed", "amount_off") and not currency:
        return Problem(
            rule, "kind", _("The list holds in any currency, so it takes percents only. Give it a currency first.")
        )
    if rule.kind == "fixed" and not rule.unit:
        return Problem(rule, "unit", _("A fixed price needs a unit."))
    return None


def _quantity(rule: Rule) -> tuple[str, str] | None:
    if not (rule.min_quantity.is_finite() and 0 <= rule.min_quantity < LIMIT):
        return "min_quantity", _("The quantity must be between 0 and %(limit)s.", limit=plain(LIMIT))
    if not (rule.per.is_finite() and 0 < rule.per < LIMIT):
        return "per", _("The price must be for more than 0 units, for example 1 or 100.")
    return None


def _value(rule: Rule) -> tuple[str, str] | None:
    value = rule.value
    if not value.is_finite() or abs(value) >= LIMIT:
        return "value", _("The value is too large: write less than %(limit)s.", limit=plain(LIMIT))
    if rule.kind in ("fixed", "amount_off") and value < 0:
        return "value", _("A price cannot be negative. Write 0 for something that is free.")
    if (rule.kind == "percent" and value > HUNDRED) or (rule.kind == "cost_plus" and value < -HUNDRED):
        return "value", _("More than 100 percent off would be a negative price.")
    if rule.kind == "percent" and value < -1000:
        return "value", _("A surcharge of more than 1000 percent is not taken.")
    return _formula(rule) if rule.kind == "formula" else None


def _formula(rule: Rule) -> tuple[str, str] | None:
    terms = read_terms(rule.terms, rule.value)
    named = "percents" if (rule.terms or {}).get("percent") else "value"
    if any(abs(percent) >= LIMIT for percent in terms.percent):
        return named, _("The value is too large: write less than %(limit)s.", limit=plain(LIMIT))
    if max((*terms.percent, sum(terms.percent) if terms.additive else 0), default=0) > HUNDRED:
        return named, _("More than 100 percent off would be a negative price.")
    if terms.round_to is not None and terms.round_to <= 0:
        return "round_to", _("The step to round to must be above zero.")
    if None not in (terms.min_margin, terms.max_margin) and terms.min_margin > terms.max_margin:
        return "max_margin", _("The most above the base is less than the least above it; turn them round.")
    return None


def _validity(rule: Rule) -> tuple[str, str] | None:
    if rule.valid_until is not None and rule.valid_until <= rule.valid_from:
        return "until", _("The last day is before the first.")
    return None


def together(rules: Iterable[Rule], *, allow_inverted: bool) -> Iterator[Problem]:
    """Yield what is wrong between rows of one contract: validities that cross, ladders that rise.

    A validity within another is meant: it holds while it lasts, then the outer one returns.
    """
    ladders: dict[tuple[int, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        ladders[rule.target, rule.unit].append(rule)
    for ladder in ladders.values():
        yield from _crossing(ladder)
        if not allow_inverted:
            yield from _rising(ladder)


def _crossing(ladder: list[Rule]) -> Iterator[Problem]:
    for quantity in {rule.min_quantity for rule in ladder}:
        rows = sorted((r for r in ladder if r.min_quantity == quantity), key=lambda r: r.valid_from)
        for outer, inner in combinations(rows, 2):
            if inner.valid_from < outer.end < inner.end and outer.valid_from != inner.valid_from:
                yield Problem(
                    inner,
                    "from",
                    _(
                        "The validity crosses another row's, which ends on %(day)s: begin after it, or end within it.",
                        day=day_text(outer.end),
                    ),
                )


def _rising(ladder: list[Rule]) -> Iterator[Problem]:
    """Look at each row's start: what holds then must not cost more at a larger quantity."""
    for start in sorted({rule.valid_from for rule in ladder}):
        for kind in ("fixed", "percent", "amount_off"):
            held = _holding([r for r in ladder if r.kind == kind], start)
            for lower, higher in pairwise(held):
                if _dearer(higher, lower):
                    yield Problem(
                        higher,
                        "value",
                        _(
                            "From %(quantity)s it would cost more than from %(lower)s. "
                            "Correct it, or allow it in the contract.",
                            quantity=plain(higher.min_quantity),
                            lower=plain(lower.min_quantity),
                        ),
                    )


def _holding(rules: list[Rule], at: datetime) -> list[Rule]:
    """Return the rows in force at ``at`` by quantity; of several for a quantity the one that began last."""
    held: dict[Decimal, Rule] = {}
    for rule in sorted(rules, key=lambda r: r.valid_from):
        if rule.valid_from <= at < rule.end:
            held[rule.min_quantity] = rule
    return [held[quantity] for quantity in sorted(held)]


def _dearer(higher: Rule, lower: Rule) -> bool:
    if higher.kind == "fixed":
        return higher.value * lower.per > lower.value * higher.per
    return higher.value * lower.per < lower.value * higher.per


def now_in_force(rule: Rule) -> bool:
    """Tell whether the row's validity includes the present instant."""
    return rule.valid_from <= clock.now() < rule.end
