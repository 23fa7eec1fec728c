"""Fields of schemas: exact decimals as strings, and the base of every schema."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from core.i18n.characters import one_line
from core.i18n.days import bounded_day
from core.i18n.numbers import read_plain
from core.spec.errors import Invalid

#: Column types hold so many digits before the point and after it.
_LARGEST, _PLACES = Decimal(10) ** 9, 6
SHORT, LONG = validate.Length(max=80), validate.Length(max=250)


class Schema(ma.Schema):
    """Knows every member it takes: an unknown one is an error, not silently lost."""

    class Meta:
        unknown = ma.RAISE
        ordered = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        known = ", ".join(field.data_key or name for name, field in self.load_fields.items())
        self.error_messages["unknown"] = f"There is no such member here. Those that are taken: {known}."


class DecimalText(fields.Field):
    """A decimal, written as a string so that no program turns it into a binary fraction."""

    def __init__(self, *, positive: bool = False, **options: Any) -> None:
        sign = "" if positive else "-?"
        metadata = {"type": "string", "pattern": rf"^{sign}[0-9]{{1,9}}(\.[0-9]{{1,{_PLACES}}})?$"}
        super().__init__(**{**options, "metadata": {**metadata, **options.pop("metadata", {})}})
        self._positive = positive

    def _serialize(self, value: Any, attr: Any, obj: Any, **_: Any) -> str | None:
        return None if value is None else written(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Decimal:
        if not isinstance(value, str):
            raise ma.ValidationError('Write the number as a string, for example "12.50".')
        try:
            number = read_plain(value)
        except Invalid as error:
            raise ma.ValidationError(str(error.message)) from error
        if abs(number) >= _LARGEST or number != round(number, _PLACES):
            raise ma.ValidationError(f"At most nine digits and {_PLACES} decimals are kept.")
        if self._positive and number <= 0:
            raise ma.ValidationError("It must be above zero.")
        return number


def written(value: Decimal) -> str:
    """Return a decimal as a string without exponent and without trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


class _Line(fields.String):
    """Text in one line: tabs and ends of lines become spaces."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        found = super()._deserialize(value, attr, data, **options)
        return one_line(found) if isinstance(found, str) else found


def text(limit: int = 250, *, lines: bool = False, **options: Any) -> fields.String:
    """Return a text field of at most ``limit`` characters, of one line unless ``lines``."""
    kind = fields.String if lines else _Line
    given = options if options.get("required") else {"load_default": "", **options}
    return kind(validate=[validate.Length(max=limit)], **given)


def day_field(**options: Any) -> fields.Date:
    """Return a field of a date within the years that are taken, see `core.i18n.days`."""
    return fields.Date(validate=[_within_years], **options)


def _within_years(value: date) -> None:
    try:
        bounded_day(value)
    except Invalid as error:
        raise ma.ValidationError(str(error.message)) from error


class Problem(Schema):
    """What went wrong (RFC 9457); ``errors`` says where in the request, ``findings`` what stops an order."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    code = fields.String()
    detail = fields.String()
    errors = fields.Dict()
    request_id = fields.String()
