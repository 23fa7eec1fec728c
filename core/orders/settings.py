"""What a merchant decides about orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from core.i18n import _l
from core.spec.app import SettingSpec

_GROUP = _l("Orders")
_CHARGES = _l("Freight and surcharges")
_EVERYWHERE: tuple[Literal["deployment", "segment", "company"], ...] = ("deployment", "segment", "company")
_MOST = Decimal(10**9)


def _amount(key: str, label: object, hint: object, order: int) -> SettingSpec:
    """Return a setting of freight and surcharges: an amount that may differ for segments and companies."""
    zero = Decimal(0)
    return SettingSpec(
        key, Decimal, zero, label, hint, _EVERYWHERE, minimum=zero, maximum=_MOST, group=_CHARGES, order=order, money=True
    )


SETTINGS = (
    SettingSpec(
        "confirm_automatically",
        bool,
        True,
        _l("Confirm orders at once"),
        _l("An order that nothing holds is confirmed as soon as it is placed. Otherwise staff confirm each order."),
        group=_GROUP,
        order=10,
    ),
    SettingSpec(
        "po_number_required",
        bool,
        False,
        _l("Orders need a purchase order number"),
        _l("May be set for single companies."),
        ("deployment", "company"),
        group=_GROUP,
        order=20,
    ),
    SettingSpec(
        "minimum_order_value",
        Decimal,
        Decimal(0),
        _l("Least value of an order"),
        _l("Without tax; 0 for none."),
        ("deployment", "company"),
        minimum=Decimal(0),
        group=_GROUP,
        order=30,
        money=True,
    ),
    _amount(
        "freight",
        _l("Freight for an order"),
        _l("Without tax; 0 for none. Taxed as the goods are."),
        60,
    ),
    _amount(
        "freight_free_from",
        _l("No freight from an order value of"),
        _l("Value of the articles without tax; 0 where freight is always charged."),
        61,
    ),
    _amount(
        "small_order_surcharge",
        _l("Surcharge for small orders"),
        _l("Without tax; 0 for none."),
        62,
    ),
    _amount("small_order_below", _l("An order is small below"), _l("Value of the articles without tax."), 63),
    SettingSpec(
        "price_hold_days",
        int,
        30,
        _l("Days for which prices of a placed order hold"),
        _l("An order that waits longer is not confirmed by itself: staff look at its prices first."),
        minimum=0,
        maximum=365,
        group=_GROUP,
        order=40,
    ),
    SettingSpec(
        "number_prefix",
        str,
        "",
        _l("Prefix of order numbers"),
        _l("Taken when the first order of the shop is placed."),
        group=_GROUP,
        order=50,
    ),
    SettingSpec(
        "confirmation_text",
        str,
        "",
        _l("Terms on the order confirmation"),
        _l("Stands below the sums, such as conditions of delivery. May differ for segments and companies."),
        ("deployment", "segment", "company"),
        maximum=4000,
        group=_GROUP,
        order=90,
    ),
)
