"""The permissions of orders. ``guest`` holds the cart and its ordering where the deployment lets visitors order."""

from __future__ import annotations

from core.i18n import _l
from core.spec.app import Permission

_BUYERS = ("orderer", "approver", "company_admin", "viewer")
_STAFF = ("admin", "sales", "finance", "warehouse")

PERMISSIONS = (
    Permission("orders.cart.use", _l("Fill a cart"), ("orderer", "company_admin", "guest")),
    Permission("orders.guest.place", _l("Order without an account"), ("guest",)),
    Permission("orders.guest.merge", _l("Move the orders of visitors to customers"), ("sales",)),
    Permission("orders.order.place", _l("Place orders"), ("orderer", "company_admin")),
    Permission("orders.order.view", _l("See the company's orders"), _BUYERS),
    Permission("orders.order.cancel", _l("Cancel orders that are not confirmed"), ("orderer", "company_admin", "sales")),
    Permission("orders.order.cancel_confirmed", _l("Cancel confirmed orders"), ("sales",)),
    Permission("orders.desk.view", _l("See all orders"), _STAFF),
    Permission("orders.order.confirm", _l("Confirm and reject orders"), ("sales",)),
    Permission("orders.order.ship", _l("Mark goods as shipped"), ("sales", "warehouse")),
    Permission("orders.order.return", _l("Record goods that come back"), ("sales", "warehouse")),
    Permission("orders.order.note", _l("Keep internal notes with orders"), _STAFF),
    Permission(
        "orders.price.set",
        _l("Set prices and discounts on lines by hand"),
        ("sales",),
        _l("On orders that are not confirmed, and in the cart of a buyer for whom one acts."),
        carried=True,
    ),
    Permission("orders.price.below_floor", _l("Set prices below the floor by hand"), ("admin",), carried=True),
    Permission("orders.order.import", _l("Import and export past orders"), ("admin",)),
    Permission("orders.hold.force_release", _l("Release holds of others, with a reason"), ("admin",)),
)
