"""Whole data sets: Northwind by its preset, the demo merchant, the command line, the back-office pages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from core.accounts.models import User
from core.catalog.listing import found_by
from core.catalog.models import Product, ProductAttribute
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.demo import load_demo
from core.demo.agreements import volume_rows
from core.demo.assortment import articles
from core.demo.customers import customers
from core.demo.loading import ZONE
from core.demo.terms import SHOWCASE_SKU, Pricer, terms
from core.imports import runs
from core.imports.commands import export_command, import_command
from core.imports.presets import preset
from core.imports.services import import_steps
from core.jobs.runner import run_due
from core.orders.models import Order
from core.pricing import services as pricing
from core.spec.pricing import PriceRequest
from core.testing.factories import make_product, make_seller, make_staff
from core.ui.formats import money


@pytest.fixture
def shop(app: Flask) -> Iterator[Flask]:
    """An app context as the system, with a seller."""
    with app.app_context():
        set_actor(system("import tests"))
        make_seller()
        yield app


@pytest.mark.samples
def test_northwind_comes_in_exactly_and_only_once(shop: Flask, samples: Path) -> None:
    folder = samples / "data" / "northwind"
    first = import_steps(preset("northwind"), folder)
    assert [report.errors for report in first if report.errors] == []
    counts = {report.kind: report.counts["created"] for report in first}
    assert (counts["products"], counts["companies"], counts["orders"], counts["order_lines"]) == (77, 91, 830, 2155)
    net = db.session.scalar(select(func.sum(Order.net)))
    assert net == Decimal("1265793.0395")
    assert "1,265,793.04" in money(net, "USD", "en")
    assert db.session.scalar(select(func.count(Company.country.distinct()))) == 21
    assert db.session.scalar(select(func.count()).where(Product.status == "discontinued").select_from(Product)) == 10
    assert db.session.scalar(select(func.count()).select_from(ProductAttribute)) == 77
    again = import_steps(preset("northwind"), folder)
    assert [report.changed for report in again] == [0] * len(again)


@pytest.mark.samples
@pytest.mark.database("sqlite")
def test_northwind_dry_run_keeps_nothing(shop: Flask, samples: Path) -> None:
    reports = import_steps(preset("northwind"), samples / "data" / "northwind", dry_run=True)
    assert all(report.dry_run and report.changed for report in reports)
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


def prices(code: str, skus: list[str]) -> dict[str, Decimal | None]:
    """Return what a company pays now, for one of each, by SKU."""
    company = db.session.scalars(select(Company).where(Company.code == code)).one()
    rows = db.session.execute(select(Product.sku, Product.id, Product.base_unit).where(Product.sku.in_(skus))).all()
    context = pricing.context(company_id=company.id)
    asked = [PriceRequest(str(place), row.id, row.base_unit, Decimal(1)) for place, row in enumerate(rows)]
    lines = pricing.price(context, asked).lines
    return {row.sku: line.price for row, line in zip(rows, lines, strict=True)}


def test_demo_loads_and_loads_again(app: Flask) -> None:
    """In the night, when the day is young: the year of orders ends today all the same."""
    said: list[str] = []
    night = clock.start_of_day(clock.today(ZONE), ZONE) + timedelta(minutes=80)
    with app.app_context(), clock.frozen(night):
        set_actor(system("demo"))
        load_demo(said.append, scale=0.03)
        assert db.session.scalar(select(func.count()).select_from(Company)) == 60
        assert db.session.scalar(select(User.password).where(User.email == "anna@konepaja.example"))
        newest = db.session.scalar(select(func.max(Order.submitted_at)))
        assert clock.now() - newest < timedelta(minutes=60)
        counts = [line for line in said if "rows" in line]
        assert [line for line in counts if " 0 new" in line] == []
        said.clear()
        load_demo(said.append, scale=0.03)
        assert all(" 0 new or changed" in line for line in said if "rows" in line), said
        goods = articles(1, 0.03)
        pricer = Pricer(goods, customers(), terms(goods, clock.today(ZONE)))
        agreed, gaskets = ((row["sku"], row["category"]) for row in volume_rows(goods, clock.today(ZONE)))
        sold = [a for a in goods if a.status == "active" and a.packages[0].minimum <= 1]
        some = [a.sku for a in sold if a.sku != agreed[0] and a.category != gaskets[1]]
        for code in ("KONEPAJA-SJK", "NORDBYGG", "SVEAMEK", "IZMIRTERSANE", "TELAKKA-TKU"):
            told = {sku: pricer.price(code, sku, Decimal(1), clock.today(ZONE)) for sku in some}
            assert prices(code, some) == told, code
        paid = {code: prices(code, [SHOWCASE_SKU])[SHOWCASE_SKU] for code in ("KONEPAJA", "NORDBYGG")}
        assert paid == {"KONEPAJA": Decimal("8.15"), "NORDBYGG": Decimal("8.9")}
        listed = next(article.price for article in goods if article.sku == agreed[0])
        assert prices("KONEPAJA", [agreed[0]])[agreed[0]] == round(listed * Decimal("0.65"), 2)


@pytest.fixture
def tukku(shop: Flask) -> Callable[..., Any]:
    """Call a command as `tukku` does, inside the app."""
    return lambda command, *words: CliRunner().invoke(command, list(map(str, words)))


@pytest.mark.database("sqlite")
class TestCommands:
    """`tukku import` and `tukku export`."""

    def test_report_names_rows_and_exit_code_tells_of_errors(self, tukku: Callable[..., Any], tmp_path: Path) -> None:
        path = tmp_path / "products.csv"
        path.write_text("sku,name_en,weight_kg\nA,Bolt,1\nB,Nut,heavy\n")
        result = tukku(import_command, "products", path, "--dry-run")
        assert result.exit_code == 1
        assert "products (products.csv): 1 created, 1 error" in result.output
        assert "row 3 · B · weight_kg · “heavy” is not a number; write it as 1234.50." in result.output
        assert "Dry run: nothing was kept." in result.output
        report = json.loads(tukku(import_command, "products", path, "--json").output)[0]
        assert (report["created"], report["error"], report["errors"][0]["row"]) == (1, 1, 3)

    def test_every_refused_row_can_be_had_as_a_file(self, tukku: Callable[..., Any], tmp_path: Path) -> None:
        path, refused = tmp_path / "products.csv", tmp_path / "refused.csv"
        path.write_text("sku,name_en,weight_kg\n" + "".join(f"P{n},Bolt,heavy\n" for n in range(1200)) + "A,Nut,1\n")
        result = tukku(import_command, "products", path, "--refused", refused)
        assert "products (products.csv): 1 created, 1200 error" in result.output
        assert "… and 1180 more rows with errors; --refused FILE writes them all." in result.output
        with refused.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) == 1201
        assert rows[0] == ["Content", "Row", "Key", "Column", "Value", "What is wrong"]
        message = "“heavy” is not a number; write it as 1234.50."
        assert rows[-1] == ["products", "1201", "P1199", "weight_kg", "heavy", message]
        assert tukku(import_command, "products", path, "--refused", tmp_path).exit_code == 1

    def test_mapping_file_renames_columns(self, tukku: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "theirs.csv").write_text("artikel;text\n7;Bolzen\n")
        (tmp_path / "m.toml").write_text("[columns]\nsku = { format = 'B-{artikel}' }\nname_en = 'text'\n")
        result = tukku(import_command, "products", tmp_path / "theirs.csv", "--mapping", tmp_path / "m.toml")
        assert result.exit_code == 0, result.output
        assert db.session.scalar(select(Product.sku)) == "B-7"

    def test_mapping_takes_a_whole_folder(self, tukku: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "theirs.csv").write_text(
            "no,text,group,land\n7,Bolt,Screws,USA\n8,null,Screws,Suomi\n9,Nut,null,Atlantis\n"
        )
        (tmp_path / "m.toml").write_text(
            """empty = ["null"]
[[step]]
kind = "categories"
file = "theirs.csv"
distinct = ["code"]
unless_empty = ["group"]
columns = { code = { column = "group", case = "code" }, name_en = "group" }
[[step]]
kind = "products"
file = "theirs.csv"
columns = { sku = "no", name_en = "text", category = { column = "group", case = "code" } }
[[step]]
kind = "companies"
file = "theirs.csv"
columns = { code = "no", name = { constant = "Firm" }, country = "land", currency = { constant = "EUR" } }
"""
        )
        output = tukku(import_command, "--mapping", tmp_path / "m.toml", tmp_path).output
        assert "categories (theirs.csv): 1 created" in output
        assert "row 3 · 8 · name_en · A new product needs a name in at least one language." in output
        assert "row 4 · 9 · country · “Atlantis” is not a country. Write its two letters, such as FI, or its name." in output
        assert dict(db.session.execute(select(Company.code, Company.country)).all()) == {"7": "US", "8": "FI"}

    @pytest.mark.parametrize(
        ("setting", "said"),
        [
            ('distinct = ["group"]', "categories.distinct: “group” is none of its fields: code."),
            ('unless_empty = ["none"]', "categories.unless_empty: theirs.csv has no column “none”, only group."),
        ],
    )
    def test_setting_of_a_step_that_names_nothing_is_refused(
        self, tukku: Callable[..., Any], tmp_path: Path, setting: str, said: str
    ) -> None:
        (tmp_path / "theirs.csv").write_text("group\nScrews\n")
        step = f'[[step]]\nkind = "categories"\nfile = "theirs.csv"\n{setting}\ncolumns = {{ code = "group" }}\n'
        (tmp_path / "m.toml").write_text(step)
        result = tukku(import_command, "--mapping", tmp_path / "m.toml", tmp_path)
        assert result.exit_code == 1
        assert said in result.output

    def test_export_says_how_much(self, tukku: Callable[..., Any], tmp_path: Path) -> None:
        make_product("A")
        result = tukku(export_command, "products", tmp_path / "p.csv")
        assert result.output == f"products: 1 rows written to {tmp_path / 'p.csv'}\n"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "Say what to import"),
            (("prodcts", "x.csv"), "Did you mean products?"),
            (("products", "nothing.csv"), "There is no file nothing.csv."),
            (("--preset", "nothing", "."), "There is no preset “nothing”. Known: northwind."),
        ],
    )
    def test_wrong_words_are_explained(self, tukku: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
        result = tukku(import_command, *words)
        assert result.exit_code != 0
        assert said in result.output


@pytest.fixture
def office(app: Flask, login: Callable[[str], FlaskClient]) -> FlaskClient:
    """An administrator in the back-office."""
    with app.app_context():
        set_actor(system("tests"))
        make_seller()
        make_staff("admin@tukku.example")
    return login("admin@tukku.example")


def sent(client: FlaskClient, content: str, name: str = "p.csv", kind: str = "products") -> Any:
    """Upload a file."""
    return client.post("/admin/imports/", data={"kind": kind, "file": (io.BytesIO(content.encode()), name)})


def test_office_tries_a_file_and_runs_it(app: Flask, office: FlaskClient) -> None:
    answer = sent(office, "sku,name_en,weight_kg\nA,<script>alert(1)</script>,1\nB,Nut,heavy\n")
    assert answer.status_code == 303
    place = answer.headers["Location"]
    assert "Trying the file" in office.get(place).text
    run_due(app)
    page = office.get(place).text
    assert "What the file would do" in page
    assert "“heavy” is not a number; write it as 1234.50." in page
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Product)) == 0
    assert office.post(f"{place}/run").status_code == 303
    run_due(app)
    assert "What was done" in office.get(place).text
    with app.app_context():
        assert db.session.scalar(select(Product.sku)) == "A"
    assert "Download all rows with errors" in office.get(place).text
    refused = office.get(f"{place}/refused.csv", buffered=True)
    assert refused.headers["Content-Disposition"] == "attachment; filename=p-refused.csv"
    assert refused.text.splitlines()[1:] == ["products,3,B,weight_kg,heavy,“heavy” is not a number; write it as 1234.50."]
    assert "p.csv" in office.get("/admin/imports/").text
    assert office.post(f"{place}/run").status_code in (400, 422)


@pytest.mark.database("sqlite")
def test_an_import_that_is_stopped_keeps_what_went_in(app: Flask, office: FlaskClient, monkeypatch: Any) -> None:
    table = "sku,name_en\n" + "".join(f"A-{number},Anchor {number}\n" for number in range(1200))
    place = sent(office, table).headers["Location"]
    assert 'id="import-stop"' in office.get(place).text
    usual = runs.progress

    def stop(done: int, total: int) -> None:
        usual(done, total)
        if done == 500:  # as by another request, while the first group of rows is in hand
            runs.stop(runs.find(place.rsplit("/", 1)[1]))

    with monkeypatch.context() as patched:
        patched.setattr(runs, "progress", stop)
        run_due(app)
    page = office.get(place).text
    assert "It was stopped after 500 of 1,200 rows. Nothing was changed" in page
    assert f"{place}/run" not in page
    assert office.post(f"{place}/run").status_code == 422, "nobody saw what the rest of the file would do"
    place = sent(office, table).headers["Location"]
    run_due(app)
    assert office.post(f"{place}/run").status_code == 303
    with monkeypatch.context() as patched:
        patched.setattr(runs, "progress", stop)
        run_due(app)
    assert "It was stopped after 500 of 1,200 rows. What went in stays" in office.get(place).text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Product)) == 500
        set_actor(system("tests"))
        assert db.session.scalar(select(func.count()).select_from(Product).where(found_by("anchor 499"))) == 1, "it is found"
    assert office.post(f"{place}/stop").status_code == 303, "once it has ended, nothing more happens"


@pytest.mark.database("sqlite")
def test_office_refuses_what_cannot_be(app: Flask, office: FlaskClient) -> None:
    assert "Choose a CSV, XLSX or ODS file." in sent(office, "x", "p.exe").text
    assert office.get("/admin/imports/AAAAAAAAAAAAAAAA").status_code == 404
    assert office.get("/admin/imports/..%2f..%2fetc").status_code == 404
    place = sent(office, "name_en\nBolt\n").headers["Location"]
    run_due(app)
    assert "has no column sku" in office.get(place).text


@pytest.mark.database("sqlite")
def test_office_reads_what_is_wrong_in_its_language(app: Flask, office: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.execute(update(User).values(locale="fi"))
    wrong = sent(office, "sku,weight_kg\nA,raskas\n").headers["Location"]
    refused = sent(office, "name_en\nBolt\n").headers["Location"]
    run_due(app)
    assert "”raskas” ei ole luku" in office.get(wrong).text
    assert "puuttuu sarake sku" in office.get(refused).text


@pytest.mark.database("sqlite")
def test_office_shows_only_what_one_may_import(app: Flask, login: Callable[[str], FlaskClient]) -> None:
    with app.app_context():
        set_actor(system("tests"))
        make_seller()
        make_staff("sales@tukku.example", ["sales"])
    client = login("sales@tukku.example")
    assert "People and roles" not in client.get("/admin/imports/").text
    assert client.get("/admin/imports/export/users.csv").status_code == 403
    assert sent(client, "email\n", kind="users").status_code == 422
    answer = client.get("/admin/imports/export/products.csv", buffered=True)
    assert answer.status_code == 200
    assert answer.text.startswith("\ufeffsku,name_en")


@pytest.mark.database("sqlite")
def test_old_import_files_are_removed(app: Flask, office: FlaskClient) -> None:
    sent(office, "sku\nA\n")
    with app.app_context():
        with clock.frozen(clock.now() + timedelta(days=13)):
            runs.prune({})
        assert len(runs.recent()) == 1
        with clock.frozen(clock.now() + timedelta(days=15)):
            runs.prune({})
        assert runs.recent() == []


def test_a_file_of_its_heading_alone_is_told_from_one_that_changes_nothing(app: Flask, office: FlaskClient) -> None:
    def said(content: str) -> str:
        place = sent(office, content).headers["Location"]
        run_due(app)
        return office.get(place).text

    assert "The file has no rows below its heading." in said("sku,name_en\n")
    row = "sku,name_en,base_unit\nA,Bolt,pcs\n"
    place = sent(office, row).headers["Location"]
    run_due(app)
    assert office.post(f"{place}/run").status_code == 303
    run_due(app)
    assert "Everything in this file is there already." in said(row)
