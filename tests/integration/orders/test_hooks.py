"""What addons contribute to orders: rules, holds, parts; and what happens when one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from core.data.db import db
from core.data.write import writing
from core.orders import cart, lifecycle, pages, placing, queries
from core.orders.digest import content_of, digest
from core.orders.draft import stored_draft
from core.orders.facts import load_facts, order_facts
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.movements import sums_of
from core.orders.rules import CheckoutRefused
from core.registry.registry import EXTENSION, Contribution, HookFailed
from core.spec.orders import CheckoutRule, Finding, HoldRequest, HoldType, OrderFact, OrderFollower, OrderPart, Stage

from .conftest import Shop, placement

Contribute = Callable[..., None]


@pytest.fixture
def contribute(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Contribute:
    """Add a contribution of the addon ``toy`` to a hook of the running shop."""

    def add(hook: str, value: Any) -> None:
        here = shop.app.extensions[EXTENSION]
        found = (*here.contributed.get(hook, ()), Contribution("toy", value))
        monkeypatch.setitem(shop.app.extensions, EXTENSION, replace(here, contributed={**here.contributed, hook: found}))

    return add


def large(draft: Any) -> HoldRequest | None:
    return HoldRequest("Over 100 €") if draft.net > 100 else None


def test_an_addon_holds_the_orders_it_wants_and_no_others(shop, contribute):
    contribute("order_hold_types", HoldType("large", "Large orders", "toy.hold.release", large))
    small, big = shop.place(("A-1", 1)), shop.place(("A-1", 11))
    with shop.request(shop.staff):
        assert queries.find(small).state == "confirmed"
        order = queries.find(big)
        assert order.state == "submitted"
        assert ["toy", "hold:large"] in order.required_checks
        (hold,) = queries.holds_of(order.id)
        assert (hold.owner, hold.code, hold.label, hold.blocks) == ("toy", "large", "Over 100 €", ["confirm"])
    owner = replace(shop.staff, permissions=frozenset({"toy.hold.release", "orders.desk.view"}))
    with shop.request(owner):
        assert lifecycle.release(big, hold.id, "agreed").state == "confirmed"


def test_findings_of_addons_stand_beside_those_of_core(shop, contribute):
    stop = Finding("TOY", "block", "The toy says no.", ("1",), "Mend it", "/toy")
    note = Finding("HINT", "info", "By the way.")
    contribute("checkout_rules", CheckoutRule("no", Stage.SUBMIT, lambda draft: [note, stop]))
    with shop.request():
        cart.add([NewItem("A-1", Decimal(1)), NewItem("C-3", Decimal(1))])
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        assert [f.level for f in page.findings] == ["block", "block", "info"]
        assert "The toy says no." in page.rows[0].problems
        with pytest.raises(CheckoutRefused) as refused:
            placing.place(placement(page))
        assert {f.code for f in refused.value.findings} == {"TOY", "NO-PRICE", "HINT"}


def test_what_only_warns_does_not_stop(shop, contribute):
    contribute("checkout_rules", CheckoutRule("hm", Stage.SUBMIT, lambda draft: [Finding("HM", "warning", "Hm.")]))
    contribute("checkout_rules", CheckoutRule("hm", Stage.COMMIT, lambda draft: [Finding("HM", "warning", "Hm.")]))
    with_warning = shop.place(("A-1", 1))
    with shop.request():
        assert queries.find(with_warning).state == "confirmed"


@pytest.mark.parametrize("hook", ["checkout_rules", "order_hold_types"])
def test_a_rule_that_fails_refuses_the_order_and_keeps_the_cart(shop, contribute, hook):
    with shop.request():
        cart.add([NewItem("A-1", Decimal(1))])
    with shop.request():
        sent = placement(pages.cart_page(Stage.SUBMIT))

    def broken(draft: Any) -> Any:
        raise ZeroDivisionError("toy")

    rule = CheckoutRule("broken", Stage.SUBMIT, broken)
    contribute(hook, rule if hook == "checkout_rules" else HoldType("broken", "Broken", "toy.x.y", broken))
    with shop.request(), pytest.raises(HookFailed):
        placing.place(sent)
    with shop.request():
        order = cart.current_cart()
        assert (order.state, order.number) == ("cart", None)


def test_parts_of_addons_keep_lines_apart_and_enter_the_digest(shop, contribute):
    facts: dict[int, dict[str, str]] = {}
    part = OrderPart(
        "terms",
        facts=lambda ids: {i: facts[i] for i in ids if i in facts},
        copy=lambda source, target: None,
        split_key=lambda line: line.get("site", ""),
    )
    contribute("order_parts", part)
    items = [NewItem("A-1", Decimal(1), parts={"site": site}) for site in ("north", "south", "north", "")]
    with shop.request():
        assert [o.outcome for o in cart.add(items)] == ["added", "added", "merged", "added"]
        assert [line.quantity for line in cart.view().lines] == [2, 1, 1]
    with shop.request():
        order = placing.place(placement(pages.cart_page(Stage.SUBMIT))).order
        lines = queries.lines_of(order.id)
        before = digest(content_of(order, lines))
        assert before == order.digest
        facts[order.id] = {"incoterm": "DAP"}
        assert digest(content_of(order, lines)) != before


def test_followers_write_in_the_transaction_of_every_change(shop, contribute):
    seen: list[tuple[str, str]] = []

    def follow(order_id: int, change: str) -> None:
        assert writing()
        seen.append((db.session.scalars(select(Order.state).where(Order.id == order_id)).one(), change))

    contribute("order_followers", OrderFollower("ledger", follow))
    number = shop.place(("A-1", 2))
    with shop.request(shop.staff):
        lifecycle.record(number, "shipped", {1: Decimal(2)})
    expected = [("submitted", "submitted"), ("confirmed", "confirmed"), ("confirmed", "moved"), ("completed", "completed")]
    assert seen == expected


def test_a_follower_that_fails_stops_the_change(shop, contribute):
    def broken(order_id: int, change: str) -> None:
        if change == "moved":
            raise ZeroDivisionError("toy")

    contribute("order_followers", OrderFollower("broken", broken))
    number = shop.place(("A-1", 2))
    with shop.request(shop.staff):
        with pytest.raises(HookFailed):
            lifecycle.record(number, "shipped", {1: Decimal(2)})
        order = queries.find(number)
        assert order.state == "confirmed"
        assert [line.shipped for line in sums_of([order.id]).values()] == [0]


@pytest.mark.parametrize("field", ["po_number", "note", "wished_date", "ship_to", "currency", "gross"])
def test_any_change_of_the_head_changes_the_digest(shop, field):
    from datetime import date

    number = shop.place(("A-1", 1))
    values = {"wished_date": date(2030, 1, 2), "ship_to": {"city": "Oulu"}, "gross": Decimal("1.01")}
    with shop.request(shop.staff):
        order = queries.find(number)
        lines = queries.lines_of(order.id)
        setattr(order, field, values.get(field, "XXX"))
        assert digest(content_of(order, lines)) != order.digest
        queries.db.session.rollback()


def test_figures_of_orders_are_named_by_their_addon_and_asked_for_many_at_once(shop, contribute):
    asked: list[int] = []

    def lines(drafts: Any) -> list[Decimal]:
        asked.append(len(drafts))
        return [Decimal(len(draft.lines)) for draft in drafts]

    contribute("order_facts", OrderFact("lines", "Lines", "number", lines))
    contribute("order_facts", OrderFact("broken", "Broken", "number", lambda drafts: []))
    number = shop.place(("A-1", 1), ("B-2", 1))
    with shop.request(shop.staff):
        order = queries.find(number)
        drafts = [stored_draft(order, queries.lines_of(order.id))] * 3
        assert order_facts()["toy.lines"].title == "Lines"
        assert load_facts({"toy.lines", "gone.figure"}, drafts) == [{"toy.lines": Decimal(2)}] * 3
        assert load_facts({"toy.lines"}, []) == []
        assert asked == [3]
        with pytest.raises(HookFailed):
            load_facts({"toy.broken"}, drafts)
