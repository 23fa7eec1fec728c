"""Importers: files in, a report for every row; bad input named; twice the same; exports that come back."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from core.catalog.imports import ATTRIBUTES, CATEGORIES, ITEM_CODES, PRODUCTS, UNITS
from core.catalog.models import Category, Media, Product, ProductAttribute, ProductText, ProductUnit
from core.companies.imports import ADDRESSES, COMPANIES, USERS
from core.companies.models import Company, CompanySegment, Membership
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import set_actor, system
from core.data.write import writing
from core.i18n.characters import cleaned
from core.imports.attachments import attached
from core.imports.exporting import export
from core.imports.report import Report, shortened
from core.imports.running import GIVE_WAY, RowParser, run
from core.imports.source import Source, open_file
from core.orders.digest import content_of, digest
from core.orders.imports import ORDER_LINES, ORDERS
from core.orders.models import Movement, NumberSeries, Order, OrderCharge, OrderLine
from core.pricing.imports import CURRENCY_RATES, LIST_PRICES, TAX_RATES
from core.pricing.models import ListPrice
from core.spec.errors import Invalid
from core.spec.imports import DataImport
from core.testing.factories import make_product, make_seller
from core.testing.statements import count_statements

Row = Mapping[str, Any]


@pytest.fixture
def shop(app: Flask) -> Iterator[Flask]:
    """An app context as the system, with a seller."""
    with app.app_context():
        set_actor(system("import tests"))
        make_seller()
        yield app


def load(kind: DataImport, *rows: Row, **options: Any) -> Report:
    """Import rows as if they came from a file."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    numbered = [(number, {name: str(row.get(name, "")) for name in columns}) for number, row in enumerate(rows, 2)]
    return run(kind, Source("rows", columns, numbered, len(rows)), zone="Europe/Helsinki", **options)


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def only_error(report: Report) -> tuple[int, str, str]:
    """Return row, column and message of the one error."""
    assert len(report.errors) == 1, report.errors
    error = report.errors[0]
    return error.number, error.field, str(error.message)


BOLT = {"sku": "BOLT-8", "name_en": "Bolt M8", "name_fi": "Pultti M8"}
ACME = {"code": "ACME", "name": "Acme Oy", "country": "FI", "currency": "EUR"}
SITE = {"company": "ACME", "code": "MAIN", "street": "Satamakatu 1", "city": "Turku", "default": "yes"}


@pytest.mark.database("sqlite")
class TestFiles:
    """What a file may look like; encodings and delimiters are in the unit tests."""

    def test_spreadsheet_cells_are_normalised(self, shop: Flask, tmp_path: Path) -> None:
        from xlsxwriter import Workbook

        path = tmp_path / "products.xlsx"
        with Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["sku", "name_en", "weight_kg", "manufacturer_code"])
            sheet.write_row(1, 0, [99999, "Numeric code", 0.1])
            sheet.write_formula(1, 3, '="A"&"1"', value="A1")
        report = run(PRODUCTS, open_file(path))
        assert report.counts == {"created": 1}, report.errors
        product = db.session.scalars(select(Product)).one()
        assert (product.sku, product.weight_kg, product.manufacturer_code) == ("99999", Decimal("0.1"), "A1")

    def test_missing_column_is_named(self, shop: Flask) -> None:
        with pytest.raises(Invalid, match="rows has no column sku, which products needs"):
            load(PRODUCTS, {"name_en": "Bolt"})

    def test_unknown_column_is_noted(self, shop: Flask) -> None:
        report = load(PRODUCTS, {**BOLT, "categry": "x"})
        assert report.notes == ["The column categry was not used. Did you mean category?"]

    def test_row_with_too_many_cells_is_refused(self, shop: Flask, tmp_path: Path) -> None:
        path = written(tmp_path / "products.csv", "sku,name_en\nA,Bolt, long\nB,Nut\n")
        report = run(PRODUCTS, open_file(path))
        assert report.counts == {"error": 1, "created": 1}
        assert only_error(report)[0] == 2
        assert "quotation marks" in only_error(report)[2]

    def test_header_may_be_written_as_people_do(self, shop: Flask) -> None:
        report = load(PRODUCTS, {"SKU": "A", "Name EN": "Bolt"})
        assert report.counts == {"created": 1}


BAD_CELLS = [
    (PRODUCTS, BOLT, "weight_kg", "heavy", "“heavy” is not a number; write it as 1234.50."),
    (PRODUCTS, BOLT, "weight_kg", "NaN", "is not a number"),
    (PRODUCTS, BOLT, "weight_kg", "Infinity", "is not a number"),
    (PRODUCTS, BOLT, "weight_kg", "1e5", "is not a number: write all its digits instead of an exponent, such as 12000."),
    (PRODUCTS, BOLT, "weight_kg", "1000000000000", "Enter 999,999,999 or less."),
    (PRODUCTS, BOLT, "weight_kg", "1,234", "can be read in two ways; write 1234 or 1.234"),
    (PRODUCTS, BOLT, "weight_kg", "0.1234567", "Use at most 6 decimals."),
    (PRODUCTS, BOLT, "weight_kg", "-1", "A weight cannot be negative."),
    (PRODUCTS, BOLT, "gtin", "4006381333932", "is no valid GTIN"),
    (PRODUCTS, BOLT, "status", "sold", "“sold” is not one of active, blocked, discontinued."),
    (PRODUCTS, BOLT, "category", "nowhere", "There is no category “nowhere”."),
    (PRODUCTS, BOLT, "superseded_by", "nothing", "There is no other product “nothing”"),
    (PRODUCTS, BOLT, "attr:colour", "red", "There is no attribute “colour”."),
    (PRODUCTS, BOLT, "name_en", "x" * 251, "It has 251 characters, at most 250 fit."),
    (
        PRODUCTS,
        BOLT,
        "name_en",
        "a\x00b",
        "Character 2 (U+0000) is invisible and cannot be kept.",
    ),
    (COMPANIES, ACME, "business_id", "0112038-8", "is not a valid Y-tunnus"),
    (COMPANIES, ACME, "vat_id", "FI01120388", "is not a valid VAT id"),
    (COMPANIES, ACME, "country", "XX", "is not a country code"),
    (COMPANIES, ACME, "currency", "EURO", "at most 3 fit"),
    (COMPANIES, ACME, "currency", "ABC", "is not a currency code"),
    (COMPANIES, ACME, "parent", "NOBODY", "There is no company “NOBODY”."),
    (COMPANIES, ACME, "parent", "ACME", "The company would stand below itself"),
    (COMPANIES, ACME, "sales_rep", "nobody@x.example", "There is no member of staff “nobody@x.example”."),
    (COMPANIES, ACME, "language", "xx", "“xx” is not one of"),
    (COMPANIES, ACME, "code", "has space", "Use letters, digits"),
]


@pytest.mark.database("sqlite")
class TestBadCells:
    """Each wrong cell gets a sentence; the rest of the file goes in."""

    def test_bad_cell_is_named(self, shop: Flask) -> None:
        for kind, row, column, value, said in BAD_CELLS:
            fine = {**row, kind.key[0]: "FINE"}
            report = load(kind, fine, {**row, column: value}, dry_run=True)
            assert report.counts == {"created": 1, "error": 1}, (column, value, report.errors)
            number, field, message = only_error(report)
            assert (number, field) == (3, column), value
            assert said in message
            told = report.errors[0]
            assert told.key == " / ".join({**row, column: value}.get(name, "") for name in kind.key), "the key names the row"
            assert told.value == shortened(cleaned(value)[:250])

    def test_empty_required_cell_and_duplicate_key_are_named(self, shop: Flask) -> None:
        report = load(PRODUCTS, BOLT, {**BOLT, "sku": ""}, {**BOLT, "name_en": "Again"})
        assert [(e.number, e.field, str(e.message)) for e in report.errors] == [
            (3, "sku", "The cell is empty; a value is needed."),
            (4, "sku", "This key is already in row 2 of the file; keep one of the two."),
        ]

    def test_decimal_comma_is_read_where_it_is_meant(self, shop: Flask, tmp_path: Path) -> None:
        path = written(tmp_path / "p.csv", "sku;name_en;weight_kg\nA;Bolt;1,234\nB;Nut;1 234,5\nC;Pin;1.234,5\n")
        assert run(PRODUCTS, open_file(path)).counts == {"created": 3}
        weights = db.session.scalars(select(Product.weight_kg).order_by(Product.sku)).all()
        assert weights == [Decimal("1.234"), Decimal("1234.5"), Decimal("1234.5")]

    def test_payload_is_kept_as_text(self, shop: Flask) -> None:
        for text in ("<script>alert(1)</script>", "'; DROP TABLE catalog_product; --", "=1+1", "{{ 7*7 }}"):
            load(PRODUCTS, {**BOLT, "name_en": text, "description_en": text})
            stored = select(ProductText.name, ProductText.description).where(ProductText.locale == "en")
            assert db.session.execute(stored).one() == (text, text)

    def test_row_that_the_database_refuses_stands_alone(self, shop: Flask) -> None:
        def load_rows(rows: Any) -> Any:
            if any(row.values["sku"] == "BAD" for row in rows):
                db.session.execute(select(Product.id))
                db.session.execute(
                    ListPrice.__table__.insert(),
                    [
                        {
                            "product_id": 10**9,
                            "unit": "x",
                            "currency": "EUR",
                            "price": Decimal(1),
                            "per": Decimal(1),
                            "valid_from": datetime.now(UTC),
                        }
                    ],
                )
            return PRODUCTS.load(rows)

        report = load(
            replace(PRODUCTS, load=load_rows), *({**BOLT, "sku": f"S{n}"} for n in range(5)), {**BOLT, "sku": "BAD"}
        )
        assert report.counts == {"created": 5, "error": 1}
        assert "The database refused the row" in only_error(report)[2]

    def test_fault_for_which_no_row_is_to_blame_stops_the_import(self, shop: Flask) -> None:
        def load_rows(rows: Any) -> Any:
            raise OperationalError("select 1", {}, Exception("server closed the connection"))

        with pytest.raises(OperationalError):
            load(replace(PRODUCTS, load=load_rows), BOLT, {**BOLT, "sku": "NUT"})


class TestTwice:
    """The same rows again touch nothing."""

    def test_second_import_changes_nothing(self, shop: Flask) -> None:
        load(CATEGORIES, {"code": "bolts", "name_en": "Bolts"})
        load(ATTRIBUTES, {"code": "length", "name_en": "Length", "type": "number", "unit": "mm"})
        row = {**BOLT, "category": "bolts", "attr:length": "40", "weight_kg": "0.02"}
        assert load(PRODUCTS, row).counts == {"created": 1}
        before = db.session.execute(select(Product.version, Product.updated_at)).one()
        audited = db.session.scalar(select(func.count()).select_from(AuditEntry))
        assert load(PRODUCTS, row).counts == {"unchanged": 1}
        assert db.session.execute(select(Product.version, Product.updated_at)).one() == before
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == audited

    def test_changed_row_changes_what_differs(self, shop: Flask) -> None:
        load(PRODUCTS, BOLT, {**BOLT, "sku": "NUT"})
        report = load(PRODUCTS, {**BOLT, "name_en": "Bolt M8 long"}, {**BOLT, "sku": "NUT"})
        assert report.counts == {"updated": 1, "unchanged": 1}
        assert db.session.scalar(select(ProductText.name).where(ProductText.name.contains("long"))) == "Bolt M8 long"

    def test_empty_cell_leaves_what_is_there(self, shop: Flask) -> None:
        load(PRODUCTS, {**BOLT, "manufacturer": "Maker"})
        assert load(PRODUCTS, {**BOLT, "manufacturer": ""}).counts == {"unchanged": 1}
        assert db.session.scalar(select(Product.manufacturer)) == "Maker"

    def test_dry_run_keeps_nothing(self, shop: Flask) -> None:
        report = load(PRODUCTS, BOLT, dry_run=True)
        assert report.counts == {"created": 1}
        assert db.session.scalar(select(func.count()).select_from(Product)) == 0

    def test_statements_do_not_grow_with_rows(self, shop: Flask) -> None:
        def statements(count: int, prefix: str) -> int:
            with count_statements() as counted:
                load(PRODUCTS, *({**BOLT, "sku": f"{prefix}{n}"} for n in range(count)))
            return counted.count

        statements(1, "warm")
        assert statements(200, "many") <= statements(2, "few") + 2


class TestCatalogue:
    """Trees, units, pictures and codes."""

    def test_category_parent_may_stand_below(self, shop: Flask) -> None:
        report = load(CATEGORIES, {"code": "m8", "parent": "bolts"}, {"code": "bolts", "parent": ""})
        assert report.counts == {"created": 2}
        assert db.session.scalar(select(Category.path).where(Category.code == "m8")) == "/bolts/m8/"

    def test_moved_category_takes_its_children_along(self, shop: Flask) -> None:
        load(CATEGORIES, {"code": "a"}, {"code": "b"}, {"code": "c", "parent": "b"})
        assert load(CATEGORIES, {"code": "b", "parent": "a"}).counts == {"updated": 1}
        assert db.session.scalar(select(Category.path).where(Category.code == "c")) == "/a/b/c/"

    def test_slash_in_the_code_of_a_category_is_refused(self, shop: Flask) -> None:
        report = load(CATEGORIES, {"code": "a/b", "name_en": "Slash"}, {"code": "c", "parent": "a/b"}, {"code": "d"})
        assert report.counts == {"created": 1, "error": 2}
        assert "A slash parts categories in addresses" in str(report.errors[0].message)

    def test_category_circle_is_refused(self, shop: Flask) -> None:
        report = load(CATEGORIES, {"code": "a", "parent": "b"}, {"code": "b", "parent": "a"})
        assert report.counts == {"error": 2}

    def test_units_have_exact_factors(self, shop: Flask) -> None:
        load(PRODUCTS, BOLT)
        report = load(
            UNITS,
            {"sku": "BOLT-8", "unit": "box", "factor": "200"},
            {"sku": "BOLT-8", "unit": "third", "factor": "1/3"},
            {"sku": "BOLT-8", "unit": "pcs", "factor": "2"},
            {"sku": "BOLT-8", "unit": "bag", "factor": "0.5"},
            {"sku": "BOLT-8", "unit": "tub", "factor": ""},
        )
        assert [(e.number, e.field) for e in report.errors] == [(4, "factor"), (5, "factor"), (6, "factor")]
        factors = db.session.execute(select(ProductUnit.unit, ProductUnit.numerator, ProductUnit.denominator))
        assert {tuple(row) for row in factors} == {("pcs", 1, 1), ("box", 200, 1), ("third", 1, 3)}

    def test_attribute_values_are_typed(self, shop: Flask) -> None:
        load(ATTRIBUTES, {"code": "length", "type": "number"}, {"code": "safe", "type": "boolean"})
        report = load(
            PRODUCTS,
            {**BOLT, "attr:length": "40,5", "attr:safe": "x"},
            {**BOLT, "sku": "NUT", "attr:length": "long", "attr:safe": ""},
        )
        assert only_error(report)[:2] == (3, "attr:length")
        values = db.session.execute(select(ProductAttribute.text, ProductAttribute.number).order_by(ProductAttribute.text))
        assert [tuple(row) for row in values] == [("40.5", Decimal("40.5")), ("yes", None)]

    def test_pictures_lie_beside_the_file(self, shop: Flask, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        written(tmp_path / "images" / "bolt.svg", "<svg/>")
        rows = [{**BOLT, "image": "bolt.svg"}, {**BOLT, "sku": "NUT", "image": "../secret.svg"}]
        with attached(tmp_path):
            report = load(PRODUCTS, *rows)
            assert load(PRODUCTS, rows[0]).counts == {"unchanged": 1}
        assert only_error(report)[:2] == (3, "image")
        assert db.session.scalar(select(func.count()).select_from(Media)) == 1

    def test_item_codes_belong_to_companies(self, shop: Flask) -> None:
        load(PRODUCTS, BOLT)
        load(COMPANIES, ACME)
        row = {"company": "ACME", "code": "A-1", "sku": "BOLT-8"}
        assert load(ITEM_CODES, row, {**row, "code": "A-2", "sku": "NONE"}).counts == {"created": 1, "error": 1}
        assert load(ITEM_CODES, row).counts == {"unchanged": 1}


class TestCompanies:
    """Trees, segments, addresses and people."""

    def test_tree_segments_and_people(self, shop: Flask) -> None:
        staff = {"email": "Sales@tukku.example", "name": "Sami", "roles": "sales"}
        assert load(USERS, staff).counts == {"created": 1}
        child = {**ACME, "code": "ACME-2", "parent": "ACME", "segments": "gold;marine", "sales_rep": "sales@tukku.example"}
        assert load(COMPANIES, child, {**ACME, "segments": "gold"}).counts == {"created": 2}
        assert load(ADDRESSES, SITE).counts == {"created": 1}
        buyer = {"email": "anna@acme.example", "company": "ACME", "name": "Anna", "roles": "orderer;approver"}
        assert load(USERS, buyer, {**buyer, "company": "ACME-2", "roles": "viewer"}).counts == {"created": 2}
        assert load(USERS, {**buyer, "roles": "orderer"}).counts == {"updated": 1}
        assert load(COMPANIES, {**child, "segments": "marine"}).counts == {"updated": 1}
        assert db.session.scalar(select(func.count()).select_from(CompanySegment)) == 2
        assert sorted(db.session.scalars(select(Membership.role))) == ["orderer", "viewer"]
        for kind, row in ((COMPANIES, {**child, "segments": "marine"}), (ADDRESSES, SITE), (USERS, staff)):
            assert load(kind, row).counts == {"unchanged": 1}

    def test_person_that_cannot_be_is_refused(self, shop: Flask) -> None:
        cases = [
            ({"email": "nobody", "name": "N", "roles": "sales"}, "email", "is not an e-mail address"),
            ({"email": "a@b.example", "name": "N", "roles": "orderer"}, "roles", "There is no role “orderer” here"),
            ({"email": "a@b.example", "company": "NONE", "name": "N", "roles": "orderer"}, "company", "There is no company"),
            ({"email": "a@b.example", "roles": "sales"}, "name", "A new row needs a value here."),
        ]
        for row, field, said in cases:
            _number, column, message = only_error(load(USERS, row))
            assert column == field
            assert said in message


class TestPrices:
    """List prices, tax and currency rates."""

    def test_days_are_the_sellers_and_the_last_one_is_included(self, shop: Flask) -> None:
        load(PRODUCTS, BOLT)
        row = {
            "sku": "BOLT-8",
            "unit": "pcs",
            "currency": "EUR",
            "from": "1.1.2026",
            "price": "10,39",
            "per": "100",
            "until": "2026-06-30",
        }
        assert load(LIST_PRICES, row).counts == {"created": 1}
        assert load(LIST_PRICES, row).counts == {"unchanged": 1}
        price = db.session.scalars(select(ListPrice)).one()
        assert (price.price, price.per) == (Decimal("10.39"), Decimal(100))
        assert price.valid_from == datetime(2025, 12, 31, 22, tzinfo=UTC)
        assert price.valid_until == datetime(2026, 6, 30, 21, tzinfo=UTC)

    def test_bad_price_is_named(self, shop: Flask) -> None:
        cases = [
            ({"sku": "NONE"}, "sku", "There is no product “NONE”."),
            ({"unit": "box"}, "unit", "The product is not sold in “box”"),
            ({"price": "-1"}, "price", "A price cannot be negative."),
            ({"per": "0"}, "per", "It must be above zero"),
            ({"currency": "XXX"}, "currency", "codes in X stand for tests, funds and metals"),
            ({"currency": "DEM"}, "currency", "is no longer paid with"),
            ({"until": "2025-12-31"}, "until", "The last day is before the first, 2026-01-01; swap the two."),
            ({"until": "31.2.2026"}, "until", "is not a date"),
        ]
        load(PRODUCTS, BOLT)
        row = {"sku": "BOLT-8", "unit": "pcs", "currency": "EUR", "from": "2026-01-01", "price": "1"}
        for change, field, said in cases:
            _number, column, message = only_error(load(LIST_PRICES, {**row, **change}))
            assert column == field
            assert said in message

    def test_rates(self, shop: Flask) -> None:
        tax = {"country": "SE", "category": "standard", "from": "1990-07-01", "rate": "25"}
        rate = {"from": "EUR", "to": "SEK", "date": "2026-11-01", "rate": "11.35", "source": "ECB"}
        for kind, row, field in ((TAX_RATES, tax, "rate"), (CURRENCY_RATES, rate, "rate")):
            assert load(kind, row).counts == {"created": 1}
            assert load(kind, row).counts == {"unchanged": 1}
            assert only_error(load(kind, {**row, field: "-1"}))[1] == field


ORDER = {
    "number": "7001", "company": "ACME", "date": "2026-03-02T08:30", "currency": "EUR", "ship_to": "MAIN", "bill_to": "MAIN",
    "state": "completed", "freight": "12.90",
}  # fmt: skip
LINE = {
    "order": "7001",
    "line": "1",
    "sku": "BOLT-8",
    "quantity": "3",
    "unit_price": "9.99",
    "discount_percent": "5",
    "shipped": "3",
}


@pytest.fixture
def history(shop: Flask) -> Flask:
    """What past orders refer to."""
    load(TAX_RATES, {"country": "FI", "category": "standard", "from": "2024-09-01", "rate": "25.5"})
    load(PRODUCTS, BOLT)
    load(COMPANIES, ACME)
    load(ADDRESSES, SITE)
    return shop


class TestOrders:
    """Past orders keep their amounts; those of the shop are never touched."""

    def test_amounts_are_exact(self, history: Flask) -> None:
        assert load(ORDERS, ORDER).counts == {"created": 1}
        assert load(ORDER_LINES, LINE).counts == {"created": 1}
        order = db.session.scalars(select(Order)).one()
        assert (order.net, order.tax, order.gross, order.rounding) == (
            Decimal("28.4715"), Decimal("10.55"), Decimal("51.9215"), "exact",
        )  # fmt: skip
        charges = db.session.execute(select(OrderCharge.code, OrderCharge.net, OrderCharge.tax_rate)).all()
        assert charges == [("freight", Decimal("12.9"), Decimal("25.5"))]
        assert order.digest == digest(content_of(order, list(order.lines)))
        assert (order.ship_to or {})["city"] == "Turku"
        assert order.submitted_at == datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
        assert db.session.scalar(select(Movement.quantity)) == Decimal(3)
        assert load(ORDERS, ORDER).counts == {"unchanged": 1}
        assert load(ORDER_LINES, LINE).counts == {"unchanged": 1}

    def test_changed_charges_change_the_sums(self, history: Flask) -> None:
        load(ORDERS, ORDER)
        load(ORDER_LINES, LINE)
        assert load(ORDERS, {**ORDER, "freight": "0", "other_charges": "5"}).counts == {"updated": 1}
        order = db.session.scalars(select(Order)).one()
        assert (order.charges_net, order.gross) == (Decimal(5), Decimal("28.4715") + 5 + Decimal("8.54"))
        assert only_error(load(ORDERS, {**ORDER, "freight": "-1"}))[1] == "freight"

    def test_order_may_be_rounded_as_the_shop_does(self, history: Flask) -> None:
        load(ORDERS, {**ORDER, "rounding": "line"})
        load(ORDER_LINES, LINE)
        assert db.session.scalar(select(Order.net)) == Decimal("28.47")

    def test_changed_line_changes_the_sums(self, history: Flask) -> None:
        load(ORDERS, ORDER)
        load(ORDER_LINES, {**LINE, "shipped": "1"})
        assert load(ORDER_LINES, {**LINE, "unit_price": "20", "discount_percent": "0"}).counts == {"updated": 1}
        assert db.session.scalar(select(Order.net)) == Decimal(60)
        assert db.session.scalar(select(func.sum(Movement.quantity))) == Decimal(3)

    def test_day_without_tax_rate_leaves_the_tax_out(self, history: Flask) -> None:
        load(ORDERS, {**ORDER, "date": "1996-07-04"})
        load(ORDER_LINES, LINE)
        assert db.session.execute(select(Order.net, Order.tax, Order.gross)).one() == (
            Decimal("28.4715"),
            0,
            Decimal("41.3715"),
        )

    def test_numbers_of_the_shop_go_on_above(self, history: Flask) -> None:
        load(ORDERS, {**ORDER, "number": "70001"})
        assert db.session.scalar(select(NumberSeries.next_value)) == 70002

    def test_order_of_the_shop_is_left_alone(self, history: Flask) -> None:
        load(ORDERS, ORDER)
        load(ORDER_LINES, LINE)
        from core.data.write import write

        with write():
            db.session.scalars(select(Order)).one().source = ""
        assert only_error(load(ORDERS, {**ORDER, "note": "changed"}))[2].startswith("This order was placed in the shop")
        assert only_error(load(ORDERS, {**ORDER, "freight": "1"}))[2].startswith("This order was placed in the shop")
        assert only_error(load(ORDER_LINES, {**LINE, "quantity": "4"}))[2].startswith("This order was placed in the shop")
        assert load(ORDERS, ORDER).counts == {"unchanged": 1}

    def test_bad_line_is_named(self, history: Flask) -> None:
        cases = [
            ({"order": "1"}, "order"),
            ({"sku": "NONE"}, "sku"),
            ({"unit": "box"}, "unit"),
            ({"quantity": "0"}, "quantity"),
            ({"quantity": "-3"}, "quantity"),
            ({"unit_price": "-1"}, "unit_price"),
            ({"discount_percent": "101"}, "discount_percent"),
            ({"shipped": "4"}, "shipped"),
            ({"line": "0"}, "line"),
        ]
        load(ORDERS, ORDER)
        for change, field in cases:
            assert only_error(load(ORDER_LINES, {**LINE, **change}))[1] == field


ALL = (
    (TAX_RATES, {"country": "FI", "category": "standard", "from": "2024-09-01", "rate": "25.5"}),
    (CURRENCY_RATES, {"from": "EUR", "to": "SEK", "date": "2026-11-01", "rate": "11.35"}),
    (CATEGORIES, {"code": "bolts", "name_en": "Bolts", "name_fi": "Pultit"}),
    (ATTRIBUTES, {"code": "material", "name_en": "Material", "type": "choice", "labels_fi": "Steel=Teräs"}),
    (PRODUCTS, {**BOLT, "category": "bolts", "attr:material": "Steel", "description_en": "=HYPERLINK(1)"}),
    (UNITS, {"sku": "BOLT-8", "unit": "box", "factor": "200", "minimum": "0.5", "step": "0.5", "precision": "1"}),
    (LIST_PRICES, {"sku": "BOLT-8", "unit": "pcs", "currency": "EUR", "price": "0.0215", "until": "2030-12-31"}),
    (COMPANIES, {**ACME, "segments": "gold;marine", "phone": "+358 1"}),
    (ADDRESSES, SITE),
    (USERS, {"email": "anna@acme.example", "company": "ACME", "name": "Anna", "roles": "orderer"}),
    (ITEM_CODES, {"company": "ACME", "code": "-A1", "sku": "BOLT-8"}),
    (ORDERS, ORDER),
    (ORDER_LINES, LINE),
)  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_export_comes_back_unchanged(shop: Flask, tmp_path: Path, ending: str) -> None:
    for kind, row in ALL:
        assert load(kind, row).failed == 0
    for kind, _row in ALL:
        path = tmp_path / f"{kind.kind}.{ending}"
        count = export(kind, path)
        report = run(kind, open_file(path), zone="Europe/Helsinki")
        assert report.counts == {"unchanged": count}, (kind.kind, report.errors)
        assert count > 0


@pytest.mark.database("sqlite")
def test_export_guards_formulas(shop: Flask, tmp_path: Path) -> None:
    load(PRODUCTS, {**BOLT, "description_en": "=1+1", "manufacturer": "@SUM(A1)"})
    export(PRODUCTS, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["description_en"], row["manufacturer"]) == ("'=1+1", "'@SUM(A1)")


@pytest.mark.database("sqlite")
def test_a_formula_without_its_value_is_refused_and_a_guarded_text_is_not(shop: Flask, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("sku,name_en,base_unit\n=1+1,Bolt,pcs\nA-1,=SUM(A1),pcs\nA-2,'=1+1,pcs\n", encoding="utf-8")
    report = run(PRODUCTS, open_file(path), zone="Europe/Helsinki")
    told = [(error.number, error.field, str(error.message)) for error in report.errors]
    said = "is a formula without its value: write the value, or an apostrophe before a text that begins so."
    assert told == [(2, "sku", f"“=1+1” {said}"), (3, "name_en", f"“=SUM(A1)” {said}")]
    assert report.counts == {"created": 1, "error": 2}


@pytest.mark.database("sqlite")
def test_export_of_unknown_format_is_refused(shop: Flask, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"must end in \.csv or \.xlsx"):
        export(PRODUCTS, tmp_path / "p.pdf")


@pytest.mark.database("sqlite")
def test_long_file_is_streamed(shop: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    calls: Callable[[Any], Any] = PRODUCTS.load

    def watched(rows: Any) -> Any:
        sizes.append(len(rows))
        return calls(rows)

    path = tmp_path / "p.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("sku,name_en\n")
        file.writelines(f"SKU-{number},Product {number}\n" for number in range(1200))
    done: list[int] = []
    report = run(replace(PRODUCTS, load=watched), open_file(path), progress=done.append)
    assert report.counts == {"created": 1200}
    assert sizes == done == [500, 500, 200]


@pytest.mark.database("sqlite")
def test_long_trial_keeps_nothing_and_says_how_it_was_tried(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.imports.running.WHOLE_TRIAL", 600)
    report = load(PRODUCTS, *({**BOLT, "sku": f"S{number}"} for number in range(601)), dry_run=True)
    assert report.counts == {"created": 601}
    assert "groups of 500 rows" in report.notes[0]
    assert db.session.scalar(select(func.count()).select_from(Product)) == 0


@pytest.mark.database("sqlite")
def test_others_write_while_the_cells_of_a_long_file_are_read(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.imports.running.WHOLE_TRIAL", 1)
    waits: list[float] = []
    monkeypatch.setattr("core.imports.running.time.sleep", waits.append)
    held: list[bool] = []
    read = RowParser.parse
    monkeypatch.setattr(RowParser, "parse", lambda *given: held.append(writing()) or read(*given))
    for dry_run in (True, False):
        load(PRODUCTS, BOLT, {**BOLT, "sku": "B"}, dry_run=dry_run)
    assert held == [False] * 4
    assert waits == [GIVE_WAY] * 2


def test_make_product_is_known_to_the_importer(shop: Flask) -> None:
    product = make_product("MADE-1")
    assert load(PRODUCTS, {"sku": product.sku, "manufacturer": "Maker"}).counts == {"updated": 1}


def test_companies_of_another_parent_move(shop: Flask) -> None:
    load(COMPANIES, ACME, {**ACME, "code": "B"}, {**ACME, "code": "C", "parent": "B"})
    assert load(COMPANIES, {**ACME, "code": "C", "parent": "ACME"}).counts == {"updated": 1}
    parents = dict(db.session.execute(select(Company.code, Company.parent_id)).all())
    ids = dict(db.session.execute(select(Company.code, Company.id)).all())
    assert parents["C"] == ids["ACME"]


def test_lines_of_several_orders_are_summed_each(history: Flask) -> None:
    load(ORDERS, ORDER, {**ORDER, "number": "7002"})
    load(ORDER_LINES, LINE, {**LINE, "line": "2"}, {**LINE, "order": "7002"})
    nets = dict(db.session.execute(select(Order.number, Order.net)).all())
    assert nets == {"7001": Decimal("56.943"), "7002": Decimal("28.4715")}
    assert db.session.scalar(select(func.count()).select_from(OrderLine)) == 3
