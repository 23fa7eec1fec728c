"""What the cart and the test bench say would make an approval unnecessary: the smaller order is judged, not guessed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask

from addons.approval_chain import lesser, services
from addons.approval_chain.ledger_models import Budget
from addons.approval_chain.models import Limit
from addons.approval_chain.spending import Asked
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_bench import SHOP, code, shown
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import HERE, centre
from addons.approval_chain.tests.test_rules import step, when
from addons.approval_chain.tests.test_spending import limit
from core.companies.models import Company
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import cart
from core.orders.draft import stored_draft
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.queries import lines_of
from core.pricing.models import CurrencyRate, ListPrice
from core.registry.registry import EXTENSION, Contribution
from core.settings.services import set_value
from core.spec.orders import OrderDraft, OrderFact
from core.testing import factories
from core.testing.signin import sign_in


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def fill(world: World, *wanted: tuple[str, int]) -> None:
    """Add products to Anna's cart, by default 30 of one for 300.00."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem(sku, Decimal(count)) for sku, count in wanted or [("A-1", 30)]])


def seen(world: World) -> str:
    """Return what Anna's cart shows."""
    page = sign_in(world.app, "anna@acme.example").get("/cart").text
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page))).replace("\xa0", " ")


def free(world: World, total: str) -> bool:
    """Tell whether a cart of one line with this total would be placed at once."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        order = db.session.query(Order).filter_by(state="cart").one()
        draft = stored_draft(order, lines_of(order.id))
        smaller = lesser.resized(draft, Decimal(total))
        tried = services.Trial(draft, Asked(draft.user_id or 0, draft.company_id)).of([smaller])
        return not tried[0].plan.needed and not tried[0].plan.denied_by


def test_a_rule_on_the_total_and_an_exceeded_budget_ask_for_one_line(world):
    """The budget is no part of the total: both are looked at for the smaller order."""
    centre(world, "A", "bo")
    budget(world, "100", "require")
    assert world.state(world.place(6)) == "confirmed"
    world.rule("50")
    fill(world)
    assert "Up to 40.00 € no approval is needed." in seen(world)
    assert free(world, "40.00")
    assert not free(world, "40.01")


def test_a_budget_alone_asks(world):
    centre(world, "A", "bo")
    budget(world, "100", "require")
    fill(world)
    assert "Up to 100.00 € no approval is needed." in seen(world)


def test_a_budget_in_another_currency_leaves_what_it_is_worth_to_the_cent(world):
    with write() as session:
        day = factories.today()
        session.add_all(
            CurrencyRate(source=a, target=b, day=day, rate=Decimal(rate), origin="test")
            for a, b, rate in (("EUR", "USD", "1.08"), ("USD", "EUR", "0.925926"))
        )
    centre(world, "A", "bo")
    budget(world, "50", "require")
    with write() as session:
        session.query(Budget).one().currency = "USD"
    fill(world)
    said = re.search(r"Up to ([\d.]+) € no approval is needed", seen(world))
    assert said
    total = Decimal(said[1])
    assert total == Decimal("46.30")  # x 1.08 is 50.004, 50.00 when rounded
    assert free(world, str(total))
    assert not free(world, str(total + Decimal("0.01")))


def test_each_budget_of_several_cost_centres_bears_its_part(world):
    factories.make_product("B-1", price="10.00")
    centre(world, "A", "bo")
    centre(world, "B", "bo")
    budget(world, "60", "require", "A")
    budget(world, "45", "require", "B")
    fill(world, ("A-1", 20), ("B-1", 10))
    buyer = sign_in(world.app, "anna@acme.example")
    assert buyer.post(f"{HERE}/cart-cost-centres", data={"line-1": "A", "line-2": "B"}).status_code == 303
    # two thirds are borne by A: 60 of 90; a third by B: 45 of 135
    assert "Up to 90.00 € no approval is needed." in seen(world)


@pytest.mark.parametrize(
    ("order_limit", "month", "said"),
    [("70", None, "70.00"), (None, "80", "60.00"), ("55", "80", "55.00"), ("70", "80", "60.00")],
)
def test_limits_of_the_person_by_order_and_by_period(world, order_limit, month, said):
    world.place(2)  # 20.00 of the month
    with write() as session:
        if order_limit:
            session.add(Limit(company_id=world.company_id, role="orderer", order_limit=Decimal(order_limit), currency="EUR"))
    if month:
        limit(world, month)
    centre(world, "A", "bo")
    budget(world, "200", "require")
    fill(world)
    assert f"Up to {said} € no approval is needed." in seen(world)


def test_bands_budget_and_freight(world):
    with write():
        set_value("orders", "freight", Decimal("9.90"))
    centre(world, "A", "bo")
    budget(world, "75", "require")
    world.rule("", steps=[step("approver", "50"), step("company_admin", "200", tier=2)])
    fill(world)
    assert "Up to 50.00 € no approval is needed." in seen(world)


@pytest.mark.parametrize("how", ["net", "net_goods", "gross", "gross_goods"])
def test_whatever_counts_of_an_order(world, how):
    with write():
        set_value("orders", "freight", Decimal("9.90"))
        set_value("approval_chain", "amount_basis", how)
    centre(world, "A", "bo")
    budget(world, "75", "require")
    world.rule("100")
    fill(world)
    said = re.search(r"Up to ([\d.]+) € no approval is needed", seen(world))
    assert said
    assert Decimal("74.98") <= Decimal(said[1]) <= 75
    assert how == "gross_goods" or Decimal(said[1]) == 75 or how == "gross"


def test_rules_on_other_figures_that_follow_the_size(world):
    world.rule("", conditions=[when("gross", ">=", "125.50")])
    fill(world)
    assert "Up to 99.99 € no approval is needed." in seen(world)
    world.rule("", conditions=[when("quantity", ">", "4")])
    assert "Up to 40.00 € no approval is needed." in seen(world)


def test_what_another_addon_says_of_the_smaller_order(world, monkeypatch):
    """A figure of which only its addon knows how it follows the order's size."""

    def over(drafts: Sequence[OrderDraft]) -> list[Decimal]:
        return [max(draft.gross + 77 - Decimal(200), Decimal(0)) for draft in drafts]

    here = world.app.extensions[EXTENSION]
    figure = Contribution("approval_chain", OrderFact("credit", "Credit overrun", "money", over))
    found = {**here.contributed, "order_facts": (*here.contributed["order_facts"], figure)}
    monkeypatch.setitem(world.app.extensions, EXTENSION, replace(here, contributed=found))
    world.rule("", conditions=[when("credit", ">", "0")])
    fill(world)
    assert "Up to 98.01 € no approval is needed." in seen(world)  # with tax 123.00, and 77 are open


def test_without_a_line_its_budget_has_room(world):
    factories.make_product("B-1", price="10.00")
    centre(world, "A", "bo")
    budget(world, "100", "require")
    fill(world, ("A-1", 5), ("B-1", 20))
    text = seen(world)
    assert "Without B-1 no approval is needed." in text or "Without Product B-1 no approval is needed." in text
    assert "Up to 100.00 € no approval is needed." in text


def test_no_size_frees_an_order_whose_rule_asks_for_every_one(world):
    world.rule("")
    fill(world)
    text = seen(world)
    assert "no approval is needed." not in text
    assert "A smaller order needs approval too: Every order." in text
    assert "carl" in text.split("A smaller order needs approval too")[1]


def test_no_size_frees_an_order_of_somebody_who_may_order_nothing(world):
    with write() as session:
        session.add(Limit(company_id=world.company_id, role="orderer", order_limit=Decimal(0), currency="EUR"))
    fill(world)
    text = seen(world)
    assert "A smaller order needs approval too: Above the limit of the person who ordered." in text


def test_a_budget_that_is_used_up_leaves_other_cost_centres(world):
    centre(world, "A", "bo")
    budget(world, "60", "require")
    assert world.state(world.place(6)) == "confirmed"
    fill(world)
    text = seen(world)
    assert "A smaller order needs approval too: Budget of A exceeded." in text
    assert "another cost centre" in text


def test_a_rule_on_the_place_names_the_places_that_are_free(world):
    world.rule("", conditions=[when("ship_to", "in", ["main"])])
    factories.make_address(db.session.get_one(Company, world.company_id), code="store", name="Store", city="Turku")
    fill(world)
    text = seen(world)
    assert "A smaller order needs approval too" in text
    assert "Delivered to Store, Turku no approval is needed." in text


def test_a_forbidden_order_says_what_is_allowed(world):
    world.rule("200", effect="deny", steps=[], name="Too much")
    world.rule("50")
    fill(world)
    text = seen(world)
    assert "Too much" in text
    assert "Up to 200.00 € the order is allowed." in text
    assert "Up to 50.00 € no approval is needed." in text
    world.rule("", conditions=[when("country", "in", ["FI"])], effect="deny", steps=[], name="Not here")
    text = seen(world)
    assert "Your company does not allow this order: Too much." in text
    assert "the order is allowed." not in text
    assert "A smaller order is not allowed either: Not here. Who looks after the rules of your company: carl." in text


def test_what_the_cart_says_is_about_prices_of_now(world):
    """The cart was filled before the price went up, and shows what it costs now."""
    world.rule("50")
    fill(world, ("A-1", 5))
    assert "no approval is needed" not in seen(world)
    with write() as session:
        row = session.query(ListPrice).one()
        row.price = Decimal(20)
    assert "Up to 50.00 € no approval is needed." in seen(world)


def test_orders_that_are_too_small_are_not_promised(world):
    world.rule("200")
    world.rule("", conditions=[when("total", "<", "100")])
    fill(world)
    text = seen(world)
    assert "At 200.00 € no approval is needed." in text
    assert "Up to 200.00 €" not in text


def test_statements_do_not_grow_with_rules_or_lines(world, count_statements):
    centre(world, "A", "bo")
    budget(world, "75", "require")
    world.rule("50")
    fill(world)
    buyer = sign_in(world.app, "anna@acme.example")
    buyer.get("/cart")
    with count_statements() as few:
        buyer.get("/cart")
    for number in range(2, 30):
        factories.make_product(f"A-{number}", price="5.00")
        world.rule(str(50 + number), conditions=[when("gross", ">", str(60 + number)), when("total", ">", str(number + 40))])
    fill(world, *((f"A-{number}", 1) for number in range(2, 30)))
    buyer.get("/cart")
    with count_statements() as more:
        buyer.get("/cart")
    assert more.count == few.count


def test_the_bench_says_the_same(world):
    world.rule("", steps=[step("approver", "50")])
    admin, anna = sign_in(world.app, "carl@acme.example"), code(world, "anna")
    assert "Up to 50.00 € no approval is needed." in shown(admin, SHOP, person=anna, amount="250")
    world.rule("", name="All")
    text = shown(admin, SHOP, person=anna, amount="250")
    assert "A smaller order needs approval too: All." in text
