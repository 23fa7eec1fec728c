"""VAT as data and one rule: what a product's tax class becomes between a seller and a place of delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from sqlalchemy import or_, select

from core.data import stamps
from core.data.db import db
from core.i18n import _, _l
from core.pricing.models import TaxRate
from core.spec.errors import Invalid

#: Where intra-Community supplies are exempt; Greece writes EL in its VAT numbers.
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())
#: A product's tax classes; reverse_charge is for goods whose buyer accounts for the VAT at home (scrap, chips).
CLASSES = ("standard", "reduced", "zero", "exempt", "reverse_charge")
ZERO = Decimal(0)

_NOTES = {
    "intra_community": _l("Intra-Community supply of goods, exempt under Article 138 of Directive 2006/112/EC."),
    "export": _l("Export of goods, exempt under Article 146 of Directive 2006/112/EC."),
    "export_other": _l("Export of goods, no value added tax."),
    "reverse_charge": _l("Reverse charge: the buyer accounts for the value added tax."),
    "exempt": _l("Exempt from value added tax."),
}


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a line is taxed: the category of the tax table, its code in EN 16931, percent, and the note it needs."""

    category: str
    code: str
    rate: Decimal
    note: object = field(default="", compare=False)


class HasCountry(Protocol):
    """The seller: only its country matters."""

    country: str


class HasVatId(Protocol):
    """The buyer: its validated VAT identification number, '' if it has none."""

    vat_id: str


class TaxRateMissing(Invalid):
    """The tax table has no rate for a country and category on a day."""

    def __init__(self, country: str, category: str, day: date) -> None:
        super().__init__(
            "TAX-RATE-MISSING",
            _(
                "There is no %(category)s tax rate for %(country)s on %(day)s: add it under Prices, Tax rates.",
                category=category, country=country, day=day.isoformat(),
            ),
            details={"country": country, "category": category, "date": day.isoformat()},
        )  # fmt: skip


def treatments(
    seller: HasCountry, company: HasVatId | None, ship_to_country: str, tax_classes: Iterable[str], day: date
) -> dict[str, Treatment]:
    """Return how each product tax class is taxed on ``day``; one statement at most.

    ``ship_to_country`` '' means the seller's own. Raises TaxRateMissing.
    """
    home = seller.country
    country = ship_to_country or home
    vat_id = company.vat_id if company else ""
    wanted = sorted(set(tax_classes))
    categories = {tax_class: category_of(tax_class, home, country, vat_id) for tax_class in wanted}
    rates = _rates(home, {c for c in categories.values() if c in ("standard", "reduced")}, day)
    return {tax_class: treatment(category, home, rates, day) for tax_class, category in categories.items()}


def category_of(tax_class: str, home: str, country: str, vat_id: str) -> str:
    """Return the tax category of a supply of goods from ``home`` to ``country``.

    Goods are taxed where their transport begins; a supply to another member state is exempt only for a buyer
    with a VAT number of a member state other than the seller's.
    """
    if tax_class not in CLASSES:
        raise Invalid(
            "TAX-CLASS-UNKNOWN",
            _('There is no tax class "%(name)s": use one of %(known)s.', name=tax_class, known=", ".join(CLASSES)),
        )
    if country != home:
        if home not in EU or country not in EU:
            return "export" if home in EU else "export_other"
        prefix = vat_country(vat_id)
        if prefix in EU and prefix != home:
            return "intra_community"
    if tax_class == "reverse_charge":
        return "reverse_charge" if vat_id else "standard"
    return tax_class


def vat_country(vat_id: str) -> str:
    """Return the country of a VAT number (EL is Greece), '' where it names none."""
    prefix = vat_id.strip()[:2].upper()
    return "GR" if prefix == "EL" else prefix if prefix.isalpha() else ""


def note_of(category: str, home: str) -> str:
    """Return why a tax category of an order of a seller in ``home`` bears no tax, '' where it does or says nothing."""
    return str(_NOTES.get("export_other" if category == "export" and home not in EU else category, ""))


_CODES = {
    "standard": "S",
    "reduced": "S",
    "zero": "Z",
    "exempt": "E",
    "reverse_charge": "AE",
    "intra_community": "K",
    "export": "G",
    "export_other": "G",
}


def treatment(category: str, country: str, rates: Mapping[str, Decimal], day: date) -> Treatment:
    """Return how a tax category is taxed, given the country's ``rates`` by category on ``day``. Raises TaxRateMissing."""
    name = "export" if category == "export_other" else category
    if category not in ("standard", "reduced"):
        return Treatment(name, _CODES[category], ZERO, _NOTES.get(category, ""))
    if category not in rates:
        raise TaxRateMissing(country, category, day)
    return Treatment(name, _CODES[category], rates[category])


def _rates(country: str, categories: set[str], day: date) -> dict[str, Decimal]:
    """Return the rates of ``country`` on ``day``, read when a rate has changed."""
    key = ("rates", country, frozenset(categories), day)
    return stamps.kept("tax", key, lambda: _read_rates(country, categories, day)) if categories else {}


def _read_rates(country: str, categories: set[str], day: date) -> dict[str, Decimal]:
    """Read the rates; where windows nest, the one that began last holds."""
    statement = (
        select(TaxRate.category, TaxRate.rate)
        .where(
            TaxRate.country == country,
            TaxRate.category.in_(sorted(categories)),
            TaxRate.valid_from <= day,
            or_(TaxRate.valid_until.is_(None), TaxRate.valid_until > day),
        )
        .order_by(TaxRate.valid_from)
    )
    return {row.category: row.rate for row in db.session.execute(statement)}
