"""Prices that were typed or imported with tax: kept without it, at the seller's own rate for the product's tax class.

What is stored and computed with is always net, so that a buyer who is taxed otherwise, or not at all, pays the same net.
The net keeps four decimals: a unit at the domestic rate then costs the price that was given, to the cent.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.companies.services import seller
from core.pricing.money import round_to
from core.pricing.tax import treatments

HUNDRED = Decimal(100)
PLACES = 4


def domestic_rates(tax_classes: set[str], day: date) -> dict[str, Decimal]:
    """Return the percent by which each tax class is taxed at home on ``day``. Raises TaxRateMissing."""
    found = treatments(seller(), None, "", tax_classes, day) if tax_classes else {}
    return {tax_class: how.rate for tax_class, how in found.items()}


def without_tax(price: Decimal, rate: Decimal) -> Decimal:
    """Return the net of a price that includes ``rate`` percent of tax."""
    return round_to(price * HUNDRED / (HUNDRED + rate), PLACES)
