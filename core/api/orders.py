"""Orders, as addons may use them: for reading and foreign keys, holds, movements, the digest of what is decided on."""

from core.orders.amending import amend, restate
from core.orders.amending import preview as preview_amendment
from core.orders.cart import current_cart
from core.orders.cart import refresh as refresh_cart
from core.orders.charges import discounts_by_line, discounts_of, discounts_of_orders
from core.orders.digest import canonical, content_of, digest
from core.orders.draft import Wanted, price_lines, priced_draft, stored_draft, stored_drafts
from core.orders.facts import load_facts, order_facts
from core.orders.holds import add_hold, blocking, open_holds
from core.orders.lifecycle import cancel, confirm, record, reject, release
from core.orders.models import Hold, Movement, Order, OrderCharge, OrderLine
from core.orders.movements import LineSums, sums_of
from core.orders.quantities import parse_quantity
from core.orders.queries import find, lines_of, lock
from core.orders.rules import judged_draft
from core.spec.orders import FREE

__all__ = [
    # for reading and foreign keys
    "Order", "OrderLine", "OrderCharge", "Hold", "Movement",
    # what the source of a line's price begins with where it came for nothing; then owner and code, between colons
    "FREE",
    # finding and locking
    "find", "lines_of", "lock",
    # the life of an order
    "confirm", "reject", "cancel", "add_hold", "open_holds", "blocking", "release",
    # the open cart of the person in the active company, and its prices of now
    "current_cart", "refresh_cart",
    # changing an order that is not confirmed yet
    "amend", "preview_amendment", "restate",
    # an order as rules see it: stored, as the page's rules saw it, or only thought of; the figures that rules ask about
    "stored_draft", "stored_drafts", "judged_draft", "priced_draft", "price_lines", "Wanted", "order_facts", "load_facts",
    "discounts_of", "discounts_by_line", "discounts_of_orders",
    # quantities as people type them
    "parse_quantity",
    # what happened to lines
    "record", "sums_of", "LineSums",
    # what was decided on is what is placed
    "canonical", "content_of", "digest",
]  # fmt: skip
