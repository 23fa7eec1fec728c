"""Somebody changes a row in the moment in which a file with it is imported: the import goes on with what is there then."""

from sqlalchemy import select

from core.catalog.models import Product
from core.companies.models import Company
from core.data.db import db
from core.data.write import write
from core.imports.services import import_file
from core.testing.factories import make_company, make_product
from core.testing.rivals import rival


def change(model, **values):
    """Change the one row of a kind, as a form does."""
    with write() as session:
        found = session.scalars(select(model)).one()
        for name, value in values.items():
            setattr(found, name, value)


def test_a_product_that_is_edited_meanwhile_does_not_stop_the_import(app, tmp_path):
    make_product("BOLT", price="1")
    path = tmp_path / "products.csv"
    path.write_text("sku,name_en\nBOLT,New name\n", encoding="utf-8")
    with rival("FROM catalog_product", lambda: change(Product, gtin="4006381333931")):
        report = import_file("products", path)
    db.session.rollback()
    found = db.session.scalars(select(Product)).one()
    assert (report.changed, report.counts["error"]) == (1, 0)
    assert found.gtin == "4006381333931"


def test_a_company_that_is_edited_meanwhile_does_not_stop_the_import(app, tmp_path):
    make_company("ACME")
    path = tmp_path / "companies.csv"
    path.write_text("code,name,country,currency\nACME,New name,FI,EUR\n", encoding="utf-8")
    with rival("FROM companies_company", lambda: change(Company, phone="+358 1")):
        report = import_file("companies", path)
    db.session.rollback()
    found = db.session.scalars(select(Company)).one()
    assert (report.changed, found.name, found.phone) == (1, "New name", "+358 1")
