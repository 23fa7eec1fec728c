"""What people get wrong in contracts, and the exact sentence that each gets."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import func, select

from addons.pricing_contract.imports import CONTRACT_PRICES, CONTRACTS
from addons.pricing_contract.models import Contract, ContractPrice
from core.data.db import db
from core.imports.running import run
from core.imports.source import Source
from core.testing.factories import make_company, make_product, make_staff
from core.testing.signin import sign_in

from .conftest import contract, row

PAGE = "/admin/a/pricing_contract/contracts"
OFF = "More than 100 percent off would be a negative price."
MARGINS = "The most above the base is less than the least above it; turn them round."
ROW = {"contract": "K", "sku": "BOLT", "value": "2"}
HEAD = {
    "code": "K", "name": "Frame", "audience": "company", "company": "ACME", "currency": "EUR", "merge_policy": "override",
    "priority": "0", "status": "active",
}  # fmt: skip


@pytest.fixture
def desk(office):
    """Sales, signed in; a contract in euros with one price."""
    bolt = make_product("BOLT")
    row(contract("K", company=make_company("ACME")), bolt, "1.5")
    row(contract("L"), bolt, "0", kind="formula", terms={"base": "contract:K"})
    make_staff("sales@tukku.example", ["sales"])
    return sign_in(office, "sales@tukku.example")


def told(answer) -> str:
    """Return the text of a page without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"currency": "USD"}, "currency", "The contract is in EUR; make another contract for another currency."),
        ({"from": "2026-06-01", "until": "2026-05-31"}, "until", "The last day is before the first."),
        ({"contract": "X"}, "contract", "There is no contract “X”. Import it first, or correct the code."),
        ({"sku": "NUT"}, "sku", "There is no product “NUT”. Import it first, or correct the code."),
        ({"value": "-1"}, "value", "A price cannot be negative. Write 0 for something that is free."),
        ({"value": "1e1"}, "value", "“1e1” is not a number: write all its digits instead of an exponent, such as 12000."),
        ({"value": "1000000000000"}, "value", "Enter 999,999,999 or less."),
        ({"kind": "cost_plus", "value": "-150"}, "value", OFF),
        ({"kind": "formula", "value": "150"}, "value", OFF),
        ({"kind": "formula", "percents": "150"}, "percents", OFF),
        ({"kind": "formula", "percents": "60;60", "additive": "yes"}, "percents", OFF),
        (
            {"kind": "formula", "percents": "-1000000000000"},
            "percents",
            "The value is too large: write less than 1000000000.",
        ),
        ({"kind": "formula", "round_to": "0"}, "round_to", "The step to round to must be above zero."),
        ({"kind": "formula", "min_margin": "5", "max_margin": "1"}, "max_margin", MARGINS),
        ({"kind": "formula", "base": "contract:X"}, "base", "There is no contract or price list with the code “X”."),
    ],
)
def test_a_row_of_a_file_is_refused_with_its_column(desk, given, field, said):
    cells = {**ROW, **given}
    report = run(CONTRACT_PRICES, Source("k.csv", tuple(cells), [(2, cells)], 1))
    assert [(error.field, str(error.message)) for error in report.errors] == [(field, said)]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"value": "NaN"}, "“NaN” is not a number; write it as 1234.50."),
        ({"value": "1000000000000"}, "Enter 1,000,000,000 or less."),
        ({"value": "0.0000001"}, "Use at most 6 decimals."),
        ({"min_quantity": "-1"}, "The quantity must be between 0 and 1000000000."),
        ({"per": "0"}, "The price must be for more than 0 units, for example 1 or 100."),
        ({"from": "2026-06-01", "until": "2026-05-31"}, "The last day is before the first."),
        ({"from": "1.6.26"}, "Write the date as 2026-12-31."),
        ({"target": "NUT"}, "There is no product or category with this code. Write * for all products."),
        ({"unit": "litre"}, "The product is not sold in this unit."),
        ({"until": "9999-12-31"}, "The year 9999 is outside 1900 to 2199."),
        ({"from": "0001-01-01"}, "The year 1 is outside 1900 to 2199."),
        ({"kind": "cost_plus", "value": "-150"}, OFF),
        ({"kind": "formula", "value": "list sum -60% -60%"}, OFF),
        ({"kind": "formula", "value": "cost min 5 max 1"}, MARGINS),
        ({"kind": "formula", "value": "contract:L -5%"}, "from itself: K → L → K. Take another base."),
    ],
)
def test_a_row_of_the_grid_says_what_is_wrong_and_stays(desk, given, said):
    cells = {"key": "", "target": "BOLT", "kind": "fixed", "value": "2", "min_quantity": "10", **given}
    answer = desk.post(f"{PAGE}/K/rows", data={f"{name}-10001": value for name, value in cells.items()})
    assert answer.status_code == 422
    assert said in told(answer)
    assert db.session.scalar(select(func.count()).select_from(ContractPrice)) == 2
    answer = desk.post(f"{PAGE}/K/rows", data={"prepare": "1", **{f"{name}-10001": value for name, value in cells.items()}})
    assert said in told(answer)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"currency": "USD"}, "The contract has prices in EUR. Copy it, and give the copy the other currency."),
        ({"valid_from": "1.6.2026", "valid_until": "31.5.2026"}, "The last day is before the first."),
        ({"valid_until": "9999-12-31"}, "The year 9999 is outside 1900 to 2199."),
        ({"valid_from": "0001-01-01"}, "The year 1 is outside 1900 to 2199."),
        ({"priority": "1000000000000"}, "Number must be between -999999999 and 999999999."),
        ({"country": "QQ"}, "“QQ” is not a country code. Use two letters, such as FI."),
        ({"company": "NOBODY"}, 'Say for whom the contract is: there is no company code with the code "NOBODY".'),
    ],
)
def test_the_head_of_a_contract_says_what_is_wrong(desk, given, said):
    answer = desk.post(f"{PAGE}/K/edit", data={**HEAD, **given})
    assert answer.status_code == 422
    assert said in told(answer)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"currency": "USD"}, "currency", "The contract has prices in EUR. Copy it, and give the copy the other currency."),
        ({"country": "QQ"}, "country", "“QQ” is not a country code. Use two letters, such as FI."),
        ({"code": "A/B"}, "code", "Use letters, digits and . _ + - in the code, at most 40 of them."),
        ({"valid_from": "2026-06-01", "valid_until": "2026-05-31"}, "valid_until", "The last day is before the first."),
    ],
)
def test_the_head_of_a_contract_in_a_file_is_refused_alike(desk, given, field, said):
    cells = {"code": "K", "name": "Frame", "audience": "company", "company": "ACME", **given}
    report = run(CONTRACTS, Source("k.csv", tuple(cells), [(2, cells)], 1))
    assert [(error.field, str(error.message)) for error in report.errors] == [(field, said)]
    kept = select(Contract.code, Contract.currency).order_by(Contract.code)
    assert db.session.execute(kept).all() == [("K", "EUR"), ("L", "EUR")]


@pytest.mark.database("sqlite")
def test_a_code_that_could_not_stand_in_an_address_is_refused(desk):
    answer = desk.post(f"{PAGE}/new", data={**HEAD, "code": "A/B"})
    assert answer.status_code == 422
    assert "Use letters, digits and . _ + - in the code" in told(answer)


@pytest.mark.database("sqlite")
def test_days_outside_the_calendar_are_refused_where_a_price_is_explained(desk):
    for name in ("at", "wished"):
        answer = desk.get(f"/admin/a/pricing_contract/explain?product=BOLT&{name}=9999-12-31")
        assert "The year 9999 is outside 1900 to 2199." in told(answer)


@pytest.mark.database("sqlite")
def test_the_same_percentage_twice_counts_twice(desk):
    cells = {**ROW, "kind": "formula", "percents": "10;10"}
    assert not run(CONTRACT_PRICES, Source("k.csv", tuple(cells), [(2, cells)], 1)).errors
    assert {"base": "list", "percent": ["10", "10"]} in db.session.scalars(select(ContractPrice.terms)).all()
