"""Orders draw agreements down: priced, shared out, never overdrawn, given back, explained."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from addons.volume_agreements import checks, editing, ledger, notices
from addons.volume_agreements.models import Agreement, Entry
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.notifications.models import Notification
from core.orders import amending, cart, lifecycle, manual, pages, placing, queries
from core.orders.placing import PriceChanged
from core.pricing import explain, services
from core.settings.services import set_value
from core.spec.errors import Conflict, Invalid
from core.spec.pricing import ManualTerms, PriceRequest
from core.testing import factories
from core.testing.statements import count_statements
from core.testing.sweeping import break_rows, swept


def line_of(shop, number, position=1):
    with shop.request(system("tests")):
        line = queries.lines_of(queries.find(number).id)[position - 1]
        return line.unit_price, line.per, line.net, line.price_source


def figures(shop, code="VA-1"):
    standing = shop.standing(code)
    return standing.reserved, standing.committed, standing.left


def staff(shop):
    return shop.request(system("tests"))


def manually(shop):
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)


def test_an_order_draws_at_the_agreed_price(shop):
    shop.agree()
    number = shop.order(("BOLT", "300"))
    assert line_of(shop, number) == (D(2), D(1), D(600), "volume:VA-1")
    assert figures(shop) == (D(0), D(300), D(700))
    with staff(shop):
        assert [(e.kind, e.committed) for e in db.session.scalars(select(Entry).order_by(Entry.id))] == [
            ("reserve", D(0)),
            ("commit", D(300)),
        ]


def test_reserved_confirmed_and_given_back(shop):
    manually(shop)
    shop.agree()
    kept, rejected, cancelled = (shop.order(("BOLT", quantity)) for quantity in ("100", "200", "300"))
    assert figures(shop) == (D(600), D(0), D(400))
    with staff(shop):
        lifecycle.confirm(kept)
        lifecycle.reject(rejected, "no")
        lifecycle.cancel(cancelled, "no")
    assert figures(shop) == (D(0), D(100), D(900))
    with staff(shop):
        kinds = db.session.execute(select(Entry.kind, Entry.reserved, Entry.committed).order_by(Entry.id)).all()
        assert kinds[3:] == [("commit", D(-100), D(100)), ("release", D(-200), D(0)), ("release", D(-300), D(0))]


def test_what_is_returned_goes_back_beyond_the_agreement_first(shop):
    shop.agree(quantity="320")
    number = shop.order(("BOLT", "500"))
    assert line_of(shop, number) == (D("2.18"), D(1), D(1090), "volume:VA-1=320")
    assert figures(shop) == (D(0), D(320), D(0))
    with staff(shop):
        lifecycle.record(number, "cancelled", {1: D(100)})
        lifecycle.record(number, "shipped", {1: D(400)})
    assert figures(shop) == (D(0), D(320), D(0))
    with staff(shop):
        lifecycle.record(number, "returned", {1: D(130)})
        assert list(checks.wrong()) == []
    assert figures(shop) == (D(0), D(270), D(50))


def test_the_price_ends_when_the_quantity_is_used_up(shop):
    shop.agree(quantity="320")
    shop.order(("BOLT", "320"))
    assert line_of(shop, shop.order(("BOLT", "1"))) == (D("2.5"), D(1), D("2.50"), "list")


def test_lines_of_one_order_share_what_is_left(shop):
    shop.agree(sku=None, quantity="320", category_id=_category("small"), kind="percent", value=D(10))
    shop.fill(("NUT", "300"), ("BOLT", "100"))
    with shop.request():
        assert [line.price.source for line in pages.cart_page().priced.lines] == ["volume:VA-1", "volume:VA-1=20"]
        alone = services.price(services.context(), [PriceRequest(s, _product(s), "pcs", D(300)) for s in ("NUT", "BOLT")])
        assert [line.source for line in alone.lines] == ["volume:VA-1", "volume:VA-1"]  # questions, each for itself
    number = shop.place()
    assert line_of(shop, number) == (D("0.9"), D(1), D(270), "volume:VA-1")
    assert line_of(shop, number, 2)[2] == D("245.00")  # 20 at 2.25 and 80 at 2.50
    assert figures(shop) == (D(0), D(320), D(0))


def _category(code):
    return factories.make_category(code).id


def _product(sku):
    from core.catalog.models import Product

    return db.session.scalars(select(Product.id).where(Product.sku == sku)).one()


def test_the_next_agreement_follows_in_the_same_line(shop):
    shop.agree(quantity="320")
    shop.agree("VA-2", value=D("2.20"), valid_until=clock.now() + timedelta(days=200))
    number = shop.order(("BOLT", "500"))
    assert line_of(shop, number) == (D("2.072"), D(1), D(1036), "volume:VA-1=320+VA-2=180")
    assert (figures(shop)[2], figures(shop, "VA-2")[2]) == (D(0), D(820))


def test_boxes_count_as_pieces(shop):
    shop.agree(quantity="500")
    number = shop.order(("BOLT", "3"), unit="box")
    # 500 pieces at 2.00, 100 at the price of the box: exact for the three boxes together
    assert line_of(shop, number) == (D(1250), D(3), D(1250), "volume:VA-1=500")
    assert figures(shop) == (D(0), D(500), D(0))


def test_companies_beneath_draw_from_the_same(shop):
    shop.agree(quantity="500")
    shop.order(("BOLT", "300"))
    number = shop.order(("BOLT", "300"), actor=shop.other)
    assert line_of(shop, number)[3] == "volume:VA-1=200"
    stranger = factories.make_company("other")
    from .conftest import buyer_of

    actor = buyer_of(stranger, "bert@other.example")
    assert line_of(shop, shop.order(("BOLT", "5"), actor=actor))[3] == "list"


@pytest.mark.parametrize(
    "more",
    [
        {"status": "draft"},
        {"status": "ended"},
        {"currency": "USD"},
        {"valid_from": clock.now() + timedelta(days=1)},
        {"valid_from": clock.now() - timedelta(days=9), "valid_until": clock.now() - timedelta(days=1)},
    ],
)
def test_what_does_not_hold_gives_no_price(shop, more):
    shop.agree(**more)
    assert line_of(shop, shop.order(("BOLT", "5")))[3] == "list"


def test_a_changed_order_keeps_what_it_holds_and_takes_no_more_than_is_left(shop):
    manually(shop)
    shop.agree(quantity="500")
    first, second = shop.order(("BOLT", "300")), shop.order(("BOLT", "150"))
    with shop.request():
        amending.amend(first, {1: D(400)})
    assert line_of(shop, first) == (D("2.0625"), D(1), D(825), "volume:VA-1=350")
    assert figures(shop) == (D(500), D(0), D(0))
    with shop.request():
        amending.amend(first, {1: D(100)})
    assert line_of(shop, first)[3] == "volume:VA-1"
    assert figures(shop) == (D(250), D(0), D(250))
    with staff(shop):
        assert list(checks.wrong()) == []
        assert queries.find(second).state == "submitted"


def test_a_price_lowered_by_hand_draws_as_before_and_one_set_in_the_cart_does_not(shop):
    manually(shop)
    shop.agree(quantity="500")
    number = shop.order(("BOLT", "600"))
    with staff(shop):
        manual.set_on_order(number, 1, ManualTerms(price=D("1.90"), reason="a scratch"))
    assert line_of(shop, number)[3] == "manual"
    assert figures(shop) == (D(500), D(0), D(0))
    shop.agree("VA-2")
    sales = replace(
        shop.buyer, user_id=factories.make_staff("s@tukku.example").id, on_behalf_of=shop.buyer.user_id,
        permissions=shop.buyer.permissions | {manual.SET},
    )  # fmt: skip
    shop.fill(("BOLT", "10"))
    with shop.request(sales):
        manual.set_in_cart(1, ManualTerms(price=D("1.50"), reason="a friend"))
    assert line_of(shop, shop.place(), 1)[3] == "manual"
    assert figures(shop, "VA-2") == (D(0), D(0), D(1000))


def test_two_orders_at_once_cannot_overdraw(shop):
    shop.agree(quantity="500")
    for actor in (shop.buyer, shop.other):
        shop.fill(("BOLT", "400"), actor=actor)
    outcomes, ready = [], threading.Barrier(2)

    def place(actor):
        with shop.request(actor):
            page = pages.cart_page()
            asked = placing.Placement(
                page.priced.totals.gross, cart_key=page.order.client_reference, seen=pages.read_seen(page.seen)
            )
            db.session.rollback()
            ready.wait(20)
            try:
                outcomes.append(placing.place(asked).order.number)
            except PriceChanged as changed:
                outcomes.append(changed)

    threads = [threading.Thread(target=place, args=(actor,)) for actor in (shop.buyer, shop.other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(isinstance(one, PriceChanged) for one in outcomes) == [False, True]
    assert figures(shop)[2] == D(100)


def test_the_cart_says_where_only_part_fits(shop):
    shop.agree(quantity="320")
    shop.fill(("BOLT", "500"))
    with shop.request():
        (found,) = [f for f in pages.cart_page().findings if f.code == "VOLUME-PARTLY"]
        assert "320 of 500" in str(found.message)
        cart.change({1: D(320)})
        assert [f for f in pages.cart_page().findings if f.code == "VOLUME-PARTLY"] == []


def test_the_price_is_explained(shop):
    shop.agree(quantity="320")
    shop.agree("OLD", status="ended")
    shop.agree("NEXT", valid_from=clock.now() + timedelta(days=5))
    with staff(shop):
        whole = explain.explain("acme", "BOLT", D(100)).as_dict()
        assert whole["reason"] == "Your agreement Agreement VA-1: 320 of 320 pcs left"
        lost = {c["source"]: c["lost"] for c in whole["candidates"]}
        assert lost["volume:VA-1"] is None
        assert lost["volume:OLD"] == "The agreement has ended."
        assert lost["volume:NEXT"] == "The agreement is not valid yet."
        assert [s["step"] for s in whole["steps"]][-1] == "volume"
        part = explain.explain("acme", "BOLT", D(500)).as_dict()
        assert part["reason"] == "320 of 500 pcs by your agreement Agreement VA-1, the rest at the price without it"
        later = explain.explain("acme", "BOLT", D(1), at=clock.now() + timedelta(days=300))
        assert later.line.source == "list"
    shop.order(("BOLT", "320"))
    with staff(shop):
        lost = {c["source"]: c["lost"] for c in explain.explain("acme", "BOLT", D(1)).as_dict()["candidates"]}
        assert lost["volume:VA-1"] == "The agreed quantity is used up."


def test_a_rest_without_a_price_asks_for_a_quote(shop):
    factories.make_product("ODD", price=None)
    shop.agree(sku="ODD", quantity="100")
    with shop.request():
        where = services.context()
        asked = [PriceRequest(q, _product("ODD"), "pcs", D(q)) for q in ("100", "101")]
        fits, over = services.price(where, asked).lines
        assert (fits.price, over.price) == (D(2), None)
        assert "ask for a quote" in str(over.reason)


def test_statements_do_not_grow_with_lines_or_agreements(shop):
    for n in range(20):
        factories.make_product(f"X-{n}", price="1")

    items = [(f"X-{n}", "1") for n in range(20)]

    def asked(count):
        with shop.request():
            if cart.current_cart():
                cart.clear()
        shop.fill(*items[:count])
        with shop.request(), count_statements() as counted:
            pages.cart_page()
        return counted.count

    asked(20)  # what is known of articles stays known
    without = asked(20)
    shop.agree("VA-0", "X-0")
    few = asked(20)
    assert few <= without + 2
    for n in range(1, 9):
        shop.agree(f"VA-{n}", f"X-{n}")
    assert asked(20) <= few
    assert asked(20) == asked(1)


def test_the_ledger_is_compared_and_mended(shop):
    shop.agree()
    number = shop.order(("BOLT", "300"))
    with staff(shop):
        assert list(checks.ledger_agrees()) == []
        with write() as session:
            session.execute(delete(Entry))
        assert [(d.number, d.committed) for d in checks.wrong()] == [(number, D(300))]
        assert "does not agree with 1 order" in str(next(iter(checks.ledger_agrees())).message)
        result = CliRunner().invoke(checks.command, [])
        assert (result.exit_code, number in result.output) == (1, True)
        assert "Mended 1" in CliRunner().invoke(checks.command, ["--mend"]).output
        assert "agrees" in CliRunner().invoke(checks.command, []).output
        ledger.post([queries.find(number).id])
        assert len(list(db.session.scalars(select(Entry)))) == 1
    assert figures(shop) == (D(0), D(300), D(700))


def test_the_ledger_is_history(shop):
    shop.agree()
    shop.order(("BOLT", "300"))
    with staff(shop), pytest.raises(Conflict), write():
        db.session.scalars(select(Entry)).first().committed = D(1)


def test_both_sides_are_told(shop):
    sam = factories.make_staff("sam@tukku.example", ["sales"])
    shop.agree()

    def told(user_id):
        with staff(shop):
            query = select(Notification.subject).where(Notification.user_id == user_id).order_by(Notification.id)
            return list(db.session.scalars(query.where(Notification.kind.startswith("volume_agreements"))))

    def follow(number):
        with staff(shop):
            notices.follow({"order_id": queries.find(number).id})
            notices.follow({"order_id": queries.find(number).id})

    follow(shop.order(("BOLT", "700")))
    assert told(sam.id) == []
    follow(shop.order(("BOLT", "150")))
    assert told(sam.id) == told(shop.buyer.user_id) == ["85 % of Agreement VA-1 are used up"]
    follow(shop.order(("BOLT", "150")))
    assert told(sam.id)[1:] == ["Agreement VA-1 is used up"]
    shop.agree("SOON", valid_until=clock.now() + timedelta(days=20))
    shop.agree("LATER", valid_until=clock.now() + timedelta(days=60))
    shop.agree("SHORT", valid_until=clock.now() - timedelta(days=2))
    with staff(shop):
        notices.nightly({})
        notices.nightly({})
    assert [subject.split()[1] for subject in told(sam.id)[2:]] == ["SHORT", "SOON"]
    with staff(shop), write():
        set_value("volume_agreements", "end_notice_days", 0)
    shop.agree("SOON-2", valid_until=clock.now() + timedelta(days=20))
    with staff(shop):
        notices.nightly({})
    assert len(told(sam.id)) == 4


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"category_id": 1}, "only one of them"),
        ({"sku": None}, "only one of them"),
        ({"quantity": "0"}, "agreed quantity"),
        ({"kind": "percent", "value": D(100)}, "below 100"),
        ({"value": D(-1)}, "agreed price"),
        ({"per": D(0)}, "more than nothing"),
        ({"valid_until": clock.now() - timedelta(days=20)}, "before the first"),
        ({"code": "TAKEN"}, "with the code"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, values, says):
    shop.agree("TAKEN")
    with pytest.raises(Invalid, match=says):
        shop.agree(**{"code": "NEW", **values})


def test_the_unit_of_a_category_is_a_base_unit(shop):
    small = _category("small")
    for unit, says in (("", "in which unit"), ("box", "is a package"), ("kg", "No product is sold")):
        with pytest.raises(Invalid, match=says):
            shop.agree(sku=None, category_id=small, unit=unit)


def test_what_orders_drew_stays_covered(shop):
    shop.agree()
    shop.order(("BOLT", "300"))
    with staff(shop):
        made = editing.by_code("VA-1")
        names = [c.name for c in Agreement.__table__.columns]
        kept = {n: getattr(made, n) for n in names if n not in ("id", "version", "created_at", "updated_at")}
        with pytest.raises(Invalid, match="300"):
            editing.save(made, {**kept, "quantity": D(299)})
        with pytest.raises(Invalid, match="Make another"):
            editing.save(made, {**kept, "product_id": _product("NUT")})
        assert editing.save(made, {**kept, "quantity": D(300)}).version == 2
        with pytest.raises(Conflict, match="Somebody else"):
            editing.save(made, kept, 1)
    assert figures(shop)[2] == D(0)


def test_the_doctor_names_a_ledger_that_does_not_agree_with_orders(shop):
    shop.agree()
    number = shop.order(("BOLT", "300"))
    assert swept(shop.app, "volume_agreements") == {}
    break_rows(shop.app, "UPDATE volume_agreements_entry SET committed = committed + 10000")
    assert swept(shop.app, "volume_agreements") == {"VOLUME-LEDGER": [number]}
    break_rows(shop.app, "DELETE FROM volume_agreements_entry")
    assert swept(shop.app, "volume_agreements") == {"VOLUME-LEDGER": [number]}
