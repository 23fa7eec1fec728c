"""Sums of movements: what a line can still take, and what that says of the delivery."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.orders.movements import LineSums, all_shipped, check, delivery_status
from core.spec.errors import Invalid

TEN = Decimal(10)


def sums(**values: int) -> LineSums:
    return LineSums(TEN, **{name: Decimal(value) for name, value in values.items()})


@pytest.mark.parametrize(
    ("line", "kind", "room"),
    [
        (sums(), "shipped", 10),
        (sums(shipped=4), "shipped", 6),
        (sums(shipped=4, cancelled=3), "shipped", 3),
        (sums(), "delivered", 0),
        (sums(shipped=4, delivered=1), "delivered", 3),
        (sums(shipped=4), "cancelled", 6),
        (sums(invoiced=10), "cancelled", 0),
        (sums(invoiced=10, credited=10), "cancelled", 10),
        (sums(invoiced=4), "invoiced", 6),
        (sums(invoiced=4), "credited", 4),
        (sums(), "credited", 0),
        (sums(shipped=4, returned=1), "returned", 3),
        (sums(), "returned", 0),
    ],
)
def test_room_of_a_line(line, kind, room):
    assert line.room(kind) == room


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "10.000001", "1E12"])
def test_quantities_that_a_line_cannot_take_are_refused_by_name(quantity):
    with pytest.raises(Invalid) as refused:
        check("shipped", {1: Decimal(quantity)}, {1: sums()}, {1: "A-1"})
    assert "A-1" in str(refused.value.message)


def test_all_that_is_left_may_be_shipped():
    check("shipped", {1: Decimal(6)}, {1: sums(shipped=4)}, {1: "A-1"})


def test_a_line_of_another_order_is_refused():
    with pytest.raises(Invalid) as refused:
        check("shipped", {7: Decimal(1)}, {1: sums()}, {1: "A-1"})
    assert refused.value.code == "LINE-UNKNOWN"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([sums()], "open"),
        ([sums(shipped=1), sums()], "partly_shipped"),
        ([sums(shipped=10), sums(cancelled=10)], "shipped"),
        ([sums(shipped=10, delivered=10)], "delivered"),
        ([sums(cancelled=10)], ""),
        ([], ""),
    ],
)
def test_delivery_status_follows_from_the_sums(lines, status):
    assert delivery_status(lines) == status


def test_an_order_is_shipped_when_nothing_remains_and_something_left():
    assert all_shipped([sums(shipped=10), sums(cancelled=10)])
    assert not all_shipped([sums(cancelled=10)])
    assert not all_shipped([sums(shipped=10), sums(shipped=9)])
