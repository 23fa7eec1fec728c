"""Reports: asked on a page, downloaded, and written from the command line; each sees what its reader may see."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook

from core.backoffice.report_commands import report_group
from core.backoffice.reports import reports
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.registry.models import Incident
from core.registry.registry import EXTENSION, Contribution
from core.testing import factories as make
from core.testing.signin import sign_in

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture
def shop(app):
    """Two companies that ordered in May, one of them in April too."""
    bolt, nut = make.make_product("BOLT", price="3"), make.make_product("NUT", price="2")
    acme, other = make.make_company("acme"), make.make_company("other")
    at = {"submitted_at": NOON}
    make.make_order(acme, [(bolt, 2), (nut, 5)], number="SO-1", **at)
    make.make_order(other, [(bolt, 1)], number="SO-2", **at)
    make.make_order(acme, [(bolt, 7)], number="SO-3", submitted_at=datetime(2026, 4, 30, 20, 59, tzinfo=UTC))
    make.make_order(acme, [(bolt, 9)], number="SO-4", state="cancelled", **at)
    for role in ("admin", "sales", "warehouse"):
        make.make_staff(f"{role}@tukku.example", [role])
    return app


@pytest.fixture
def get(shop):
    def page(url, status=200, role="admin"):
        answer = sign_in(shop, f"{role}@tukku.example").get(url)
        assert answer.status_code == status, answer.text[-1500:]
        return answer

    return page


MAY = "from=2026-05-01&to=2026-05-31"


def lines(answer):
    return answer.get_data(as_text=True).lstrip("\ufeff").splitlines()


def test_reports_are_listed_and_proposed_for_this_month(get):
    page = unescape(get("/admin/reports").text)
    for title in ("Order lines", "Sales by product", "Sales by company", "Price list of a company"):
        assert title in page
    with clock.frozen(NOON):
        page = get("/admin/reports/orders.lines").text
    assert 'value="2026-05-01"' in page
    assert 'value="2026-05-20"' in page
    assert "3 rows" in page  # shown at once, as proposed
    assert 'id="rows"' not in get("/admin/reports/pricing.prices").text  # which company, nobody can guess


def test_rows_are_those_of_the_period_in_the_seller_s_days(get):
    page = get(f"/admin/reports/orders.lines?{MAY}").text
    assert ("3 rows" in page, "SO-1" in page, "SO-2" in page, "SO-3" in page, "SO-4" in page) == (
        True,
        True,
        True,
        False,
        False,
    )
    # 20:59 UTC on 30 April is 23:59 in Helsinki; a minute later it would be May
    assert "SO-3" in get("/admin/reports/orders.lines?from=2026-04-30&to=2026-04-30").text
    assert "No rows" in get("/admin/reports/orders.lines?from=2026-04-01&to=2026-04-29").text


def test_sums_by_product_and_company(get):
    csv = lines(get(f"/admin/reports/orders.by_product.csv?{MAY}"))
    assert csv == [
        "Article code,Article,Orders,Quantity,Unit,Net,Currency",
        "NUT,Product NUT,1,5,pcs,50,EUR",
        "BOLT,Product BOLT,2,3,pcs,30,EUR",
    ]
    csv = lines(get(f"/admin/reports/orders.by_company.csv?{MAY}"))
    assert csv[1:] == ["acme,Company acme,1,70,0,EUR", "other,Company other,1,10,0,EUR"]
    csv = lines(get(f"/admin/reports/orders.by_company.csv?{MAY}&company=other"))
    assert csv[1:] == ["other,Company other,1,10,0,EUR"]


def test_workbook_has_typed_numbers(get):
    book = CalamineWorkbook.from_filelike(io.BytesIO(get(f"/admin/reports/orders.by_product.xlsx?{MAY}").data))
    assert book.get_sheet_by_index(0).to_python()[1] == ["NUT", "Product NUT", 1, 5, "pcs", 50, "EUR"]


def test_price_list_says_what_a_company_pays(get):
    csv = lines(get("/admin/reports/pricing.prices.csv?company=acme&day=2026-05-20"))
    assert csv[1].startswith("BOLT,Product BOLT,3,1,pcs,,")
    assert csv[2].startswith("NUT,Product NUT,2,1,pcs,,")
    assert len(csv) == 3


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-05-31&to=2026-05-01", "The period ends before it begins."),
        ("from=soon&to=2026-05-01", "is not a date"),
        ("from=&to=2026-05-01", "This field is required."),
        (f"{MAY}&company=nobody", "There is no company nobody."),
    ],
)
def test_wrong_answers_are_said_beside_their_field(get, query, said):
    page = unescape(get(f"/admin/reports/orders.lines?{query}", 422).text)
    assert page.count(said) >= 2, "in the summary and at the field"
    assert 'id="rows"' not in page
    get(f"/admin/reports/orders.lines.csv?{query}", 422)


def test_a_report_needs_its_permission(get):
    get("/admin/reports", 403, "warehouse")
    assert "Price list of a company" in get("/admin/reports", role="sales").text
    get("/admin/reports/orders.nothing", 404)
    get("/admin/reports/orders.nothing.csv", 404)


def test_long_downloads_stream_every_row(shop, get):
    company = make.make_company("big")
    product = make.make_product("MANY")
    for number in range(12):
        make.make_order(company, [(product, n + 1) for n in range(100)], number=f"L-{number}", submitted_at=NOON)
    page = get(f"/admin/reports/orders.lines?{MAY}&company=big").text
    assert "The first 100 rows; the download has all" in page
    assert len(lines(get(f"/admin/reports/orders.lines.csv?{MAY}&company=big"))) == 1201


def test_statements_of_a_price_list_do_not_grow_with_articles(shop, count_statements):
    with acting(system("tests")), shop.test_request_context("/"):
        report = next(r for r in reports() if r.name == "pricing.prices")
        values = {"company": "acme", "day": NOON.date()}
        counts = []
        for more in (0, 40):
            for number in range(more):
                make.make_product(f"P-{number}")
            with count_statements() as seen:
                list(report.source.rows(values))
            counts.append(seen.count)
    assert counts[1] <= counts[0]


def test_a_report_that_fails_is_an_incident(get, shop, monkeypatch):
    known = shop.extensions[EXTENSION]
    broken = replace(known.contributed["report_sources"][0].value, name="broken", rows=lambda values: 1 / 0)
    sources = (*known.contributed["report_sources"], Contribution("orders", broken))
    changed = replace(known, contributed={**known.contributed, "report_sources": sources})
    monkeypatch.setitem(shop.extensions, EXTENSION, changed)
    get(f"/admin/reports/orders.broken?{MAY}", 503)
    assert [(i.addon, i.hook) for i in db.session.query(Incident)] == [("orders", "report_sources")]


def test_reports_from_the_command_line(shop, tmp_path):
    runner = CliRunner()
    assert "orders.by_product: Sales by product" in runner.invoke(report_group, ["list"]).output
    target = tmp_path / "sales.csv"
    words = ["run", "orders.by_product", str(target), "--set", "from=2026-05-01", "--set", "to=2026-05-31"]
    done = runner.invoke(report_group, words)
    assert done.output == f"orders.by_product: 2 rows written to {target}\n"
    assert target.read_text(encoding="utf-8-sig").splitlines()[2] == "BOLT,Product BOLT,2,3,pcs,30,EUR"
    words = ["run", "pricing.prices", str(tmp_path / "p.xlsx"), "--set", "company=acme"]
    assert "2 rows written" in runner.invoke(report_group, words).output
    for words, said in (
        (["run", "orders.lines", "a.txt"], "must end in .csv or .xlsx"),
        (["run", "orders.lines", "a.csv", "--set", "form=2026-01-01"], "orders.lines has no parameter form."),
        (["run", "orders.lines", "a.csv", "--set", "from=soon"], "from: “soon” is not a date"),
        (["run", "orders.nothing", "a.csv"], "There is no report orders.nothing."),
        (["run", "pricing.prices", "a.csv", "--set", "company=nobody"], "There is no company nobody."),
    ):
        done = runner.invoke(report_group, words)
        assert done.exit_code != 0
        assert said in done.output
        assert not Path("a.csv").exists(), "a report that is refused leaves no file"


def test_the_home_tells_sales_only_to_readers_of_reports(get):
    assert "Net sales this month" in get("/admin/", role="sales").text
    home = get("/admin/", role="warehouse").text
    assert "Net sales this month" not in home
    assert "Orders this month" in home
