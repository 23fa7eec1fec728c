"""Fields of schemas: exact decimals as strings, and the base of every schema."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

#: Column types hold so many digits before the point and after it.
_LARGEST, _PLACES = Decimal(10) ** 9, 6
SHORT, LONG = validate.Length(max=80), validate.Length(max=250)


class Schema(ma.Schema):
    """Knows every member it takes: an unknown one is an error, not silently lost."""

    class Meta:
        unknown = ma.RAISE
        ordered = True


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
        if not isinstance(value, str) or not value.isascii():
            raise ma.ValidationError('Write the number as a string, for example "12.50".')
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise ma.ValidationError("This is not a decimal number.") from error
        if not number.is_finite() or abs(number) >= _LARGEST or number != round(number, _PLACES):
            raise ma.ValidationError(f"At most nine digits and {_PLACES} decimals are kept.")
        if self._positive and number <= 0:
            raise ma.ValidationError("It must be above zero.")
        return number


def written(value: Decimal) -> str:
    """Return a decimal as a string without exponent and without trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def text(limit: int = 250, **options: Any) -> fields.String:
    """Return a text field of at most ``limit`` characters, without NUL."""
    valid = [validate.Length(max=limit), _no_nul]
    return fields.String(validate=valid, **{"load_default": "", **options} if not options.get("required") else options)


def _no_nul(value: str) -> None:
    if "\x00" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise ma.ValidationError("It contains a character that cannot be stored.")


class Problem(Schema):
    """What went wrong (RFC 9457); ``errors`` says where in the request, ``findings`` what stops an order."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    code = fields.String()
    detail = fields.String()
    errors = fields.Dict()
    request_id = fields.String()
