"""The digest is of the content, not of how it is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.orders.digest import canonical, digest
from core.orders.states import TRANSITIONS, find


def test_equal_content_has_an_equal_digest():
    one = {"net": Decimal("1.50"), "lines": [{"quantity": Decimal("100"), "sku": "Ä"}], "day": date(2026, 1, 2)}
    two = {"lines": [{"sku": "Ä", "quantity": Decimal("1E+2")}], "day": date(2026, 1, 2), "net": Decimal("1.5000")}
    assert canonical(one) == canonical(two)
    assert digest(one) == digest(two)


@pytest.mark.parametrize(
    "other", [{"net": Decimal("1.51")}, {"net": "1.5", "po": "1"}, {"net": Decimal("1.5"), "lines": []}, {"net": None}, {}]
)
def test_any_difference_changes_the_digest(other):
    assert digest({"net": Decimal("1.5")}) != digest(other)


def test_order_of_lines_matters():
    assert digest({"lines": [1, 2]}) != digest({"lines": [2, 1]})


def test_no_state_is_left_by_two_transitions_of_one_name():
    assert len({(t.name, t.source) for t in TRANSITIONS}) == len(TRANSITIONS)
    assert find("confirm", "completed") is None
    assert {t.target for t in TRANSITIONS if t.source == "confirmed"} == {"cancelled", "completed"}
