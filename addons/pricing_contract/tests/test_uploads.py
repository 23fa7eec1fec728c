"""A file in the columns of the import, taken like pasted rows: saved, or looked at first."""

from __future__ import annotations

import io
from decimal import Decimal as D

import pytest

from core.testing.factories import make_company, make_product, make_staff
from core.testing.signin import sign_in

from .conftest import contract, priced, row

PAGE = "/admin/a/pricing_contract/contracts/K"


@pytest.fixture
def desk(office):
    company, bolt = make_company("ACME"), make_product("BOLT", price="2")
    row(contract("K", company=company), bolt, "1.50")
    make_staff("sales@tukku.example", ["sales"])
    return sign_in(office, "sales@tukku.example"), company, bolt


def sent(client, text, name="rows.csv", **more):
    data = {"file": (io.BytesIO(text.encode()), name), "rows": "", **more}
    return client.post(f"{PAGE}/paste", data=data, content_type="multipart/form-data")


def test_what_was_downloaded_goes_in_again_changed(desk):
    client, company, bolt = desk
    text = client.get(f"{PAGE}/export").text
    assert sent(client, text.replace("1.5", "1.25")).status_code == 200
    assert priced(bolt, company).price == D("1.25")
    answer = sent(client, text.replace("1.5", "1.75"), prepare="1")
    assert "rows.csv" in client.get(answer.location).text
    assert priced(bolt, company).price == D("1.25")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("contract,sku,value\nOTHER,BOLT,1\n", "rows.csv", "rows of the contract OTHER too"),
        ("contract,sku,kind,value\nK,BOLT,formula,1\n", "rows.csv", "formulas: import it instead"),
        ("sku,value\nBOLT,1\n", "rows.pdf", "Choose a CSV, XLSX or ODS file"),
        ("sku,value\n" + "BOLT,1\n" * 5001, "rows.csv", "more than 5000 rows"),
        ("sku,value\nNONE,1\n", "rows.csv", "There is no product or category with this code"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_reason(desk, text, name, said):
    client, company, bolt = desk
    answer = sent(client, text, name)
    assert answer.status_code == 422
    assert said in answer.text
    assert priced(bolt, company).price == D("1.50")
