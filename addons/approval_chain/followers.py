"""What the addon writes in the transaction of every change of an order."""

from __future__ import annotations

from core.api.hooks import OrderFollower

from . import allocation, ledger


def follow(order_id: int, change: str) -> None:
    """Keep the cost centres of a placed order as they were chosen, and enter what changed in the ledger of budgets."""
    if change == "submitted":
        allocation.freeze(order_id)
    ledger.post([order_id])


FOLLOWER = OrderFollower("budgets", follow)
