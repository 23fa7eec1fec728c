"""Typed values of settings: read from text (environment, command line, forms), checked, kept as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.i18n import _
from core.i18n.numbers import read_plain
from core.spec.app import SettingSpec
from core.spec.errors import Invalid

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


class SettingInvalid(Invalid):
    """A value that the setting does not take; says why and what it takes."""

    def __init__(self, key: str, message: object) -> None:
        super().__init__("SETTING-INVALID", f"{key}: {message}", details={"key": key})


def choices_of(spec: SettingSpec) -> tuple[str, ...]:
    """Return the values that ``spec`` takes, if they are few."""
    return tuple(spec.type) if isinstance(spec.type, tuple) else tuple(value for value, _label in spec.choices)


def parse(spec: SettingSpec, text: str) -> Any:
    """Return the typed value that ``text`` spells; SettingInvalid if it spells none."""
    plain = text.strip()
    if spec.type is bool:
        return check(spec, _boolean(spec, plain))
    if spec.type in (int, Decimal):
        return check(spec, _number(spec, plain))
    return check(spec, plain)


def check(spec: SettingSpec, value: Any) -> Any:
    """Return ``value`` if ``spec`` takes it; SettingInvalid otherwise."""
    wanted = str if isinstance(spec.type, tuple) else spec.type
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise SettingInvalid(spec.key, _("“%(value)s” is of the wrong type.", value=value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise SettingInvalid(spec.key, _("“%(text)s” is not a number.", text=value))
    choices = choices_of(spec)
    if choices and value not in choices:
        raise SettingInvalid(spec.key, _("choose one of %(choices)s.", choices=", ".join(choices)))
    _check_bounds(spec, value)
    problem = str(spec.problem(value)) if spec.problem else ""
    if problem:
        raise SettingInvalid(spec.key, problem)
    return value


def _check_bounds(spec: SettingSpec, value: Any) -> None:
    measured = len(value) if isinstance(value, str) else value
    if spec.minimum is not None and measured < spec.minimum:
        raise SettingInvalid(spec.key, _("the least is %(bound)s.", bound=spec.minimum))
    if spec.maximum is not None and measured > spec.maximum:
        raise SettingInvalid(spec.key, _("the most is %(bound)s.", bound=spec.maximum))


def to_json(value: Any) -> Any:
    """Return ``value`` as it is stored."""
    return str(value) if isinstance(value, Decimal) else value


def from_json(spec: SettingSpec, stored: Any) -> Any:
    """Return the typed value of what was stored."""
    return Decimal(stored) if spec.type is Decimal else stored


def _number(spec: SettingSpec, text: str) -> int | Decimal:
    try:
        number = read_plain(text)
    except Invalid as refused:
        raise SettingInvalid(spec.key, refused.message) from refused
    if spec.type is Decimal:
        return number
    if number != number.to_integral_value():
        raise SettingInvalid(spec.key, _("Use whole numbers."))
    return int(number)


def _boolean(spec: SettingSpec, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise SettingInvalid(spec.key, _("“%(text)s” is neither on nor off.", text=text))
    return text.lower() in _TRUE
