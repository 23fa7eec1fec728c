"""Units: exact conversion, and what quantities may be ordered."""

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.units import UnitInfo, check_quantity, exact, to_base
from core.spec.catalog import QuantityRule

PIECE = UnitInfo("pcs")
BOX = UnitInfo("box", 100)
METRE = UnitInfo("m", precision=2, minimum=D("0.5"), step=D("0.25"))
TEN = UnitInfo("pcs", minimum=D(10), step=D(5), maximum=D(48))


def test_conversion_is_exact():
    assert to_base(D("2.5"), BOX) == D(250)
    assert to_base(D(3), UnitInfo("pack", 1, 3)) == D(1)
    assert to_base(D(1), UnitInfo("third", 1, 3)) == D("0.333333")
    assert exact(Fraction(2, 3)) == D("0.666667")


@pytest.mark.parametrize(
    ("unit", "quantity", "ok", "lower", "higher", "rounded"),
    [
        (PIECE, "1", True, "1", "1", "1"),
        (PIECE, "250", True, "250", "250", "250"),
        (PIECE, "1.5", False, "1", "2", "2"),
        (METRE, "0.75", True, "0.75", "0.75", "0.75"),
        (METRE, "0.8", False, "0.75", "1.00", "1.00"),
        (METRE, "0.1", False, None, "0.5", "0.5"),
        (METRE, "0.755", False, "0.75", "1.00", "1.00"),
        (TEN, "3", False, None, "10", "10"),
        (TEN, "10", True, "10", "10", "10"),
        (TEN, "12", False, "10", "15", "15"),
        (TEN, "45", True, "45", "45", "45"),
        (TEN, "46", False, "45", None, "45"),
        (TEN, "48", False, "45", None, "45"),
        (TEN, "1000", False, "45", None, "45"),
    ],
)
def test_step_counts_from_the_minimum(unit, quantity, ok, lower, higher, rounded):
    found = check_quantity(unit, D(quantity))
    expected = tuple(None if v is None else D(v) for v in (lower, higher, rounded))
    assert (found.ok, (found.lower, found.higher, found.rounded)) == (ok, expected)
    assert bool(found.reason) is not ok


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("NaN", "The quantity is not a number. Type a quantity such as 10 or 2.5."),
        ("Infinity", "The quantity is not a number. Type a quantity such as 10 or 2.5."),
        ("0", "The quantity must be more than zero. Remove the line if you need none."),
        ("-5", "The quantity must be more than zero. Remove the line if you need none."),
        ("1000000000000", "1,000,000,000,000 is more than one line can hold. Check the quantity, or ask us for a quote."),
        ("1.5", "Only whole numbers can be ordered in pcs, not 1.5."),
    ],
)
def test_nonsense_is_refused_with_a_sentence(app_context, quantity, message):
    found = check_quantity(PIECE, D(quantity))
    assert not found.ok
    assert found.reason == message


@pytest.mark.parametrize(
    ("unit", "quantity", "message"),
    [
        (TEN, "3", "At least 10\u00a0pcs must be ordered."),
        (TEN, "12", "Sold from 10\u00a0pcs in steps of 5."),
        (TEN, "60", "At most 48\u00a0pcs can be ordered at a time."),
        (METRE, "0.755", "m takes at most 2 decimals."),
    ],
)
def test_limits_are_explained(app_context, unit, quantity, message):
    assert check_quantity(unit, D(quantity)).reason == message


def test_the_strictest_rule_of_each_side_holds(app_context):
    rules = [
        QuantityRule("1", minimum=D(20)),
        QuantityRule("1", maximum=D(40), reason="Rationed."),
        QuantityRule("1", maximum=D(90)),
    ]
    found = check_quantity(TEN, D(45), rules)
    assert (found.ok, found.rounded) == (False, D(40))
    assert found.reason == "At most 40\u00a0pcs can be ordered at a time. Rationed."
    assert check_quantity(TEN, D(25), rules).ok


def test_a_minimum_above_the_maximum_leaves_nothing(app_context):
    found = check_quantity(TEN, D(20), [QuantityRule("1", minimum=D(60))])
    assert (found.ok, found.lower, found.higher, found.rounded) == (False, None, None, None)


amounts = st.integers(1, 10**6).map(lambda n: D(n).scaleb(-2))


@given(minimum=amounts, step=amounts, quantity=amounts, maximum=st.none() | amounts)
def test_what_is_proposed_may_be_ordered(minimum, step, quantity, maximum):
    unit = UnitInfo("m", precision=2, minimum=minimum, step=step, maximum=maximum)
    found = check_quantity(unit, quantity)
    for proposal in (found.lower, found.higher, found.rounded):
        if proposal is not None:
            assert check_quantity(unit, proposal).ok
    if found.lower is not None:
        assert found.lower <= quantity
    if found.higher is not None:
        assert found.higher >= quantity
