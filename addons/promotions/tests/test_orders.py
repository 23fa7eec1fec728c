"""Promotions on carts and orders: shown, taxed, kept, limited, granted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import update

from addons.promotions import editing, services, vouchers
from addons.promotions.models import Promotion
from core.data import clock
from core.data.scope import acting, system
from core.data.write import write
from core.orders import cart, charges, documents, lifecycle, manual, pages, queries
from core.orders.digest import content_of
from core.orders.rules import CheckoutRefused
from core.settings.services import set_value
from core.spec.errors import Conflict, Invalid
from core.spec.orders import Stage
from core.spec.pricing import ManualTerms
from core.testing import factories
from core.testing.statements import count_statements
from core.testing.sweeping import break_rows, swept

from .conftest import buyer_of, promotion


def rows(order):
    return [(row.owner, row.code, row.net, row.tax_rate) for row in charges.rows_of(order.id)]


def test_a_discount_is_a_row_of_the_order_taxed_as_its_lines(shop):
    promotion("SPRING", min_value=D(30))
    shop.fill(("A-1", "2"), ("FOOD", "1"))
    number = shop.place()
    with shop.request():
        order = queries.find(number)
        assert rows(order) == [("promotions", "SPRING", D(-2), D("25.5")), ("promotions", "SPRING", D(-1), D(14))]
        # 18 at 25.5 % and 9 at 14 %
        assert (order.net, order.charges_net, order.tax, order.gross) == (D(30), D(-3), D("5.85"), D("32.85"))
        totals = documents.content(order, queries.lines_of(order.id), documents.seller())["totals"]
        assert totals[1][0] == "Promotion SPRING"


def test_below_the_threshold_nothing_comes_off(shop):
    promotion("SPRING", min_value=D(30))
    shop.fill(("A-1", "2"))
    with shop.request():
        assert pages.cart_page().priced.charges == ()
        assert vouchers.cart_panel(_context(cart.current_cart()))["nudges"] == [
            vouchers.Nudge("Promotion SPRING", D(10), D(0))
        ]


def _context(order):
    from core.spec.ui import PageContext

    return PageContext("storefront.cart", order.id, "")


@pytest.mark.parametrize(
    "more",
    [
        {"valid_from": clock.now() + timedelta(days=1)},
        {"valid_until": clock.now() - timedelta(hours=1)},
        {"status": "draft"},
        {"currency": "USD"},
        {"voucher": "OTHER"},
    ],
)
def test_what_does_not_hold_takes_nothing_off(shop, more):
    promotion("SPRING", **more)
    shop.fill(("A-1", "2"))
    with shop.request():
        assert pages.cart_page().priced.charges == ()


def test_for_whom_it_is(shop):
    other = factories.make_company("other")
    gold = factories.make_segment("gold")
    daughter = factories.make_company("daughter", parent=shop.company)
    promotion("MINE", value="5", company_id=shop.company.id)
    promotion("GOLD", value="50", segment_id=gold.id)
    with shop.request(replace(shop.buyer, scope=replace(shop.buyer.scope, kind="merchant"))):
        assert [r.code for r in services.holding(shop.company.id, "EUR")] == ["MINE"]
        assert [r.code for r in services.holding(daughter.id, "EUR")] == ["MINE"]
        assert services.holding(other.id, "EUR") == services.holding(None, "EUR") == []


def test_freight_may_be_part_of_it(shop):
    with shop.app.app_context(), acting(system("tests")), write():
        set_value("orders", "freight", D(10))
    promotion("SPRING", "amount", "12", with_charges=True)
    shop.fill(("A-1", "2"))
    with shop.request():
        found = pages.cart_page().priced
        assert (found.totals.net, found.totals.charges) == (D(20), D(-2))


def test_a_voucher_is_entered_used_and_used_up(shop):
    promotion("WELCOME", "amount", "5", voucher="WELCOME-5", uses=2, uses_per_company=1)
    shop.fill(("A-1", "2"))
    with shop.request():
        with pytest.raises(Invalid, match="no voucher NOPE"):
            vouchers.enter("nope")
        assert vouchers.enter(" welcome-5 ") == "WELCOME-5"
        page = pages.cart_page()
        assert (page.priced.totals.charges, page.changed) == (D(-5), ())
    number = shop.place()
    with shop.request():
        order = queries.find(number)
        assert content_of(order, queries.lines_of(order.id))["parts"]["promotions.voucher"] == {"code": "WELCOME-5"}
    shop.fill(("A-1", "2"))
    with shop.request(), pytest.raises(Invalid, match="used up"):
        vouchers.enter("WELCOME-5")
    with shop.request(replace(shop.buyer, permissions=shop.buyer.permissions | {"orders.order.cancel_confirmed"})):
        lifecycle.cancel(number, "ordered twice")
    with shop.request():
        assert vouchers.enter("WELCOME-5")
        assert pages.cart_page().priced.totals.charges == D(-5)
        vouchers.take_back()
        assert pages.cart_page().priced.totals.charges == D(0)


def test_the_last_use_is_granted_once(shop):
    promotion("LAST", "amount", "5", voucher="LAST", uses=1)
    other = factories.make_company("other")
    bert = replace(shop, company=other, buyer=buyer_of(other, "bert@other.example"))
    for one in (shop, bert):
        one.fill(("A-1", "2"))
        with one.request():
            vouchers.enter("LAST")
            assert pages.cart_page().priced.totals.charges == D(-5)
    shop.place()
    with bert.request():
        draft = pages.draft_of(*(lambda v: (v.order, v.lines, v.priced))(cart.view()))
        found = services.last_use_granted_once(draft)
        assert [f.code for f in found] == ["VOUCHER-USED-UP"]
        assert pages.cart_page(Stage.SUBMIT).stopped
    with pytest.raises((Conflict, CheckoutRefused)):
        bert.place()
    with bert.request():
        cart.refresh()
    assert bert.place()


def test_a_contract_s_price_is_not_reduced_unless_the_promotion_says_so(shop):
    line = services.ChargeLine(1, "pcs", D(1), D(1), D(10), "1", "contract:C")
    plain = services.ChargeLine(2, "pcs", D(1), D(1), D(10), "2", "list")
    promotion("SPRING")
    with shop.request():
        rules = services.holding(shop.company.id, "EUR")
        assert [i.agreed for i in services.items_of([line, plain], rules)] == [True, False]


def test_a_price_set_by_hand_later_leaves_the_discount_of_the_day_of_the_order(shop):
    ended = clock.now() + timedelta(days=1)
    promotion("SPRING", on_agreed=True, valid_until=ended)
    promotion("OWN", value="20", min_value=D(30), valid_until=ended)
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    numbers = []
    for items in ((("A-1", "2"),), (("A-1", "2"), ("B-2", "4"))):
        shop.fill(*items)
        numbers.append(shop.place())
    small, large = numbers
    with clock.frozen(ended), shop.request(system("tests")):
        manual.set_on_order(small, 1, ManualTerms(price=D(9), reason="a scratch"))
        assert rows(queries.find(small)) == [("promotions", "SPRING", D("-1.8"), D("25.5"))]
        with pytest.raises(Invalid, match="instead of"):  # OWN needs 30.00, and takes most off
            manual.set_on_order(large, 1, ManualTerms(price=D("9.75"), reason="a scratch"))
    with shop.request():
        assert rows(queries.find(large)) == [("promotions", "OWN", D(-6), D("25.5"))]


def test_statements_do_not_grow_with_lines_or_promotions(shop):
    factories.make_category("tools")
    for n in range(20):
        factories.make_product(f"X-{n}", price="1")

    def asked(items):
        shop.fill(*items)
        with shop.request(), count_statements() as counted:
            pages.cart_page()
        return counted.count

    promotion("P-1")
    few = asked([("X-0", "1")])
    for n in range(2, 9):
        promotion(f"P-{n}")
    assert asked([(f"X-{n}", "1") for n in range(20)]) <= few


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"value": D(101)}, "at most 100"),
        ({"value": D(0)}, "above 0"),
        ({"kind": "amount", "value": D(0)}, "Write the amount"),
        ({"kind": "amount", "currency": ""}, "needs a currency"),
        ({"kind": "cheapest_free"}, "leave the value empty"),
        ({"kind": "amount_each", "with_charges": True}, "takes charges too"),
        ({"uses": 3}, "Only a voucher"),
        ({"valid_until": clock.now() - timedelta(days=9)}, "before the first"),
        ({"code": "TAKEN"}, "with the code"),
        ({"voucher": "SAME"}, "has this voucher already"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, values, says):
    with shop.request(system("tests")):
        promotion("TAKEN", voucher="SAME")
        with pytest.raises(Invalid, match=says):
            promotion(**{"code": "NEW", **{k: str(v) if k == "value" else v for k, v in values.items()}})


def test_two_people_do_not_overwrite_each_other(shop):
    made = promotion("SPRING")
    with shop.request(system("tests")):
        values = {c.name: getattr(made, c.name) for c in Promotion.__table__.columns}
        kept = {k: v for k, v in values.items() if k not in ("id", "version", "created_at", "updated_at")}
        with write() as session:
            session.execute(update(Promotion).values(version=7))
        with pytest.raises(Conflict, match="Somebody else"):
            editing.save(editing.by_code("SPRING"), kept, 1)


def test_the_doctor_names_a_promotion_that_was_used_too_often(shop):
    promotion("SPRING")
    for _order in range(2):
        shop.fill(("A-1", "2"))
        shop.place()
    assert swept(shop.app) == {}
    for column in ("uses", "uses_per_company"):
        break_rows(shop.app, f"UPDATE promotions_promotion SET {column} = 1")
        assert swept(shop.app) == {"PROMOTION-OVERUSED": ["SPRING"]}
        break_rows(shop.app, f"UPDATE promotions_promotion SET {column} = NULL")
