"""Orders accrue rebates: by line, trued up at steps, given back with returns, settled, mended."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from addons.rebates import checks, documents, editing, imports, notices, settling
from addons.rebates.models import Entry, Rebate, Settlement
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.notifications.models import Notification
from core.orders import lifecycle, queries
from core.orders.models import Order, OrderCharge
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.sweeping import break_rows, swept


def test_a_line_accrues_at_the_step_and_a_crossed_step_is_trued_up(shop):
    shop.agree()
    shop.order(("BOLT", "90"))
    assert shop.stands() == (D(900), D(0))
    shop.order(("BOLT", "60"))  # 1,500: 2 percent of all
    assert shop.stands() == (D(1500), D(30))
    shop.order(("BOLT", "50"))
    shop.order(("BOLT", "300"))  # 5,000: 4 percent of all
    assert shop.stands() == (D(5000), D(200))
    assert shop.entries() == [
        ("accrue", D(900), D(0)),
        ("accrue", D(600), D(12)),
        ("true_up", D(0), D(18)),
        ("accrue", D(500), D(10)),
        ("accrue", D(3000), D(120)),
        ("true_up", D(0), D(40)),
    ]


def test_returns_and_cancellations_give_back(shop):
    shop.agree()
    number = shop.order(("BOLT", "200"), ("BOLT", "300"), ("NUT", "10"))
    assert shop.stands() == (D(5010), D("200.40"))
    with shop.staff():
        lifecycle.record(number, "cancelled", {2: D(10)})
        lifecycle.record(number, "shipped", {1: D(500)})
    assert shop.stands() == (D(5000), D(200))
    with shop.staff():
        lifecycle.record(number, "returned", {1: D(100)})
    assert shop.stands() == (D(4000), D(80))
    assert shop.entries()[-2:] == [("reverse", D(-1000), D(-20)), ("true_up", D(0), D(-100))]


def test_what_came_for_nothing_earns_nothing(shop):
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    shop.agree()
    number = shop.order(("BOLT", "100"), ("NUT", "10"))
    break_rows(shop.app, "UPDATE orders_line SET price_source = 'free:promotions:TEN' WHERE position = 2")
    with shop.staff():
        lifecycle.confirm(number)
    assert [(kind, amount) for kind, amount, _rebate in shop.entries()] == [("accrue", D(1000))]


def test_an_order_counts_from_its_confirmation_on(shop):
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    shop.agree()
    kept, gone = shop.order(("BOLT", "100")), shop.order(("BOLT", "100"))
    assert shop.stands() == (D(0), D(0))
    with shop.staff():
        lifecycle.confirm(kept)
        lifecycle.confirm(gone)
    assert shop.stands() == (D(2000), D(40))
    with shop.staff():
        lifecycle.cancel(gone, "twice")
    assert shop.stands() == (D(1000), D(20))


def test_the_tree_counts_together_and_strangers_do_not(shop):
    from .conftest import buyer_of

    shop.agree()
    shop.order(("BOLT", "60"))
    shop.order(("BOLT", "60"), actor=shop.other)
    shop.order(("BOLT", "60"), actor=buyer_of(factories.make_company("other"), "bert@other.example"))
    assert shop.stands() == (D(1200), D(24))
    shop.agree("DOWN", company_id=shop.daughter.id)
    assert shop.stands("DOWN") == (D(600), D(0))  # what was bought before it was agreed counts too


def test_what_counts(shop):
    nuts = factories.make_category("nuts").id
    with shop.staff():
        bolt = imports.ids_of(imports.Product, imports.Product.sku, ["BOLT"], "skus")
    shop.agree("NUTS", (("1", "5"),), categories=[nuts])
    shop.agree("BOLTS", (("1", "5"),), products=bolt)
    shop.agree("USD", (("1", "5"),), currency="USD")
    shop.agree("DRAFT", (("1", "5"),), status="draft")
    shop.agree("OVER", (("1", "5"),), ends=date(2021, 1, 1))
    shop.agree("PIECES", (("15", "0.10"),), basis="quantity", kind="amount", unit="pcs")
    shop.order(("BOLT", "10"), ("NUT", "10"), ("OIL", "10"))
    assert (shop.stands("NUTS"), shop.stands("BOLTS")) == ((D(10), D("0.50")), (D(100), D(5)))
    assert shop.stands("USD") == (D(0), D(0))
    assert shop.stands("PIECES")[1] == D(2)  # 20 pieces; litres are left out
    with shop.staff():
        codes = select(Rebate.code).join(Entry, Entry.rebate_id == Rebate.id).distinct().order_by(Rebate.code)
        assert list(db.session.scalars(codes)) == ["BOLTS", "NUTS", "PIECES"]


def test_discounts_on_the_order_are_no_turnover_and_freight_is_none(shop):
    shop.agree(steps=(("1", "10"),))
    number = shop.order(("BOLT", "10"), ("NUT", "100"))
    with shop.staff():
        order = queries.find(number)
        with write() as session:
            head = {"order_id": order.id, "company_id": order.company_id, "owner": "promotions", "label": "off"}
            session.add_all([OrderCharge(**head, code="A", net=D("-30.01")), OrderCharge(**head, code="B", net=D(15))])
        assert checks.mend() == {"RB-1": 2}
    assert shop.stands() == (D("169.99"), D("17.00"))


def test_terms_that_change_are_trued_up(shop):
    shop.agree()
    shop.order(("BOLT", "150"))
    shop.change(steps=[(D(1000), D(3))])
    assert shop.stands() == (D(1500), D(45))
    shop.change(steps=[(D(1000), D(3))], mode="prospective")
    assert shop.stands() == (D(1500), D(15))
    shop.change(products=[], categories=[factories.make_category("nuts").id])
    assert shop.stands() == (D(0), D(0))
    with shop.staff(), pytest.raises(Invalid, match="Make another"):
        editing.save(editing.by_code("RB-1"), {**shop.given(), "period": "quarter"})
    with shop.staff(), pytest.raises(Conflict, match="Somebody else"):
        editing.save(editing.by_code("RB-1"), shop.given(), 1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"steps": []}, "Write 1 to"),
        ({"steps": [(D(1), D(1)), (D(1), D(2))]}, "same threshold"),
        ({"steps": [(D(1), D(100))]}, "below 100"),
        ({"steps": [(D(1), D(0))]}, "more than nothing"),
        ({"steps": [(D(-1), D(1))]}, "zero or more"),
        ({"steps": [(D(1), D(3)), (D(9), D(2))]}, "at least as much"),
        ({"mode": "prospective", "kind": "amount", "unit": "pcs"}, "Only above the threshold"),
        ({"basis": "quantity"}, "in which base unit"),
        ({"unit": "pcs"}, "leave it empty"),
        ({"basis": "quantity", "unit": "crate"}, "No product has"),
        ({"ends": date(2019, 1, 1)}, "before the first"),
        ({"code": "TAKEN"}, "with the code"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, values, says):
    shop.agree("TAKEN")
    with shop.staff(), pytest.raises(Invalid, match=says):
        editing.save(None, {**shop.given("NEW"), **values})


def test_orders_at_once_add_up(shop):
    shop.agree()
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    numbers = [shop.order(("BOLT", "60"), actor=actor) for actor in (shop.buyer, shop.other)]
    ready, failed = threading.Barrier(2), []

    def confirm(number):
        with shop.staff():
            ready.wait(20)
            try:
                lifecycle.confirm(number)
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=confirm, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert shop.stands() == (D(1200), D(24))


def test_the_ledger_is_compared_and_mended(shop):
    shop.agree()
    shop.order(("BOLT", "150"))
    with shop.staff():
        assert list(checks.ledger_agrees()) == []
        with write() as session:
            session.execute(delete(Entry).where(Entry.kind == "true_up"))
            session.execute(delete(Entry))
        assert "RB-1" in str(next(iter(checks.ledger_agrees())).message)
        result = CliRunner().invoke(checks.command, [])
        assert (result.exit_code, "RB-1" in result.output) == (1, True)
        assert "RB-1: added 1" in CliRunner().invoke(checks.command, ["--mend"]).output
        assert CliRunner().invoke(checks.command, []).exit_code == 0
        assert checks.mend() == {}
        with pytest.raises(Conflict), write():
            db.session.scalars(select(Entry)).first().accrued = D(1)
    assert shop.stands() == (D(1500), D(30))


def past(shop, *numbers):
    """Make orders of last year, which the ledger is told of."""
    with shop.staff():
        ids = [queries.find(number).id for number in numbers]
        with write() as session:
            at = clock.now() - timedelta(days=366)
            session.execute(update(Order).where(Order.id.in_(ids)).values(confirmed_at=at))
        checks.mend()


def test_a_period_that_is_over_is_settled_once_and_corrected(shop):
    fia = factories.make_staff("fia@tukku.example", ["finance"])
    shop.agree()
    number = shop.order(("BOLT", "150"))
    with shop.staff():
        assert settling.propose() == []  # the year is not over
    past(shop, number)
    with shop.staff():
        (code,) = CliRunner().invoke(checks.settle, []).output.splitlines()[:-1]
        assert settling.propose() == []
        one = settling.find(code)
        assert (one.amount, one.accrued, one.state) == (D(30), D(30), "proposed")
        notices.proposed({"code": code})
        assert settling.open_count() == 1
        lifecycle.record(number, "shipped", {1: D(150)})
        lifecycle.record(number, "returned", {1: D(40)})
        with pytest.raises(Conflict, match="has changed"):
            settling.decide(code, accept=True, seen=D(30))
        with pytest.raises(Invalid, match="why"):
            settling.decide(code, accept=False, seen=D(22))
        settling.decide(code, accept=True, seen=D(22), document="CN-7")
        with pytest.raises(Conflict, match="already"):
            settling.decide(code, accept=True, seen=D(22))
        notices.decided({"code": code})
        assert settling.propose() == []
        lifecycle.record(number, "returned", {1: D(60)})  # below the step: everything is owed back
        (second,) = settling.propose()
        assert settling.find(second).amount == D(-22)
        settling.decide(second, accept=False, seen=D(-22), reason="a present")
        assert settling.propose() == []
        assert settling.open_count() is None
        with pytest.raises(Invalid, match="settled by these terms"):
            editing.save(editing.by_code("RB-1"), {**shop.given(), "steps": [(D(1), D(1))]})
        with pytest.raises(Invalid, match="become a draft again"):
            editing.save(editing.by_code("RB-1"), {**shop.given(), "status": "draft"})
        assert editing.save(editing.by_code("RB-1"), {**shop.given(), "name": "Rebate RB-1"}).code == "RB-1"
        assert [s.code for s in settling.of_rebate([one.rebate_id], accepted=True)] == [code]
        query = select(Notification.user_id, Notification.subject).where(Notification.kind.startswith("rebates"))
        subjects = {user_id: subject.replace("\xa0", " ") for user_id, subject in db.session.execute(query)}
        assert subjects == {
            fia.id: "30.00 € are to be credited to Company acme", shop.buyer.user_id: "Rebate RB-1: 22.00 € are credited",
        }  # fmt: skip
        assert documents.of(settling.find(code)).content.startswith(b"%PDF")


def test_a_proposal_of_which_nothing_is_left_goes(shop):
    shop.agree()
    number = shop.order(("BOLT", "150"))
    past(shop, number)
    with shop.staff():
        (code,) = settling.propose()
        lifecycle.cancel(number, "no")
        settling.propose()
        with pytest.raises(NotFound):
            settling.find(code)
        assert list(db.session.scalars(select(Settlement))) == []


def test_a_step_is_told_once(shop):
    sam = factories.make_staff("sam@tukku.example", ["sales"])
    with shop.staff(), write():
        db.session.get(type(shop.company), shop.company.id).sales_rep_id = sam.id
    shop.agree()

    def told():
        with shop.staff():
            query = select(Notification.subject).where(Notification.kind.startswith("rebates")).order_by(Notification.id)
            return [subject.replace("\xa0", " ") for subject in db.session.scalars(query)]

    def happens(number):
        with shop.staff():
            for _twice in range(2):
                notices.step_reached({"company_id": queries.find(number).company_id})

    happens(shop.order(("BOLT", "50")))
    assert told() == []
    happens(shop.order(("BOLT", "50"), actor=shop.other))
    assert told() == ["Rebate RB-1: 2 % is reached"] * 2
    happens(shop.order(("BOLT", "400")))
    assert told()[2:] == ["Rebate RB-1: 4 % is reached"] * 2


def test_buyers_do_not_write(shop):
    shop.agree()
    with shop.request(), pytest.raises((Forbidden, Exception)), write():
        db.session.scalars(select(Rebate)).one().name = "mine"
        db.session.flush()
    with shop.staff():
        assert editing.by_code("RB-1").name == "Rebate RB-1"


def test_import_and_export(shop):
    def load(*rows):
        with shop.request(system("tests")), write():
            return [(r.outcome, r.field) for r in imports.load([ImportRow(i, row) for i, row in enumerate(rows, 2)])]

    good = {
        "code": "RB-1", "name": "Bonus", "company": "acme", "starts": date(2026, 1, 1), "steps": ["1000=2", "5000=4.5"],
        "skus": ["BOLT"], "categories": ["nuts"],
    }  # fmt: skip
    assert load(good) == [("created", "")]
    assert load(good, {"code": "RB-1", "steps": ["5000=4.5", "1000=2"]}) == [("unchanged", ""), ("unchanged", "")]
    assert load({"code": "RB-1", "ends": date(2027, 6, 30)}) == [("updated", "")]
    wrong = [
        ({"company": "nobody"}, "company"), ({"skus": ["NOPE"]}, "skus"), ({"categories": ["nope"]}, "categories"),
        ({"steps": ["x"]}, "steps"), ({"steps": ["1000"]}, "steps"), ({"currency": "XQQ"}, "currency"),
        ({"ends": date(2020, 1, 1)}, "ends"),
    ]  # fmt: skip
    rows = [{**good, **values, "code": f"W-{i}"} for i, (values, _field) in enumerate(wrong)]
    assert load(*rows, {"code": "W-9"}) == [*(("error", field) for _values, field in wrong), ("error", "name")]
    with shop.staff():
        (row,) = imports.export()
    assert load({name: value for name, value in row.items() if value not in (None, "")}) == [("unchanged", "")]


def test_the_doctor_names_a_ledger_that_does_not_agree_with_orders(shop):
    shop.agree()
    shop.order(("BOLT", "150"))
    assert swept(shop.app, "rebates") == {}
    break_rows(shop.app, "UPDATE rebates_entry SET net = net + 10000")
    assert swept(shop.app, "rebates") == {"REBATE-LEDGER": ["RB-1"]}
    break_rows(shop.app, "DELETE FROM rebates_entry")
    assert swept(shop.app, "rebates") == {"REBATE-LEDGER": ["RB-1"]}
