"""The demo merchant's files: the same every time, complete, and true to the public check digits."""

import csv
from collections import Counter
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from stdnum import ean
from stdnum.de import vat as german_vat
from stdnum.ee import kmkr, registrikood
from stdnum.fi import alv, ytunnus
from stdnum.pl import nip
from stdnum.se import orgnr
from stdnum.se import vat as swedish_vat
from stdnum.tr import vkn

from core.data import clock
from core.demo import generate
from core.demo.articles import Article
from core.demo.assortment import articles
from core.demo.customers import customers
from core.demo.loading import ZONE, last_order_before
from core.demo.pictures import PICTURES
from core.demo.terms import SHOWCASE_SKU, Pricer, terms
from core.demo.vocabulary import VALUES_FI

TODAY = date(2026, 3, 2)
SIX = datetime.combine(TODAY, time(6), UTC)
VALIDATORS = {
    "FI": (ytunnus, alv),
    "SE": (orgnr, swedish_vat),
    "EE": (registrikood, kmkr),
    "PL": (nip, nip),
    "TR": (vkn, vkn),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    generate(directory, SIX)
    return directory


@pytest.fixture(scope="module")
def goods() -> tuple[Article, ...]:
    return articles(1, 1.0)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values(folder: Path, name: str, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in rows(folder, name)]


def codes(folder: Path, name: str, column: str) -> set[str]:
    return {value for (value,) in values(folder, name, column)}


def test_generate_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        generate(tmp_path / name, SIX, seed=7, scale=0.05)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).rglob("*.*")} for name in ("first", "second"))
    assert first == second


def test_generate_writes_the_merchant_of_the_story(folder: Path) -> None:
    assert 1900 <= len(rows(folder, "products")) <= 2300
    assert len(rows(folder, "companies")) == 60
    assert 40 <= len(rows(folder, "categories")) <= 50
    assert 1400 <= len(rows(folder, "orders")) <= 1600
    assert {row["country"] for row in rows(folder, "companies")} == {"FI", "SE", "EE", "PL", "TR", "DE"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("categories", ("code",)),
        ("attributes", ("code",)),
        ("products", ("sku",)),
        ("product_units", ("sku", "unit")),
        ("item_codes", ("company", "code")),
        ("list_prices", ("sku", "unit", "currency", "from")),
        ("product_values", ("sku", "kind")),
        ("companies", ("code",)),
        ("addresses", ("company", "code")),
        ("users", ("email", "company")),
        ("contracts", ("code",)),
        ("contract_prices", ("contract", "sku", "category", "unit", "currency", "min_quantity", "from")),
        ("orders", ("number",)),
        ("order_lines", ("order", "line")),
        ("currency_rates", ("from", "to", "date")),
        ("tax_rates", ("country", "category", "from")),
        ("volume_agreements", ("code",)),
        ("rebates", ("code",)),
        ("promotions", ("code",)),
        ("assortments", ("code",)),
        ("assortment_rows", ("assortment", "sku", "category")),
    ],
)
def test_natural_key_is_unique(folder: Path, name: str, key: tuple[str, ...]) -> None:
    repeated = [value for value, count in Counter(values(folder, name, *key)).items() if count > 1]
    assert repeated == []


@pytest.mark.parametrize(
    ("name", "column", "target", "key"),
    [
        ("categories", "parent", "categories", "code"),
        ("products", "category", "categories", "code"),
        ("products", "superseded_by", "products", "sku"),
        ("product_units", "sku", "products", "sku"),
        ("list_prices", "sku", "products", "sku"),
        ("product_values", "sku", "products", "sku"),
        ("item_codes", "sku", "products", "sku"),
        ("companies", "parent", "companies", "code"),
        ("companies", "sales_rep", "staff", "email"),
        ("addresses", "company", "companies", "code"),
        ("users", "company", "companies", "code"),
        ("contracts", "company", "companies", "code"),
        ("contract_prices", "contract", "contracts", "code"),
        ("volume_agreements", "company", "companies", "code"),
        ("volume_agreements", "sku", "products", "sku"),
        ("volume_agreements", "category", "categories", "code"),
        ("rebates", "company", "companies", "code"),
        ("rebates", "categories", "categories", "code"),
        ("assortments", "company", "companies", "code"),
        ("assortment_rows", "assortment", "assortments", "code"),
        ("assortment_rows", "category", "categories", "code"),
        ("contract_prices", "sku", "products", "sku"),
        ("contract_prices", "category", "categories", "code"),
        ("orders", "company", "companies", "code"),
        ("orders", "user", "users", "email"),
        ("order_lines", "order", "orders", "number"),
        ("order_lines", "sku", "products", "sku"),
    ],
)
def test_reference_points_at_a_row(folder: Path, name: str, column: str, target: str, key: str) -> None:
    assert codes(folder, name, column) - codes(folder, target, key) - {""} == set()


def test_parents_stand_above_their_children(folder: Path) -> None:
    for name in ("categories", "companies"):
        seen = {""}
        for code, parent in values(folder, name, "code", "parent"):
            assert parent in seen, f"{name}: {code} stands above {parent}"
            seen.add(code)


def test_orders_go_to_sites_of_their_company_and_units_of_their_product(folder: Path) -> None:
    sites = set(values(folder, "addresses", "company", "code"))
    assert set(values(folder, "orders", "company", "ship_to")) <= sites
    units = set(values(folder, "product_units", "sku", "unit"))
    assert set(values(folder, "order_lines", "sku", "unit")) <= units


def test_quantities_obey_minimum_and_step(folder: Path) -> None:
    rules = {(r["sku"], r["unit"]): (Decimal(r["minimum"]), Decimal(r["step"])) for r in rows(folder, "product_units")}
    for row in rows(folder, "order_lines"):
        minimum, step = rules[row["sku"], row["unit"]]
        quantity = Decimal(row["quantity"])
        assert quantity >= minimum
        assert (quantity - minimum) % step == 0


def test_names_are_given_in_both_languages(folder: Path) -> None:
    for name in ("products", "categories", "attributes"):
        for row in rows(folder, name):
            assert row["name_en"], row
            assert row["name_fi"], row
    names = {row["sku"]: row["name_fi"] for row in rows(folder, "products")}
    assert names[SHOWCASE_SKU] == "Kuusioruuvi ISO 4017 M8x40 8.8 sinkitty"


def test_words_among_the_values_have_a_finnish_label(folder: Path) -> None:
    for attribute, labels in VALUES_FI.items():
        worded = {
            value for value in codes(folder, "products", f"attr:{attribute}") if " " in value.strip() or value.isalpha()
        }
        assert {value for value in worded - set(labels) if not value.isupper()} <= {""}


def test_identifiers_have_right_check_digits(folder: Path) -> None:
    gtins = codes(folder, "products", "gtin") | codes(folder, "product_units", "gtin") - {""}
    assert [number for number in gtins if not ean.is_valid(number)] == []
    for row in rows(folder, "companies"):
        if row["country"] == "DE":
            assert german_vat.is_valid(row["vat_id"]), row
        else:
            business, vat = VALIDATORS[row["country"]]
            assert business.is_valid(row["business_id"]), row
            assert vat.is_valid(row["vat_id"]), row


def test_boxes_are_priced_by_the_box(folder: Path) -> None:
    assert {row["per"] for row in rows(folder, "order_lines") if row["unit"] == "box"} == {"1"}


def test_year_of_orders_ends_today(folder: Path) -> None:
    dates = sorted(row["date"][:10] for row in rows(folder, "orders"))
    assert dates[-1] == TODAY.isoformat()
    assert dates[0] >= "2025-03-02"
    old = {row["state"] for row in rows(folder, "orders") if row["date"] < "2026-01-01"}
    assert old == {"completed", "cancelled"}
    assert {"submitted", "confirmed"} <= codes(folder, "orders", "state")


@pytest.mark.parametrize(
    ("day", "at", "since"),
    [
        ("2026-03-02", "00:00", "00:00"),
        ("2026-03-02", "00:03", "00:00"),
        ("2026-03-02", "03:30", "02:30"),
        ("2026-03-02", "05:59", "04:59"),
        ("2026-03-02", "06:00", "05:00"),
        ("2026-03-02", "23:59", "05:00"),
        ("2026-03-29", "04:10", "02:10"),  # there is no time between three and four
        ("2026-10-25", "04:10", "03:10"),
    ],
)
def test_year_ends_today_at_any_hour(tmp_path: Path, day: str, at: str, since: str) -> None:
    now = datetime.fromisoformat(f"{day}T{at}:30").replace(tzinfo=ZoneInfo(ZONE))
    with clock.frozen(now):
        generate(tmp_path, last_order_before(), scale=0.01)
    dates = [datetime.fromisoformat(row["date"]) for row in rows(tmp_path, "orders")]
    assert dates == sorted(dates)
    ended = [f"{one:%H:%M}" for one in dates if f"{one:%Y-%m-%d}" == day]
    assert len(ended) in (5, 6), "one may be of a company for which nothing of the thin assortment has a price"
    assert ended[0] >= since
    assert dates[-1].replace(tzinfo=now.tzinfo).astimezone(UTC) <= now


def test_staff_and_buyers_have_every_role(folder: Path) -> None:
    staff = {row["roles"] for row in rows(folder, "staff")}
    buyers = {role for row in rows(folder, "users") for role in row["roles"].split(";")}
    assert staff == {"admin", "sales", "finance", "warehouse"}
    assert buyers == {"orderer", "approver", "company_admin", "viewer"}
    homes = Counter(row["email"] for row in rows(folder, "users"))
    assert [email for email, count in homes.items() if count > 1] == ["minna@konepaja.example"]


def test_showcase_companies_pay_different_prices(goods: tuple[Article, ...]) -> None:
    pricer = Pricer(goods, customers(), terms(goods, TODAY))
    pays = {code: pricer.price(code, SHOWCASE_SKU, Decimal(10), TODAY) for code in ("KONEPAJA", "NORDBYGG")}
    assert pays == {"KONEPAJA": Decimal("8.15"), "NORDBYGG": Decimal("8.9")}


def test_subsidiary_inherits_the_contract_of_its_group(goods: tuple[Article, ...]) -> None:
    pricer = Pricer(goods, customers(), terms(goods, TODAY))
    codes_of = [one.code for one in pricer.applicable("KONEPAJA-SJK", TODAY)]
    assert codes_of[-2:] == ["VIRTANEN-GROUP", "KONEPAJA-2026"]


def test_contracts_have_every_merge_policy_and_stage_of_validity(folder: Path) -> None:
    contracts = rows(folder, "contracts")
    assert {row["merge_policy"] for row in contracts} == {"override", "best_of", "fallback"}
    assert {row["audience"] for row in contracts} == {"company", "segment", "public"}
    ends = [row["code"] for row in contracts if "" < row["valid_until"] < "2026-04-01"]
    assert ends == ["TELAKKA-PROJECT"]
    assert [row["code"] for row in contracts if row["valid_from"] > TODAY.isoformat()] == ["HANSEMASCH-NEXT"]


def test_contract_prices_fall_with_the_quantity(folder: Path) -> None:
    ladders: dict[tuple[str, str], list[tuple[Decimal, Decimal]]] = {}
    for row in rows(folder, "contract_prices"):
        if row["kind"] == "fixed":
            step = Decimal(row["min_quantity"]), Decimal(row["value"])
            ladders.setdefault((row["contract"], row["sku"]), []).append(step)
    for ladder in ladders.values():
        assert [price for _, price in sorted(ladder)] == sorted((price for _, price in ladder), reverse=True)


def test_every_family_has_its_picture(folder: Path) -> None:
    wanted = codes(folder, "products", "image")
    assert wanted == {f"{name}.svg" for name in PICTURES}
    for name in wanted:
        text = (folder / "images" / name).read_text(encoding="utf-8")
        assert text.startswith("<svg xmlns=")
        assert "<script" not in text
