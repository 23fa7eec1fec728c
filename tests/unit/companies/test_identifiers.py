"""Business ids and VAT ids by country: what is accepted, how it is written, and what the refusal says."""

import pytest

from core.companies import identifiers
from core.spec.errors import Invalid


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("FI", "0112038-9", "0112038-9"), ("FI", " 01120389 ", "0112038-9"),
        ("SE", "5567037485", "556703-7485"), ("EE", "10137319", "10137319"),
        ("PL", "856-734-62-15", "8567346215"), ("TR", "4540536920", "4540536920"),
        ("DE", "HRB 50000", "HRB 50000"), ("US", "12-3456789", "12-3456789"), ("FI", "", ""),
    ],
)  # fmt: skip
def test_business_ids_are_written_in_one_way(country, typed, stored):
    assert identifiers.business_id(country, typed) == stored


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("FI", "FI01120389", "FI01120389"), ("FI", "01120389", "FI01120389"), ("FI", "FI 0112038-9", "FI01120389"),
        ("SE", "SE 123456789701", "SE123456789701"), ("EE", "100931558", "EE100931558"),
        ("PL", "PL 8567346215", "PL8567346215"), ("DE", "DE136695976", "DE136695976"), ("TR", "4540536920", "4540536920"),
        ("GR", "EL094259216", "EL094259216"), ("BR", "anything", "anything"),
    ],
)  # fmt: skip
def test_vat_ids_carry_the_prefix_of_their_country(country, typed, stored):
    assert identifiers.vat_id(country, typed) == stored


@pytest.mark.parametrize(
    ("check", "country", "typed", "words"),
    [
        (identifiers.business_id, "FI", "0112038-8", "Y-tunnus of Finland"),
        (identifiers.business_id, "SE", "5567037486", "organisationsnummer of Sweden"),
        (identifiers.business_id, "EE", "10137318", "registrikood of Estonia"),
        (identifiers.business_id, "PL", "8567346216", "NIP of Poland"),
        (identifiers.business_id, "TR", "4540536921", "VKN of"),
        (identifiers.vat_id, "FI", "DE136695976", "Example: FI01120389"),
        (identifiers.vat_id, "DE", "DE136695977", "Example: DE136695976"),
        (identifiers.vat_id, "EE", "EE100931557", "VAT id of Estonia"),
        (identifiers.vat_id, "PL", "<script>alert(1)</script>", "check it for a typing error"),
    ],
)
def test_wrong_ids_are_refused_with_an_example(check, country, typed, words):
    with pytest.raises(Invalid) as refused:
        check(country, typed)
    assert words in str(refused.value.message)
    assert typed in str(refused.value.message)
    assert refused.value.details["field"] in ("business_id", "vat_id")


@pytest.mark.parametrize("typed", ["9" * 41, "12\x0034"])
def test_what_cannot_be_stored_is_refused(typed):
    with pytest.raises(Invalid):
        identifiers.business_id("US", typed)
