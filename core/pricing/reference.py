"""VAT rates of the European Union and Turkey, so that a new shop can sell; the merchant keeps them up to date.

The date is that of the last change, 2000-01-01 where it lies further back. Reduced is the country's main reduced rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.i18n import _l
from core.pricing.models import TaxRate
from core.spec.app import Seed

EARLY = date(2000, 1, 1)
#: country -> (standard, reduced or '' where there is none, the first day of the standard rate if it is recent)
RATES: dict[str, tuple[str, str, date]] = {
    "AT": ("20", "10", EARLY),
    "BE": ("21", "6", EARLY),
    "BG": ("20", "9", EARLY),
    "CY": ("19", "5", EARLY),
    "CZ": ("21", "12", EARLY),
    "DE": ("19", "7", EARLY),
    "DK": ("25", "", EARLY),
    "EE": ("24", "9", date(2025, 7, 1)),
    "ES": ("21", "10", EARLY),
    "FI": ("25.5", "13.5", date(2024, 9, 1)),
    "FR": ("20", "5.5", EARLY),
    "GR": ("24", "13", EARLY),
    "HR": ("25", "13", EARLY),
    "HU": ("27", "18", EARLY),
    "IE": ("23", "13.5", EARLY),
    "IT": ("22", "10", EARLY),
    "LT": ("21", "12", EARLY),
    "LU": ("17", "8", EARLY),
    "LV": ("21", "12", EARLY),
    "MT": ("18", "7", EARLY),
    "NL": ("21", "9", EARLY),
    "PL": ("23", "8", EARLY),
    "PT": ("23", "13", EARLY),
    "RO": ("21", "11", date(2025, 8, 1)),
    "SE": ("25", "12", EARLY),
    "SI": ("22", "9.5", EARLY),
    "SK": ("23", "19", date(2025, 1, 1)),
    "TR": ("20", "10", date(2023, 7, 10)),
}


def tax_rates() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rates by country and category; a newer version of Tukku may bring newer ones."""
    for country, (standard, reduced, start) in RATES.items():
        for category, rate in (("standard", standard), ("reduced", reduced)):
            if rate:
                values = {"country": country, "category": category, "rate": Decimal(rate), "valid_from": start}
                yield f"{country}:{category}", values


SEEDS = (Seed("tax_rates", TaxRate, tax_rates, ("country", "category"), _l("VAT rates of European countries")),)
