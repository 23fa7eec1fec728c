"""Orders, as addons may use them: for reading and foreign keys, holds, movements, the digest of what is decided on."""

from core.orders.digest import content_of, digest
from core.orders.holds import add_hold, blocking, open_holds
from core.orders.lifecycle import cancel, confirm, record, reject, release
from core.orders.models import Hold, Movement, Order, OrderLine
from core.orders.movements import LineSums, sums_of
from core.orders.queries import find, lines_of, lock

__all__ = [
    # for reading and foreign keys
    "Order", "OrderLine", "Hold", "Movement",
    # finding and locking
    "find", "lines_of", "lock",
    # the life of an order
    "confirm", "reject", "cancel", "add_hold", "open_holds", "blocking", "release",
    # what happened to lines
    "record", "sums_of", "LineSums",
    # what was decided on is what is placed
    "content_of", "digest",
]  # fmt: skip
