"""One vocabulary of states for orders, holds, approvals, invoices, shipments, jobs and addons: word, icon, tone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.i18n import _l

Tone = Literal["", "positive", "attention", "danger", "info", "accent"]


@dataclass(frozen=True, slots=True)
class State:
    """How a state is said: a translated word, an icon of the sprite, and a tone (colour is never the only sign)."""

    label: Any
    icon: str = ""
    tone: Tone = ""


STATES: dict[str, State] = {
    # orders
    "cart": State(_l("Cart"), "cart3"),
    "submitted": State(_l("Submitted"), "send", "info"),
    "confirmed": State(_l("Confirmed"), "check2", "accent"),
    "completed": State(_l("Completed"), "check2-circle", "positive"),
    "cancelled": State(_l("Cancelled"), "x-circle"),
    "rejected": State(_l("Rejected"), "x-circle", "danger"),
    "on_hold": State(_l("On hold"), "pause-circle", "attention"),
    "released": State(_l("Released"), "check2", "positive"),
    # approvals and quotes
    "pending": State(_l("Waiting"), "hourglass-split", "attention"),
    "approved": State(_l("Approved"), "check2-circle", "positive"),
    "returned": State(_l("Sent back"), "arrow-counterclockwise", "attention"),
    "expired": State(_l("Expired"), "clock-history"),
    # delivery
    "to_ship": State(_l("To ship"), "truck", "info"),
    "open": State(_l("Open"), "circle-half", "info"),
    "partly_shipped": State(_l("Partly shipped"), "truck", "info"),
    "shipped": State(_l("Shipped"), "truck", "accent"),
    "delivered": State(_l("Delivered"), "check2-circle", "positive"),
    # invoices
    "invoiced": State(_l("Invoiced"), "receipt", "accent"),
    "partly_invoiced": State(_l("Partly invoiced"), "receipt", "info"),
    "due": State(_l("Due"), "calendar3", "attention"),
    "overdue": State(_l("Overdue"), "exclamation-triangle", "danger"),
    "paid": State(_l("Paid"), "check2-circle", "positive"),
    "credited": State(_l("Credited"), "arrow-counterclockwise"),
    # contracts, products, people, companies
    "draft": State(_l("Draft"), "pencil"),
    "active": State(_l("Active"), "check2", "positive"),
    "inactive": State(_l("Not in use"), "dash-circle"),
    "upcoming": State(_l("Starts later"), "calendar3", "info"),
    "ended": State(_l("Ended"), "clock-history"),
    "ending": State(_l("Ends soon"), "stopwatch", "attention"),
    "superseded": State(_l("Replaced"), "arrow-right", "attention"),
    "discontinued": State(_l("Discontinued"), "x-circle", "attention"),
    "invited": State(_l("Invited"), "envelope", "info"),
    "blocked": State(_l("Blocked"), "lock", "danger"),
    "closed": State(_l("Closed"), "x-circle"),
    "locked": State(_l("Locked"), "lock", "danger"),
    # prepared changes
    "scheduled": State(_l("Waits for its day"), "calendar3", "info"),
    "preparing": State(_l("Being prepared"), "arrow-clockwise", "accent"),
    "publishing": State(_l("Being published"), "arrow-clockwise", "accent"),
    "undoing": State(_l("Being undone"), "arrow-clockwise", "accent"),
    "published": State(_l("Published"), "check2-circle", "positive"),
    "undone": State(_l("Undone"), "arrow-counterclockwise"),
    "withdrawn": State(_l("Withdrawn"), "x-circle"),
    # jobs and imports
    "queued": State(_l("Queued"), "clock", "info"),
    "waiting": State(_l("Waiting"), "hourglass-split", "info"),
    "running": State(_l("Running"), "arrow-clockwise", "accent"),
    "done": State(_l("Done"), "check2-circle", "positive"),
    "failed": State(_l("Failed"), "exclamation-octagon", "danger"),
    "discarded": State(_l("Discarded"), "trash"),
    "held": State(_l("Held"), "pause-circle", "attention"),
    "refused": State(_l("Refused"), "x-circle", "danger"),
    "interrupted": State(_l("Interrupted"), "exclamation-triangle", "attention"),
    # addons
    "enabled": State(_l("On"), "check2", "positive"),
    "disabled": State(_l("Off"), "dash-circle"),
    "available": State(_l("Available"), "box-seam"),
    "quarantined": State(_l("Out of order"), "exclamation-octagon", "danger"),
    "upgrade_pending": State(_l("Upgrade waiting"), "arrow-up", "attention"),
    "missing": State(_l("Files gone"), "exclamation-triangle", "danger"),
}


def state_of(code: str) -> State:
    """Return how `code` is said; an unknown code is shown as words, without colour."""
    return STATES.get(code) or State(str(code or "").replace("_", " ").capitalize())


def state_choices(*codes: str) -> Callable[[], tuple[tuple[str, object], ...]]:
    """Return the choices of a list's filter by state, in the given order."""
    return lambda: tuple((code, state_of(code).label) for code in codes)
