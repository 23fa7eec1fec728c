"""Prepared changes: whom they touch is what buyers will pay, they hold when published, and can be undone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from addons.pricing_contract import changes, editing, effect, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.grid import key_text, pasted_rows
from addons.pricing_contract.models import ContractPrice
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.data.write import write, writing
from core.orders.models import Order, OrderLine
from core.spec.errors import Conflict, Invalid
from core.testing.factories import make_company, make_product, make_staff, make_user
from core.testing.signin import sign_in
from core.testing.statements import count_statements

from .conftest import contract, priced, row

D = Decimal
HOME = "/admin/a/pricing_contract/contracts"


@pytest.fixture
def deal(office):
    """A parent's contract over two products, inherited by a subsidiary that has one of them in its cart."""
    parent = make_company("GROUP")
    child = make_company("CHILD", parent=parent)
    bolt, nut = make_product("BOLT", price="2"), make_product("NUT", price="1")
    deal = contract("FRAME", company=parent)
    row(deal, bolt, "1.50")
    with write() as session:
        cart = Order(
            seller_id=seller().id, company_id=child.id, currency="EUR", created_at=clock.now(), updated_at=clock.now()
        )
        session.add(cart)
        session.flush()
        session.add(
            OrderLine(order_id=cart.id, company_id=child.id, position=1, product_id=bolt.id, unit=bolt.base_unit,
                      quantity=D(10), base_quantity=D(10), sku="BOLT", name="Bolt", unit_price=D("1.5"), net=D(15))
        )  # fmt: skip
    return deal, child, bolt, nut


def prepared(deal, text: str, removed=()) -> Change:
    made = changes.prepare(deal, pasted_rows(text), removed)
    assert made is not None
    return made


def test_a_change_says_whom_it_touches_and_moves_no_price(deal):
    deal, child, bolt, _nut = deal
    change = prepared(deal, "BOLT\t1.80\nNUT\t1.00")
    effect = change.effect
    assert (effect["companies"], effect["products"]) == (2, 2)
    assert (effect["rises"], effect["falls"], effect["same"]) == (2, 0, 2)
    assert {(jump["code"], jump["before"], jump["after"], jump["percent"]) for jump in effect["jumps"]} == {
        ("GROUP", "1.500000", "1.800000", "20.0"),
        ("CHILD", "1.500000", "1.800000", "20.0"),
    }
    assert [(cart["code"], D(cart["before"]), D(cart["after"])) for cart in effect["carts"]] == [("CHILD", D(15), D(18))]
    assert priced(bolt, child).price == D("1.5")
    assert db.session.scalar(select(func.count()).select_from(ContractPrice)) == 1


@pytest.mark.parametrize(("per", "value", "moved"), [("100", "1.50", [D("0.15")]), ("100", "150", [])])
def test_a_cart_moves_with_the_units_that_a_price_is_for_and_not_with_how_it_is_written(deal, per, value, moved):
    deal, _child, bolt, _nut = deal
    key = {"target": bolt.id, "unit": "pcs", "min_quantity": D(0)}

    def rise(_products):
        db.session.execute(update(ContractPrice).values(per=D(per), value=D(value)))

    found = effect.effect_of(deal, [key], rise, {})
    assert [D(cart["after"]) for cart in found["carts"]] == moved
    assert found["falls"] == 2 * len(moved)


def test_a_product_named_twice_is_counted_once_and_nobody_waits_for_the_first_prices(deal, monkeypatch):
    """A row for everything and one for the product itself ask for the same price."""
    deal, _child, _bolt, _nut = deal
    held = []
    price = effect.price
    monkeypatch.setattr(effect, "price", lambda *asked: held.append(writing()) or price(*asked))
    found = prepared(deal, "*\t5%\nBOLT\t1.80").effect
    assert (found["rises"], found["falls"], found["same"]) == (2, 2, 0)
    assert len(found["jumps"]) == 4
    assert held == [False, False, True, True]  # the prices as they are need no lock


def test_published_it_holds_and_undone_it_is_as_before(deal):
    deal, child, bolt, nut = deal
    bolts = key_text(bolt.id, bolt.base_unit, D(0), db.session.scalar(select(ContractPrice.valid_from)))
    change = prepared(deal, "NUT\t0.90", [bolts])
    assert (change.effect["falls"], change.effect["rises"]) == (2, 2)
    assert publishing.publish(deal, change, change.version) == 2
    assert (priced(bolt, child).price, priced(nut, child).price) == (D(2), D("0.9"))
    with pytest.raises(Conflict, match="no longer open"):
        publishing.publish(deal, change, change.version)
    assert publishing.undo(deal, change, change.version) == 2
    assert (priced(bolt, child).price, priced(nut, child).price) == (D("1.5"), D(1))


def test_from_a_day_on_rows_begin_and_end_there(deal):
    deal, child, bolt, nut = deal
    start = clock.now() + timedelta(days=10)
    bolts = key_text(bolt.id, bolt.base_unit, D(0), db.session.scalar(select(ContractPrice.valid_from)))
    publishing.publish(deal, change := prepared(deal, "NUT\t0.90", [bolts]), change.version, start)
    assert (priced(bolt, child).price, priced(nut, child).price) == (D("1.5"), D(1))
    assert (priced(bolt, child, at=start).price, priced(nut, child, at=start).price) == (D(2), D("0.9"))
    publishing.undo(deal, change, change.version)
    assert (priced(bolt, child, at=start).price, priced(nut, child, at=start).price) == (D("1.5"), D(1))


def test_what_somebody_changed_since_is_not_undone(deal):
    deal, child, bolt, _nut = deal
    publishing.publish(deal, change := prepared(deal, "BOLT\t1.80"), change.version)
    editing.save_grid(deal, pasted_rows("BOLT\t1.70"))
    with pytest.raises(Conflict, match="1 row was changed again since"):
        publishing.undo(deal, change, change.version)
    assert priced(bolt, child).price == D("1.7")


def test_bad_rows_are_named_and_nothing_is_prepared(deal):
    deal, _child, _bolt, _nut = deal
    rows = pasted_rows("BOLT\t-1\nSCREW\t2\nBOLT\t100\t9")
    assert changes.prepare(deal, rows) is None
    said = [next(iter(row.errors.values())) for row in rows]
    assert "cannot be negative" in said[0]
    assert "no product or category" in said[1]
    assert "From 100 it would cost more" in said[2]
    assert db.session.scalar(select(func.count()).select_from(Change)) == 0


def test_two_people_do_not_publish_over_each_other_and_late_rows_are_refused(deal):
    deal, _child, _bolt, _nut = deal
    change = prepared(deal, "BOLT\t100\t1.40")
    seen = change.version
    changes.look_again(deal, change)
    with pytest.raises(Conflict, match="Somebody else"):
        publishing.publish(deal, change, seen)
    editing.save_grid(deal, pasted_rows("BOLT\t1.30"))
    with pytest.raises(Invalid, match=r"BOLT .*From 100 it would cost more"):
        publishing.publish(deal, change, change.version)
    assert change.state == "open"


def test_what_was_changed_and_changed_back_need_not_be_looked_at_again(deal):
    deal, child, bolt, _nut = deal
    change = prepared(deal, "BOLT\t1.80")
    other = prepared(deal, "BOLT\t1.90")
    publishing.publish(deal, other, other.version)
    with pytest.raises(Invalid, match="1 row was changed since"):
        publishing.publish(deal, change, change.version)
    publishing.undo(deal, other, other.version)
    publishing.publish(deal, change, change.version)
    assert priced(bolt, child).price == D("1.8")


def test_the_page_says_the_day_that_was_typed(deal, office):
    """The seller's midnight is the day before in UTC."""
    deal, *_rest = deal
    make_staff("sales@tukku.example", ["sales"])
    sales = sign_in(office, "sales@tukku.example")
    prepared(deal, "BOLT\t1.80")
    page = f"{HOME}/FRAME/changes/1"
    assert sales.post(f"{page}/publish", data={"version": "1", "starts": "2031-12-08"}).status_code == 303
    shown = sales.get(page).text
    assert "1 row is published and holds from 8 Dec 2031." in shown
    assert shown.count("8 Dec 2031") == 2
    assert "7 Dec 2031" not in shown


def test_buyers_never_see_a_prepared_change(deal):
    deal, child, _bolt, _nut = deal
    prepared(deal, "BOLT\t1.80")
    mine = (child.id,)
    with acting(Actor(1, "Buyer", Scope("companies", mine, mine, (child.id, deal.company_id)), child.id)):
        assert db.session.scalars(select(Change)).all() == []


def test_the_pages_tell_the_same_story(office):
    make_staff("sales@tukku.example", ["sales"])
    make_staff("finance@tukku.example", ["finance"])
    sales, finance = sign_in(office, "sales@tukku.example"), sign_in(office, "finance@tukku.example")
    company, bolt = make_company("ACME"), make_product("BOLT", price="2")
    row(contract("ACME-26", company=company), bolt, "1.50")
    page = f"{HOME}/ACME-26"
    assert sales.post(f"{page}/paste", data={"rows": "BOLT\tx", "prepare": "1"}).status_code == 422
    answer = sales.post(f"{page}/percent", data={"percent": "10", "rounding": "half_up", "prepare": "1"})
    assert answer.status_code == 303
    shown = sales.get(answer.location).text
    assert "Whom it touches" in shown
    assert "1.65" in shown
    assert "Publish the change" in shown
    assert "Publish the change" not in finance.get(answer.location).text
    assert finance.post(f"{answer.location}/publish", data={"version": "1"}).status_code == 403
    assert sales.post(f"{answer.location}/publish", data={"version": "1"}).status_code == 303
    assert priced(bolt, company).price == D("1.65")
    assert "Published" in sales.get(page).text
    assert sales.post(f"{answer.location}/undo", data={"version": "2"}).status_code == 303
    assert priced(bolt, company).price == D("1.5")
    pasted = sales.post(f"{page}/paste", data={"rows": "BOLT\t1.20", "prepare": "1"})
    assert sales.post(f"{pasted.location}/effect").status_code == 303
    assert sales.post(f"{pasted.location}/withdraw", data={"version": "2"}).status_code == 303
    assert priced(bolt, company).price == D("1.5")
    computed = sales.post(f"{page}/paste", data={"rows": "BOLT\t\t\tformula\tcost +20% round 0.05", "prepare": "1"})
    shown = sales.get(computed.location).text
    assert "cost +\u00a020\u00a0%, rounded to a multiple of 0.05" in shown
    assert "0.00" not in shown
    make_user("buyer@acme.example", company=company)
    assert sign_in(office, "buyer@acme.example").get(pasted.location).status_code in (302, 403)


def test_terms_say_whom_they_touch_and_are_published_and_undone(deal):
    deal, child, bolt, _nut = deal
    change = changes.prepare_terms(deal, {"status": "ended", "priority": deal.priority})
    assert change.head == {"status": "ended"}
    assert (change.effect["companies"], change.effect["rises"], len(change.effect["carts"])) == (2, 2, 1)
    assert priced(bolt, child).price == D("1.50")
    publishing.publish(deal, change, change.version)
    assert priced(bolt, child).price == D(2)
    publishing.undo(deal, change, change.version)
    assert priced(bolt, child).price == D("1.50")
    with pytest.raises(Invalid, match="no term would change"):
        changes.prepare_terms(deal, {"status": "active"})


def test_another_audience_shows_those_who_lose_and_those_who_win(deal):
    deal, child, bolt, _nut = deal
    other = make_company("OTHER")
    change = changes.prepare_terms(deal, {"company_id": other.id})
    assert change.effect["companies"] == 3
    assert (change.effect["rises"], change.effect["falls"]) == (2, 1)
    publishing.publish(deal, change, change.version)
    assert (priced(bolt, child).price, priced(bolt, other).price) == (D(2), D("1.50"))
    editing.save_head(deal, {"company_id": child.id})
    with pytest.raises(Conflict, match="changed again"):
        publishing.undo(deal, change, change.version)


def test_a_contract_ends_and_begins_on_a_day_by_its_own_dates(deal):
    deal, child, bolt, _nut = deal
    later = clock.now() + timedelta(days=3)
    change = changes.prepare_terms(deal, {"status": "ended"})
    publishing.publish(deal, change, change.version, later)
    assert (priced(bolt, child).price, priced(bolt, child, at=later).price) == (D("1.50"), D(2))
    publishing.undo(deal, change, change.version)
    assert priced(bolt, child, at=later).price == D("1.50")


def test_other_terms_wait_for_their_day(deal):
    deal, child, bolt, _nut = deal
    rival = contract("RIVAL", company=child, merge_policy="best_of")
    row(rival, bolt, "1.80")
    later = clock.now() + timedelta(days=3)
    change = changes.prepare_terms(rival, {"merge_policy": "override"})
    publishing.publish(rival, change, change.version, later)
    assert change.state == "scheduled"
    publishing.publish_due({"change": change.id})
    assert (change.state, priced(bolt, child).price) == ("scheduled", D("1.50"))
    with clock.frozen(later):
        publishing.publish_due({"change": change.id})
    assert (change.state, priced(bolt, child).price) == ("published", D("1.80"))


def test_terms_that_no_longer_fit_on_their_day_are_open_again(deal):
    deal, *_rest = deal
    later = clock.now() + timedelta(days=3)
    change = changes.prepare_terms(deal, {"valid_until": clock.now() + timedelta(days=9), "note": "short"})
    publishing.publish(deal, change, change.version, later)
    editing.save_head(deal, {"valid_from": clock.now() + timedelta(days=20)})
    with clock.frozen(later):
        publishing.publish_due({"change": change.id})
    assert (change.state, deal.note) == ("open", "")


def test_what_is_changed_or_ticked_in_the_grid_and_the_terms_can_be_looked_at_first(deal, office):
    deal, child, bolt, _nut = deal
    make_staff("sales@tukku.example", ["sales"])
    sales = sign_in(office, "sales@tukku.example")
    page = f"{HOME}/FRAME"
    key = key_text(bolt.id, "pcs", D(0), db.session.scalar(select(ContractPrice.valid_from)))
    fields = {"key-1": key, "target-1": "BOLT", "unit-1": "pcs", "kind-1": "fixed", "value-1": "1.70", "prepare": "1"}
    answer = sales.post(f"{page}/rows", data=fields)
    assert "/changes/1" in answer.location
    assert "Rows changed in the table" in sales.get(answer.location).text
    answer = sales.post(f"{page}/rows", data={"delete": key, "prepare": "1"})
    assert "taken out" in sales.get(answer.location).text
    answer = sales.post(f"{page}/rows", data={**fields, "value-1": "x"})
    assert answer.status_code == 422
    answer = sales.post(f"{page}/status", data={"status": "ended", "prepare": "1"})
    shown = sales.get(answer.location).text
    assert "End the contract" in shown
    assert "Active" in shown
    assert sales.post(f"{answer.location}/publish", data={"version": "1"}).status_code == 303
    assert priced(bolt, child).price == D(2)


def test_a_long_list_is_looked_at_in_part_and_counted_whole(deal, monkeypatch):
    """What is ordered most is priced; every row is counted, whatever it does; nothing else of the list is tried."""
    deal, child, bolt, nut = deal
    screw = make_product("SCREW", price="3")
    monkeypatch.setattr(effect, "OF_ONE", 2)
    monkeypatch.setattr(effect, "PRODUCTS", 2)
    tried = []
    saved = changes.Saver.save
    monkeypatch.setattr(changes.Saver, "save", lambda self, *a, **k: tried.append(len(self.staged)) or saved(self, *a, **k))
    change = prepared(deal, "SCREW\t2.50\nNUT\t0.90\nBOLT\t1.80")
    assert change.size == 3
    found = change.effect
    assert (found["products"], found["looked_at"]) == (3, 2)
    assert {jump["sku"] for jump in found["jumps"]} == {"BOLT", "SCREW"}  # BOLT is on a line of a cart, then by place
    assert found["rows"] == {"added": 2, "rises": 1, "falls": 0, "same": 0, "other": 0, "gone": 0}
    assert tried == [2]
    assert publishing.publish(deal, change, change.version) == 3
    assert [priced(one, child).price for one in (bolt, nut, screw)] == [D("1.8"), D("0.9"), D("2.5")]
    rows = "SCREW\t2.40\nNUT\t0.90\nBOLT\t\t\tpercent\t10"
    counts = prepared(
        deal, rows, [key_text(nut.id, nut.base_unit, D(0), db.session.scalar(select(ContractPrice.valid_from)))]
    )
    assert counts.effect["rows"] == {"added": 1, "rises": 0, "falls": 1, "same": 1, "other": 0, "gone": 1}


def test_preparing_takes_as_many_statements_for_more_rows(deal):
    deal, *_rest = deal
    texts = ["\n".join(f"P{n}\t1.{n:02}" for n in range(count)) for count in (5, 40)]
    for n in range(40):
        make_product(f"P{n}", price="2")
    prepared(deal, texts[0])  # what is read once is read now
    counts = []
    for text in texts:
        with count_statements() as counted:
            prepared(deal, text)
        counts.append(counted.count)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("way", ["saved", "prepared"])
def test_a_pasted_price_leaves_alone_what_it_does_not_say(deal, way):
    """For how many units the price is, and until when."""
    deal, child, _bolt, nut = deal
    end = clock.now() + timedelta(days=9)
    row(deal, nut, "80", per="100", end=end)
    rows = pasted_rows("NUT\t90")
    if way == "saved":
        assert editing.save_grid(deal, rows, means="paste").written == 1
    else:
        change = changes.prepare(deal, rows)
        assert change.effect["rows"] == {"added": 0, "rises": 1, "falls": 0, "same": 0, "other": 0, "gone": 0}
        publishing.publish(deal, change, change.version)
    assert (priced(nut, child).price, priced(nut, child).per) == (D(90), D(100))
    assert priced(nut, child, at=end).price == D(1)
    whole = pasted_rows("NUT\tpcs\t\tfixed\t0.95\t1")
    assert editing.save_grid(deal, whole, means="paste").written == 1
    assert (priced(nut, child).price, priced(nut, child, at=end).price) == (D("0.95"), D("0.95"))
