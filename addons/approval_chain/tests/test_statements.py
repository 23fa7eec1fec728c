"""The cart and the checkout ask once what rules, panels and steps all want to know, however many lines there are."""

from __future__ import annotations

import pytest

from addons.approval_chain.tests.test_approval import World
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre
from addons.approval_chain.tests.test_spending import limit
from core.testing import factories
from core.testing.apps import bundled_addons
from core.testing.signin import sign_in

#: page -> statements of a buyer with a rule, a limit, a cost centre and a budget, all addons being on
PAGES = {"/cart": 44, "/checkout": 55}


@pytest.fixture
def world(app_with) -> World:
    """A shop with everything, and a company that uses all of it."""
    found = World(app_with(addons=bundled_addons()))
    centre(found, "A", "bo")
    found.rule("50")
    budget(found, "40", "warn")
    limit(found, "30")
    return found


def test_the_cart_and_the_checkout_ask_once(world, count_statements):
    buyer = sign_in(world.app, "anna@acme.example")
    buyer.post("/cart/add", data={"sku": "A-1", "unit": "pcs", "quantity": "10"})
    for number in range(2, 12):
        for page, most in PAGES.items():
            text = buyer.get(page).text
            assert "Approval" in text
            with count_statements(at_most=most):
                assert buyer.get(page).text
        factories.make_product(f"A-{number}", price="5.00")
        buyer.post("/cart/add", data={"sku": f"A-{number}", "unit": "pcs", "quantity": "1"})
