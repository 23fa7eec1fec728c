"""What people get wrong, and the exact sentence that each gets: what, where, and how to mend it; nothing else suffers."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.catalog.imports import PRODUCTS
from core.catalog.models import Product, ProductText
from core.companies.models import Company
from core.data.db import db
from core.imports.running import run
from core.imports.source import open_file
from core.orders.models import OrderLine
from core.pricing.imports import CURRENCY_RATES, LIST_PRICES, TAX_RATES
from core.restapi import keys
from core.spec.errors import Invalid
from core.testing import factories as make
from core.testing.signin import sign_in

NOT_ZERO = "The quantity must be more than zero; to take a line away, remove it."
QUANTITIES = [
    ("0", NOT_ZERO),
    ("-3", NOT_ZERO),
    ("−3", NOT_ZERO),
    ("NaN", "“NaN” is not a number; write it as 1234.50."),
    ("Infinity", "“Infinity” is not a number; write it as 1234.50."),
    ("1000000000000", "The quantity 1000000000000 is too large; please check it."),
    ("1e12", "“1e12” is not a number: write all its digits instead of an exponent, such as 12000."),
    ("1.2.3", "“1.2.3” is not a number; write it as 1234.50."),
    ("ten", "“ten” is not a number; write it as 1234.50."),
    ("0.0000001", "A quantity has at most 6 decimals."),
]


@pytest.fixture
def shop(app: Flask) -> Flask:
    """Two companies that mirror each other, and a product in whole pieces."""
    bolt = make.make_product("BOLT", price="2")
    for name in ("ours", "theirs"):
        company = make.make_company(name, name=name.title())
        user = make.make_user(f"boss@{name}.example", company=company, roles=["company_admin", "orderer"])
        make.make_order(company, [(bolt, 2)], number=f"SO-{name}", user=user)
    make.make_staff("admin@tukku.example", ["admin", "sales"])
    return app


def told(answer) -> str:
    """Return the text of a page without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("typed", "said"), QUANTITIES)
def test_a_quantity_that_is_none_is_refused_in_the_cart_and_names_its_article(shop, typed, said):
    buyer = sign_in(shop, "boss@ours.example")
    answer = buyer.post("/cart/add", data={"sku": "BOLT", "quantity": typed, "unit": "pcs"}, follow_redirects=True)
    assert f"BOLT: {said}" in told(answer)
    assert db.session.scalar(select(func.count()).select_from(OrderLine)) == 2  # those of the two orders


@pytest.mark.database("sqlite")
def test_a_part_of_a_whole_unit_is_rounded_and_says_so(shop):
    buyer = sign_in(shop, "boss@ours.example")
    answer = buyer.post("/cart/add", data={"sku": "BOLT", "quantity": "1.5", "unit": "pcs"}, follow_redirects=True)
    said = "Product BOLT: the quantity was changed from 1.5 to 2. Only whole numbers can be ordered in pcs, not 1.5."
    assert said in told(answer)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        ("0", "It must be above zero."),
        ("-1", "It must be above zero."),
        ("NaN", "“NaN” is not a number; write it as 1234.50."),
        ("1e3", "“1e3” is not a number: write all its digits instead of an exponent, such as 12000."),
        ("1000000000000", "At most nine digits and 6 decimals are kept."),
        ("1,5", "“1,5” is not a number; write it as 1234.50."),
        (1.5, 'Write the number as a string, for example "12.50".'),
    ],
)
def test_the_api_names_the_member_with_the_bad_quantity(shop, quantity, said):
    head = {"Authorization": f"Bearer {keys.create('t', keys.offered(None), company_id=None, days=1).secret}"}
    sent = {"company": "ours", "lines": [{"sku": "BOLT", "quantity": quantity}]}
    answer = shop.test_client().post("/api/v1/prices/quote", json=sent, headers=head)
    assert (answer.status_code, answer.json["code"]) == (422, "VALIDATION")
    assert answer.json["errors"] == {"json": {"lines": {"0": {"quantity": [said]}}}}


def loaded(tmp_path: Path, kind, content: str | bytes, name: str = "file.csv"):
    """Import a file of a kind."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run(kind, open_file(path))


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("kind", "content", "field", "said"),
    [
        (LIST_PRICES, "sku,unit,currency,from,price\nBOLT,pcs,EURO,,2\n", "currency", "It has 4 characters, at most 3 fit."),
        (LIST_PRICES, "sku,unit,currency,from,price\nBOLT,pcs,ABC,,2\n", "currency",
         "“ABC” is not a currency code. Use three letters, such as EUR."),
        (LIST_PRICES, "sku,unit,currency,from,until,price\nBOLT,pcs,EUR,2026-06-01,2026-05-31,2\n", "until",
         "The last day is before the first, 2026-06-01; swap the two."),
        (TAX_RATES, "country,category,from,until,rate\nSE,standard,2026-06-01,2026-05-31,25\n", "until",
         "The last day is before the first, 2026-06-01; swap the two."),
        (CURRENCY_RATES, "from,to,date,rate\nEUR,SEK,2026-06-01,0\n", "rate", "A rate is above zero."),
        (PRODUCTS, "sku,name_en\nA,Bolt\nA,Nut\n", "sku", "This key is already in row 2 of the file; keep one of the two."),
        (PRODUCTS, "sku,name_en\nA,Bolt, long\n", "",
         "The row has 3 cells, the header has 2. Put quotation marks round text that contains the delimiter."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_named_with_its_column(shop, tmp_path, kind, content, field, said):
    report = loaded(tmp_path, kind, content)
    assert [(error.field, str(error.message)) for error in report.errors] == [(field, said)]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('sku,name_en\nA,Bolt\nB,"Nipple\nC,Nut\n', "unexpected end of data"),
        ('sku,name_en\nA,Bolt\nB,"1/2" nipple\nC,Nut\n', "',' expected after '\"'"),
        ('sku,name_en\nA,Bolt\nB,"Nipple\nC,"1/2 nipple"\nD,Nut\n', "',' expected after '\"'"),
    ],
)  # fmt: skip
def test_a_quotation_mark_that_stands_alone_swallows_no_rows_in_silence(shop, tmp_path, content, reason):
    report = loaded(tmp_path, PRODUCTS, content)
    said = f"file.csv cannot be read after row 2: {reason}. Look for a quotation mark that is not closed."
    assert dict(report.counts) == {"created": 1, "error": 1}
    assert [(error.number, str(error.message)) for error in report.errors] == [(3, said)]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("name_en\nBolt\n", "IMPORT-COLUMN-MISSING",
         "file.csv has no column sku, which products needs. Its columns are: name_en. "
         "Rename a column, or give a mapping file."),
        ("sku,name_en,SKU\nA,Bolt,B\n", "IMPORT-COLUMN-REPEATED",
         "file.csv has the column SKU twice; remove or rename one."),
        ("", "IMPORT-FILE-EMPTY", "file.csv is empty: the first row must name the columns."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_is_refused_whole(shop, tmp_path, content, code, said):
    with pytest.raises(Invalid) as refused:
        loaded(tmp_path, PRODUCTS, content)
    assert (refused.value.code, str(refused.value.message)) == (code, said)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("content", "notes"),
    [
        ("sku,name_en\nA,Mutteri ä\n".encode("latin-1"),
         ["The file is not UTF-8; it was read as Western European (Windows-1252, Latin-1). "
          "Check letters such as ä, ö and é, or save it as UTF-8."]),
        ("\ufeffsku,name_en\nA,Mutteri ä\n".encode(), []),
        ("sku,name_en\nA,Mutteri ä\n".encode("utf-16"), ["The file is UTF-16; it was read as such."]),
    ],
)  # fmt: skip
def test_letters_arrive_whatever_the_encoding_and_a_guess_is_told(shop, tmp_path, content, notes):
    report = loaded(tmp_path, PRODUCTS, content)
    assert (dict(report.counts), report.notes) == ({"created": 1}, notes)
    assert db.session.scalar(select(ProductText.name).where(ProductText.name.startswith("Mutteri"))) == "Mutteri ä"


@pytest.mark.database("sqlite")
def test_a_formula_counts_as_its_value_and_text_that_looks_like_one_stays_text(shop, tmp_path):
    from xlsxwriter import Workbook

    with Workbook(tmp_path / "file.xlsx", {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for column, (head, cell) in enumerate({"sku": "A", "name_en": "=1+1"}.items()):
            sheet.write_string(0, column, head)
            sheet.write_string(1, column, cell)
        sheet.write_string(0, 2, "weight_kg")
        sheet.write_formula(1, 2, "=1/4", None, 0.25)
    assert run(PRODUCTS, open_file(tmp_path / "file.xlsx")).counts == {"created": 1}
    assert db.session.scalar(select(Product.weight_kg).where(Product.sku == "A")) == Decimal("0.25")
    office = sign_in(shop, "admin@tukku.example")
    assert "'=1+1" in office.get("/admin/imports/export/products.csv", buffered=True).text


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/orders/SO-theirs", "There is no order SO-theirs."),
        ("/orders/SO-theirs/confirmation.pdf", "There is no order SO-theirs."),
    ],
)
def test_what_is_another_companys_does_not_exist(shop, url, said):
    answer = sign_in(shop, "boss@ours.example").get(url)
    assert answer.status_code == 404
    assert said in told(answer)


@pytest.mark.database("sqlite")
def test_a_key_of_one_company_finds_no_other(shop):
    company = db.session.scalar(select(Company).where(Company.code == "ours"))
    head = {"Authorization": f"Bearer {keys.create('t', keys.offered(company.id), company_id=company.id, days=1).secret}"}
    browser = shop.test_client()
    asked = browser.post(
        "/api/v1/prices/quote", json={"company": "theirs", "lines": [{"sku": "BOLT", "quantity": "1"}]}, headers=head
    )
    assert (asked.status_code, asked.json["detail"]) == (404, "There is no company theirs.")
    order = browser.get("/api/v1/orders/SO-theirs", headers=head)
    assert (order.status_code, order.json["detail"]) == (404, "There is no order SO-theirs.")
