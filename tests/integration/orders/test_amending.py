"""A submitted order changes before it is confirmed: what is left is priced, charged and checked as one order."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from core.data.scope import system
from core.data.write import write
from core.orders import amending, lifecycle, pages, queries
from core.orders.digest import content_of, digest
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid


@pytest.fixture
def number(shop) -> str:
    """An order of 150.00 without freight, which is free from 100; it waits to be confirmed."""
    with shop.request(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
        set_value("orders", "freight", D("9.90"))
        set_value("orders", "freight_free_from", D(100))
    return shop.place(("A-1", 10), ("B-2", 20))


def test_what_is_left_is_one_order_again(shop, number):
    with shop.request():
        order = queries.find(number)
        assert (order.net, order.charges_net) == (D(150), D(0))
        shown = amending.preview(order, {1: D(4), 2: D(0)})
        assert (shown.totals.net, shown.totals.charges) == (D(40), D("9.9"))
        assert queries.find(number).net == D(150)  # looking changed nothing
        seen = order.digest
        with pytest.raises(Conflict, match="Prices have changed"):
            amending.amend(number, {1: D(4)}, expected_total=D(1), seen=seen)
        with pytest.raises(Conflict, match="changed since you looked"):
            amending.amend(number, {1: D(4)}, seen="another")
    with shop.request():
        order = amending.amend(number, {1: D(4), 2: D(0)}, expected_total=shown.totals.gross, seen=seen)
        lines = queries.lines_of(order.id)
        assert [(x.position, x.quantity, x.net) for x in lines] == [(1, D(4), D(40))]
        assert (order.net, order.charges_net, order.gross) == (D(40), D("9.9"), shown.totals.gross)
        assert order.digest == digest(content_of(order, lines)) != seen


@pytest.mark.parametrize(
    ("quantities", "says"),
    [({1: D(0), 2: D(0)}, "Nothing would be left"), ({3: D(1)}, "has no line 3"), ({2: D(15)}, "B-2")],
)
def test_what_cannot_be_is_named(shop, number, quantities, says):
    with shop.request(), pytest.raises(Invalid, match=says):
        amending.amend(number, quantities)
    with shop.request():
        assert queries.find(number).net == D(150)


def test_only_buyers_of_the_company_and_only_before_it_is_confirmed(shop, number):
    with shop.request(shop.staff), pytest.raises(Forbidden):
        amending.amend(number, {1: D(4)})
    with shop.request(shop.staff):
        lifecycle.confirm(number)
    with shop.request(), pytest.raises(Conflict, match="can no longer be changed"):
        amending.amend(number, {1: D(4)})


def test_references_change_alone(shop, number):
    with shop.request():
        before = queries.find(number)
        net, seen = before.net, before.digest
        order = amending.restate(number, {"po_number": " PO-1 ", "note": "At the gate"}, seen=seen)
        assert (order.po_number, order.note, order.net) == ("PO-1", "At the gate", net)
        assert order.digest == digest(content_of(order, queries.lines_of(order.id))) != seen
        with pytest.raises(Conflict, match="changed since you looked"):
            amending.restate(number, {"note": "Elsewhere"}, seen=seen)
    with shop.request(shop.staff), pytest.raises(Forbidden):
        amending.restate(number, {"note": "Elsewhere"})


def test_the_timeline_tells_of_every_change(shop, number):
    with shop.request():
        amending.amend(number, {1: D(4)})
        amending.restate(number, {"po_number": "PO-1"})
        told = [event.text for event in pages.timeline(queries.find(number), internal=False)]
    assert len(told) == 3
    assert told[0] == told[1]
