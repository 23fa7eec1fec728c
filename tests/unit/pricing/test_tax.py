"""What a tax class becomes between a seller and a place of delivery."""

from __future__ import annotations

import pytest

from core.pricing.tax import category_of, vat_country
from core.spec.errors import Invalid


@pytest.mark.parametrize(
    ("tax_class", "home", "country", "vat_id", "category"),
    [
        ("standard", "FI", "FI", "", "standard"),
        ("standard", "FI", "FI", "FI01120389", "standard"),
        ("reduced", "FI", "FI", "", "reduced"),
        ("zero", "FI", "FI", "", "zero"),
        ("exempt", "FI", "FI", "", "exempt"),
        ("standard", "FI", "DE", "DE136695976", "intra_community"),
        ("standard", "FI", "DE", "", "standard"),
        ("standard", "FI", "DE", "FI01120389", "standard"),  # the buyer's number must be of another state
        ("standard", "FI", "DE", "PL5260001246", "intra_community"),
        ("standard", "FI", "GR", "EL094259216", "intra_community"),
        ("standard", "FI", "TR", "", "export"),
        ("standard", "FI", "NO", "NO123456785MVA", "export"),
        ("standard", "TR", "DE", "DE136695976", "export_other"),
        ("reverse_charge", "FI", "FI", "FI01120389", "reverse_charge"),
        ("reverse_charge", "FI", "FI", "", "standard"),
        ("reverse_charge", "FI", "SE", "SE556188840401", "intra_community"),
    ],
)
def test_category(tax_class, home, country, vat_id, category):
    assert category_of(tax_class, home, country, vat_id) == category


def test_unknown_class_is_refused():
    with pytest.raises(Invalid, match='There is no tax class "luxury"'):
        category_of("luxury", "FI", "FI", "")


def test_country_of_a_vat_number():
    assert [vat_country(v) for v in ("EL123", " fi1", "123", "")] == ["GR", "FI", "", ""]
