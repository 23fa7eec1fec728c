"""A file in the columns of the import, taken like pasted rows: saved, or looked at first."""

from __future__ import annotations

import io
import re
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.pricing_contract import publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.editing import contract_by_code
from addons.pricing_contract.formulas import Terms, read_terms
from addons.pricing_contract.imports import CONTRACT_PRICES
from addons.pricing_contract.models import Contract, ContractPrice
from core.catalog.models import Product
from core.companies.models import Company
from core.data.db import db
from core.data.write import write
from core.imports.running import run
from core.imports.source import Source
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


def test_a_whole_price_list_shows_first_what_would_change(desk):
    client, *_rest = desk
    for name in ("A", "B", "C"):
        row(contract_by_code("K"), make_product(name, price="2"), "1")
    text = client.get(f"{PAGE}/export").text
    same = client.get(sent(client, text, prepare="1").location).text
    assert "Every row says what stands already: published now, nothing would change." in same
    page = client.get(
        sent(client, text.replace("K,C,,pcs,EUR,0,,fixed,1,", "K,C,,pcs,EUR,0,,fixed,1.10,"), prepare="1").location
    )
    codes = re.findall(r'<span class="tk-code">([A-Z]+)</span>', page.text[page.text.index("What it does") :])
    assert codes == ["C", "A", "B", "BOLT"]
    listed = [client.get(f"/admin/a/pricing_contract/contracts?changes={span}").text for span in ("2..", "3..")]
    assert ["1 contract" in page for page in listed] == [True, False]
    with write():
        contract_by_code("K").status = "draft"
    answer = sent(client, "sku,value\nBOLT,1.20\n", prepare="1")
    assert "No buyer would see another price: the contract is a draft." in client.get(answer.location).text


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("contract,sku,value\nOTHER,BOLT,1\n", "rows.csv", "rows of the contract OTHER too"),
        ("sku,kind,value,base\nBOLT,formula,1,nothing\n", "rows.csv", "“nothing” is not understood"),
        ("sku,kind,value,base,percents\nBOLT,formula,0,cost,10;x\n", "rows.csv", "is not understood"),
        ("sku,kind,value,base\nBOLT,formula,1,contract:K\n", "rows.csv", "computed from itself"),
        (
            "sku,kind,value,base\nBOLT,formula,1,contract:NONE\n",
            "rows.csv",
            "no contract or price list with the code “NONE”",
        ),
        ("sku,kind,value,base\nBOLT,percent,10,cost\n", "rows.csv", "Only a row of the kind “formula” takes a base"),
        ("sku,value\nBOLT,1.10\nBOLT,1.20\n", "rows.csv", "given twice (rows 1 and 2)"),
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


FORMULAS = [
    "list,,,,,,,",
    "cost,-20,,0.05,up,0.10,0.50,2",
    "list,10;3,true,,,,,",
    "msrp,10;-2.5,,0.1,down,-0.05,,",
    "contract:BASE,,,,,,,",
]


@pytest.mark.parametrize("columns", FORMULAS)
def test_formulas_of_a_file_are_prepared_and_say_what_the_import_would_say(desk, columns):
    client, _company, bolt = desk
    row(contract("BASE", audience="public"), bolt, "1.90")
    parts = "base,percents,additive,round_to,round_mode,surcharge,min_margin,max_margin"
    text = f"contract,sku,kind,value,{parts}\nK,BOLT,formula,5,{columns}\n"
    answer = sent(client, text, prepare="1")
    assert answer.status_code == 303
    change = db.session.scalar(select(Change))
    publishing.publish(change.contract, change, change.version)
    prepared = stored()
    publishing.undo(change.contract, change, change.version)
    names, cells = (line.split(",") for line in text.splitlines())
    assert run(CONTRACT_PRICES, Source("k.csv", tuple(names), [(2, dict(zip(names, cells, strict=True)))], 1)).errors == []
    assert stored() == prepared


def stored() -> Terms:
    """Return the formula that stands in K, beside the fixed price of a piece."""
    query = select(ContractPrice).join(Contract).where(Contract.code == "K", ContractPrice.kind == "formula")
    found = db.session.scalars(query.execution_options(populate_existing=True)).one()
    return read_terms(found.terms, found.value)


def test_downloaded_formulas_go_in_again(desk):
    client, *_rest = desk
    pasted = {"rows": "BOLT\t\t\tformula\tlist -10% -3% +0.1"}
    assert client.post(f"{PAGE}/paste", data=pasted).status_code == 200
    text = client.get(f"{PAGE}/export").text
    assert "10;3" in text
    answer = sent(client, text.replace("10;3", "10;4"), prepare="1")
    assert "−\u00a04\u00a0%" in client.get(answer.location).text
    change = db.session.scalar(select(Change))
    assert (change.effect["rows"]["other"], change.effect["rows"]["same"]) == (1, 1)


def test_a_value_alone_does_not_stand_in_for_a_formula(desk):
    """Which would take it as a percent, or not at all."""
    client, *_rest = desk
    client.post(f"{PAGE}/paste", data={"rows": "BOLT\tpcs\t\tformula\tlist -10%"})
    for cells, said in (({}, "A formula stands here"), ({"kind": "fixed"}, "")):
        row = {"contract": "K", "sku": "BOLT", "unit": "pcs", "value": "1.10", **cells}
        report = run(CONTRACT_PRICES, Source("k.csv", tuple(row), [(2, row)], 1))
        assert [error.message.startswith(said) for error in report.errors] == ([True] if said else [])
        here = contract_by_code("K").company_id  # an import lets all objects go
        bolt = db.session.scalar(select(Product).where(Product.sku == "BOLT"))
        assert priced(bolt, db.session.get(Company, here)).price == (D("1.8") if said else D("1.10"))
