"""What people get wrong in contracts, and the exact sentence that each gets."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import func, select

from addons.pricing_contract.imports import CONTRACT_PRICES
from addons.pricing_contract.models import ContractPrice
from core.data.db import db
from core.imports.running import run
from core.imports.source import Source
from core.testing.factories import make_company, make_product, make_staff
from core.testing.signin import sign_in

from .conftest import contract, row

PAGE = "/admin/a/pricing_contract/contracts"
ROW = {"contract": "K", "sku": "BOLT", "value": "2"}
HEAD = {
    "code": "K", "name": "Frame", "audience": "company", "company": "ACME", "currency": "EUR", "merge_policy": "override",
    "priority": "0", "status": "active",
}  # fmt: skip


@pytest.fixture
def desk(office):
    """Sales, signed in; a contract in euros with one price."""
    row(contract("K", company=make_company("ACME")), make_product("BOLT"), "1.5")
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
    ],
)
def test_a_row_of_the_grid_says_what_is_wrong_and_stays(desk, given, said):
    cells = {"key": "", "target": "BOLT", "kind": "fixed", "value": "2", "min_quantity": "10", **given}
    answer = desk.post(f"{PAGE}/K/rows", data={f"{name}-10001": value for name, value in cells.items()})
    assert answer.status_code == 422
    assert said in told(answer)
    assert db.session.scalar(select(func.count()).select_from(ContractPrice)) == 1


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"currency": "USD"}, "The contract has prices in EUR. Copy it, and give the copy the other currency."),
        ({"valid_from": "1.6.2026", "valid_until": "31.5.2026"}, "The last day is before the first."),
        ({"company": "NOBODY"}, 'Say for whom the contract is: there is no company code with the code "NOBODY".'),
    ],
)
def test_the_head_of_a_contract_says_what_is_wrong(desk, given, said):
    answer = desk.post(f"{PAGE}/K/edit", data={**HEAD, **given})
    assert answer.status_code == 422
    assert said in told(answer)
