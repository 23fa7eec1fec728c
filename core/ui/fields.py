"""Form fields that read what people type exactly and strictly: numbers, money, quantities, codes, dates, choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from core.data import clock
from core.i18n import _
from core.i18n.numbers import bounded, read_number
from core.spec.errors import Invalid
from core.ui.dates import read_day
from core.ui.formats import display_zone, typed

#: the largest number that a column of money or quantities holds with six decimals
LARGEST = Decimal(1_000_000_000_000)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*", re.ASCII)


class NumberField(StringField):
    """An exact decimal in the reader's locale; `data` is a Decimal, or None where nothing was entered.

    Refuses NaN, Infinity, exponents, more than `places` decimals, and what lies outside `minimum` and `maximum`.
    ``unit_label`` (such as ``%`` or ``days``) stands behind the field.
    """

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        places: int = 6,
        minimum: Decimal | int | None = None,
        maximum: Decimal | int = LARGEST,
        unit_label: object = "",
        **kwargs: Any,
    ) -> None:
        render = {"inputmode": "decimal", "autocomplete": "off", **(kwargs.pop("render_kw", None) or {})}
        super().__init__(label, validators, render_kw=render, **kwargs)
        self.places, self.minimum, self.maximum, self.unit_label = places, minimum, maximum, unit_label

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return typed(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number; ValueError carries the sentence for the reader."""
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = self._read(text) if text else None

    def _read(self, text: str) -> Decimal:
        try:
            return self._bounded(read_number(text))
        except Invalid as error:
            raise ValueError(str(error.message)) from error

    def _bounded(self, value: Decimal) -> Decimal:
        return bounded(value, places=self.places, minimum=self.minimum, maximum=self.maximum)


class MoneyField(NumberField):
    """An amount of money in `currency` (ISO 4217), shown behind the field; at most the currency's own decimals."""

    def __init__(self, label: Any = None, validators: Any = None, *, currency: str, **kwargs: Any) -> None:
        super().__init__(label, validators, **{"places": get_currency_precision(currency), "unit_label": currency, **kwargs})
        self.currency = currency

    def set_currency(self, currency: str) -> None:
        """Make the field one of another currency, known only once the form is built."""
        self.currency, self.unit_label, self.places = currency, currency, get_currency_precision(currency)


class PriceField(MoneyField):
    """A unit price in `currency`, net, up to six decimals, not negative."""

    def __init__(self, label: Any = None, validators: Any = None, *, currency: str, **kwargs: Any) -> None:
        super().__init__(label, validators, currency=currency, **{"places": 6, "minimum": 0, **kwargs})

    def set_currency(self, currency: str) -> None:
        """Change the currency; a price keeps its six decimals."""
        self.currency, self.unit_label = currency, currency


class QuantityField(NumberField):
    """A quantity above zero, in the unit that stands behind the field, with the unit's number of decimals."""

    def _bounded(self, value: Decimal) -> Decimal:
        if value <= 0:
            raise ValueError(_("Enter a quantity above zero."))
        return super()._bounded(value)


class CodeField(StringField):
    """A public code (company, SKU, contract): letters, digits and . _ / + - ; spaces around it are dropped."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Strip the code."""
        self.data = str(valuelist[0]).strip() if valuelist else ""

    def pre_validate(self, form: Any) -> None:
        """Refuse other characters, naming those that are allowed."""
        if self.data and not _CODE.fullmatch(self.data):
            raise ValidationError(_("A code has letters, digits and . _ / + - only, and starts with a letter or digit."))


class DayField(StringField):
    """A business date: as a calendar writes it, or in words ("in 2 weeks"); `data` is a date or None."""

    widget_kind = "date"

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.isoformat() if isinstance(self.data, date) else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the date; ValueError carries the sentence for the reader."""
        text = str(valuelist[0]).strip() if valuelist else ""
        try:
            self.data = read_day(text, clock.today(display_zone())) if text else None
        except Invalid as error:
            self.data = None
            raise ValueError(str(error.message)) from error


class ChoiceField(SelectField):
    """One of some values: `options` are (value, label) pairs, or a function that returns them for each form."""

    widget_kind = "SelectField"

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        options: Sequence[tuple[str, object]] | Callable[[], Iterable[tuple[str, object]]] = (),
        empty: object | None = None,
        **kwargs: Any,
    ) -> None:
        pairs = options() if callable(options) else options
        head = [] if empty is None else [SelectChoice("", str(empty))]
        super().__init__(label, validators, choices=[*head, *choices(pairs)], **kwargs)

    def pre_validate(self, form: Any) -> None:
        """Refuse a value that is not among the choices."""
        if self.data not in {choice.value for choice in self.iter_choices()}:
            raise ValidationError(_("Choose one of the values in the list."))


def choices(pairs: Iterable[tuple[str, object]]) -> list[SelectChoice]:
    """Return (value, label) pairs as WTForms takes them."""
    return [SelectChoice(value, str(label)) for value, label in pairs]
