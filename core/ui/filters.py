"""What may be asked of a list: the filter of each kind of field, read from the URL, as condition and as sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from core.data import clock
from core.i18n import _
from core.i18n.numbers import read_number
from core.registry.registry import Contribution
from core.spec.errors import Invalid
from core.spec.ui import ListFilter
from core.ui.dates import read_day
from core.ui.formats import day, display_zone, qty
from core.ui.resource import NUMERIC, Field, Pairs

#: Of a longer text only so much is looked for: databases refuse patterns of any length, and nothing listed is so long.
LONGEST = 200
_RANGE = re.compile(r"(?P<op>>=|<=|>|<)?\s*(?P<low>.*?)\s*(?:\.\.\s*(?P<high>.*))?")


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter in force: its condition, and the sentence of its chip."""

    condition: Any
    text: str


def escaped(text: str) -> str:
    """Return `text` for a LIKE with backslash as escape, so that % and _ mean themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def contains(expression: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that `expression` contains `text`, whatever the case."""
    return expression.ilike(f"%{escaped(text[:LONGEST])}%", escape="\\")  # type: ignore[no-any-return]


def searched(fields: tuple[Field, ...], text: str) -> list[ColumnElement[bool]]:
    """Return one condition per word of `text`: some searchable field contains it."""
    places = [f.expression for f in fields if f.search]
    return [or_(*(contains(place, word) for place in places)) for word in text.split()[:8]] if places else []


def apply_field(field: Field, text: str) -> Applied:
    """Return the filter of `field` for what stands in the URL; Invalid where it cannot be read."""
    if field.choices is not None or field.kind == "bool":
        return _chosen(field, text)
    if field.kind in NUMERIC:
        return _figures(field, text)
    if field.kind in ("day", "instant"):
        return _dates(field, text)
    return Applied(contains(field.expression, text), _("%(field)s contains “%(text)s”", field=field.label, text=text))


def apply_addon(contribution: Contribution[Any], text: str, id_: Any) -> Applied:
    """Return the filter of an addon: ids that its SELECT returns."""
    spec: ListFilter = contribution.value
    label = dict(spec.choices()).get(text, text)
    return Applied(id_.in_(spec.select(text)), _("%(field)s is %(value)s", field=spec.label, value=label))


def field_choices(field: Field) -> Pairs | None:
    """Return the values among which the filter of `field` chooses, None where it is typed."""
    if field.kind == "bool":
        return (("yes", _("Yes")), ("no", _("No")))
    return field.choices() if field.choices else None


def hint(field: Field) -> str:
    """Return an example of what may be typed into the filter of `field`."""
    if field.kind in NUMERIC:
        return ">= 100"
    return f"{clock.today(display_zone()).replace(day=1).isoformat()}.." if field.kind in ("day", "instant") else ""


def _chosen(field: Field, text: str) -> Applied:
    if field.kind == "bool":
        wanted = text == "yes"
        return Applied(
            field.expression.is_(wanted),
            _("%(field)s is %(value)s", field=field.label, value=_("Yes") if wanted else _("No")),
        )
    labels: Mapping[str, object] = dict(field.choices() if field.choices else ())
    values = [value for value in text.split(",") if value in labels]
    if not values:
        raise Invalid("BAD-FILTER", _("“%(text)s” is not a value of %(field)s.", text=text[:40], field=field.label))
    said = ", ".join(str(labels[value]) for value in values)
    return Applied(field.expression.in_(values), _("%(field)s is %(value)s", field=field.label, value=said))


def _figures(field: Field, text: str) -> Applied:
    op, low, high = _parts(text)
    lower = read_number(low) if low else None
    upper = read_number(high) if high else None
    values = (_stored(lower), _stored(upper))
    said = tuple(qty(v) if v is not None else "" for v in (lower, upper))
    return Applied(_between(field.expression, op, *values), _sentence(field, op, *said))


def _dates(field: Field, text: str) -> Applied:
    op, low, high = _parts(text)
    today = clock.today(display_zone())
    lower = read_day(low, today) if low else None
    upper = read_day(high, today) if high else None
    said = _sentence(field, op, day(lower) if lower else "", day(upper) if upper else "")
    condition = (
        _instants(field.expression, op, lower, upper)
        if field.kind == "instant"
        else _between(field.expression, op, lower, upper)
    )
    return Applied(condition, said)


def _parts(text: str) -> tuple[str, str, str]:
    """Return operator, lower and upper bound: "12" is "=", "1..9" is a range, "1.." and "..9" are open."""
    match = _RANGE.fullmatch(text.strip())
    low, high = (match["low"] or "", match["high"]) if match else ("", None)
    op = (match["op"] if match else "") or ("" if high is None else "..")
    if not low and not high:
        raise Invalid("BAD-FILTER", _("“%(text)s” cannot be read; write 100, >=100, or 100..200.", text=text[:40]))
    return op or "=", low, high or ""


def _between(expression: Any, op: str, low: Any, high: Any) -> Any:
    if op == "..":
        return and_(
            *(c for c in (low is not None and expression >= low, high is not None and expression <= high) if c is not False)
        )
    if low is None:
        return false()
    return {
        "=": expression == low,
        ">=": expression >= low,
        "<=": expression <= low,
        ">": expression > low,
        "<": expression < low,
    }[op]


def _instants(expression: Any, op: str, low: date | None, high: date | None) -> Any:
    """Compare instants with whole days of the reader's zone."""
    zone = display_zone()
    if op == "=" and low:
        op, high = "..", low
    start = clock.start_of_day(low, zone) if low else None
    after = clock.start_of_day(low + timedelta(days=1), zone) if low else None
    if op == "..":
        end = clock.end_of_day(high, zone) if high else None
        return and_(
            *(c for c in (start is not None and expression >= start, end is not None and expression < end) if c is not False)
        )
    return {">=": expression >= start, ">": expression >= after, "<": expression < start, "<=": expression < after}[op]


def _sentence(field: Field, op: str, low: str, high: str) -> str:
    if op == ".." and low and high:
        return _("%(field)s from %(low)s to %(high)s", field=field.label, low=low, high=high)
    if op == ">=" or (op == ".." and low):
        return _("%(field)s from %(low)s", field=field.label, low=low)
    if op == "<=" or op == "..":
        return _("%(field)s up to %(high)s", field=field.label, high=high or low)
    if op == ">":
        return _("%(field)s above %(low)s", field=field.label, low=low)
    if op == "<":
        return _("%(field)s below %(high)s", field=field.label, high=low)
    return _("%(field)s is %(value)s", field=field.label, value=low)


def _stored(value: Decimal | None) -> Decimal | int | None:
    """Return a whole number as int, so that integer columns compare on both databases."""
    return int(value) if value is not None and value == value.to_integral_value() else value
