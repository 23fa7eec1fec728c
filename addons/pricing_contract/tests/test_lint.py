"""What may be wrong with contracts: each finding is true, leads to the rows it means, and is gone when they are mended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import update

from addons.pricing_contract import checks, grid
from addons.pricing_contract.models import Contract, ContractPrice, ProductValue
from core.catalog.models import Product
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.testing.factories import Unit, make_company, make_product, make_segment, make_staff
from core.testing.signin import sign_in
from core.testing.statements import count_statements
from core.testing.sweeping import break_rows, swept

from .conftest import contract, row


def found() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the findings by code: the sentence, and where its link leads."""
    return {one.code: (str(one.message), dict(one.values)) for check in checks.CHECKS for one in check.check()}


def rows_that(frame, only):
    return [(one.target, one.unit, one.min_quantity, one.value) for one in grid.page_of(frame, only=only).rows]


@pytest.fixture
def frame(office):
    company = make_company("ACME")
    bolt = make_product("BOLT", units=[Unit("pcs"), Unit("box", 10)])
    make_product("NUT")
    made = contract("K", company=company)
    row(made, bolt, "5")
    return made, bolt


def test_a_contract_in_order_has_no_findings_in_a_few_statements(frame):
    with count_statements(at_most=12):
        assert found() == {}


def test_what_makes_a_larger_quantity_dearer_is_found_unless_it_may_be_so(frame):
    made, bolt = frame
    row(made, bolt, "5.10", min_quantity="10")
    row(made, bolt, "490", min_quantity="100", per="100")
    row(made, None, "10", kind="percent")
    row(made, None, "8", kind="percent", min_quantity="50")
    said, values = found()["CONTRACT-INVERTED"]
    assert said == "2 rows of the contract K make a larger quantity dearer."
    assert values == {"code": "K", "only": "inverted", "_anchor": "rows"}
    assert rows_that(made, "inverted") == [("*", "", "50", "8"), ("BOLT", "pcs", "10", "5.10")]
    with write():
        made.allow_inverted = True
    assert found() == {}


def test_prices_below_cost_are_found_by_their_unit_and_currency(frame):
    made, bolt = frame
    with write() as session:
        session.add(ProductValue(product_id=bolt.id, kind="cost", currency="EUR", amount=D("5.01")))
    row(made, bolt, "1", unit="box")
    assert found()["CONTRACT-FLOOR"][0] == "1 price of the contract K is below cost and the least margin."
    assert rows_that(made, "floor") == [("BOLT", "pcs", "", "5.00")]
    with write() as session:
        session.execute(update(ProductValue).values(amount=D(5)))
    assert "CONTRACT-FLOOR" not in found()
    with write() as session:
        session.execute(update(ProductValue).values(amount=D(6), currency="SEK"))
    assert "CONTRACT-FLOOR" not in found()


def test_rows_that_ended_or_match_nothing_are_found(frame):
    made, bolt = frame
    now = clock.now()
    row(made, bolt, "4", start=now - timedelta(days=9), end=now - timedelta(days=1))
    row(made, bolt, "3", unit="pallet")
    findings = found()
    assert findings["CONTRACT-ENDED"][0] == "1 row of the contract K has ended."
    assert findings["CONTRACT-UNSOLD"][0].startswith("1 row of the contract K never matches")
    assert rows_that(made, "unsold") == [("BOLT", "pallet", "", "3.00")]
    assert [one[3] for one in rows_that(made, "ended")] == ["4.00"]
    with write() as session:
        session.execute(update(Product).where(Product.id == bolt.id).values(status="discontinued"))
    assert findings != found()
    assert len(rows_that(made, "unsold")) == 3


def test_goods_given_away_are_told_and_so_is_what_computes_from_nothing(frame):
    made, bolt = frame
    nut = make_product("NAIL", price="1")
    row(made, nut, "0")
    row(made, None, "100", kind="percent", min_quantity="1000")
    assert found()["CONTRACT-FREE"][0] == "2 rows of the contract K give goods away: they sell for nothing."
    assert rows_that(made, "free") == [("*", "", "1000", "100"), ("NAIL", "pcs", "", "0.00")]
    base = contract("BASE", segment=make_segment("gold"))
    row(base, bolt, "4")
    row(made, bolt, "20", kind="cost_plus", min_quantity="10")
    row(made, bolt, "0", kind="formula", min_quantity="20", terms={"base": "msrp"})
    row(made, bolt, "0", kind="formula", min_quantity="30", terms={"base": "contract:BASE"})
    row(made, bolt, "0", kind="formula", min_quantity="40", terms={"base": "list", "percent": ["5"]})
    assert [one[2] for one in rows_that(made, "baseless")] == ["10", "20"]
    said, values = found()["CONTRACT-BASELESS"]
    assert said.startswith("2 rows of the contract K have nothing to compute from")
    assert values["only"] == "baseless"
    with write() as session:
        session.add_all(
            ProductValue(product_id=bolt.id, kind=kind, currency="EUR", amount=D(1)) for kind in ("cost", "msrp")
        )
        base.status = "ended"
    assert [one[2] for one in rows_that(made, "baseless")] == ["30"]


@pytest.mark.usefixtures("frame")
def test_contracts_that_concern_nobody_are_found():
    segment, guests = make_segment("gold"), make_segment("guests")
    for code, one in (("G", segment), ("V", guests)):
        row(contract(code, segment=one), None, "5", kind="percent")
    row(contract("TR", audience="location", country="TR"), None, "5", kind="percent")
    nobody = [one.values["code"] for check in checks.CHECKS for one in check.check() if one.code == "CONTRACT-NOBODY"]
    assert nobody == ["G", "TR"]
    with write() as session:
        session.execute(update(Company).values(status="closed"))
    nobody = [one.values["code"] for check in checks.CHECKS for one in check.check() if one.code == "CONTRACT-NOBODY"]
    assert nobody == ["G", "K", "TR"]


def test_drafts_are_nobodys_business_and_the_link_shows_the_rows(frame, office):
    made, bolt = frame
    row(made, bolt, "6", min_quantity="10")
    make_staff("boss@tukku.example")
    boss = sign_in(office, "boss@tukku.example")
    page = boss.get("/admin/checks").text
    assert "/contracts/K?only=inverted#rows" in page
    shown = boss.get("/admin/a/pricing_contract/contracts/K?only=inverted").text
    assert 'value="6.00"' in shown
    assert 'value="5.00"' not in shown
    with write() as session:
        session.execute(update(Contract).values(status="draft"))
    assert found() == {}
    db.session.rollback()
    assert db.session.query(ContractPrice).count() == 2


def test_the_doctor_names_a_row_whose_key_is_of_another_product(office):
    agreed = contract("C-1", company=make_company("acme"))
    row(agreed, make_product("A-1"), "9")
    row(agreed, None, "5", kind="percent")
    assert swept(office) == {}
    break_rows(office, "UPDATE pricing_contract_price SET target = 99 WHERE product_id IS NOT NULL")
    assert swept(office) == {"PRICE-TARGET": ["C-1 (99)"]}
