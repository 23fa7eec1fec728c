"""Saved lists: a copy of the cart, each person's own, ordered from like an old order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.orders import cart, lists, queries, reorder
from core.orders.merging import NewItem
from core.spec.errors import Invalid, NotFound
from core.testing import factories

from .conftest import buyer_of


def test_a_cart_is_kept_and_stays(shop):
    with shop.request():
        cart.add([NewItem("A-1", Decimal(2)), NewItem("B-2", Decimal(10))])
        key = lists.save("  Monthly  order ").client_reference
    with shop.request():
        assert [(row.name, row.lines) for row in lists.all_lists()] == [("Monthly order", 2)]
        assert cart.badge()[0] == 2
        rows = reorder.review_lines(queries.lines_of(lists.find(key).id))
        assert [(r.outcome, r.article.sku, r.quantity) for r in rows] == [("ok", "A-1", 2), ("ok", "B-2", 10)]
    with shop.request():
        cart.remove([1])
        lists.save("Monthly order")
    with shop.request():
        assert [(row.name, row.lines) for row in lists.all_lists()] == [("Monthly order", 1)]
        lists.remove(key)
        assert not lists.all_lists()


def test_a_list_is_its_owner_s(shop):
    with shop.request():
        cart.add([NewItem("A-1", Decimal(2))])
        key = lists.save("Mine").client_reference
    bella = buyer_of(shop.company, factories.make_user("bella@acme.example", company=shop.company))
    for deed in (lists.find, lists.remove):
        with shop.request(bella), pytest.raises(NotFound):
            deed(key)
    with shop.request(bella):
        assert not lists.all_lists()


def test_a_list_needs_a_name_and_articles(shop):
    with shop.request(), pytest.raises(Invalid) as refused:
        lists.save("Empty")
    assert refused.value.code == "CART-EMPTY"
    with shop.request():
        cart.add([NewItem("A-1", Decimal(2))])
        with pytest.raises(Invalid) as refused:
            lists.save("  ")
    assert refused.value.code == "LIST-NAME"
