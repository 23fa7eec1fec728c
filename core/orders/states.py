"""The life of an order: one table of transitions, each with its permission and guards.

``transition()`` is the only code that changes ``Order.state``: compare-and-set on the version, one audit row, one event.

    cart ──place──► submitted ──confirm──► confirmed ──complete──► completed
                        │  └──reject──► rejected │
                        └──────cancel──────► cancelled ◄──cancel──┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm.exc import StaleDataError

from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _
from core.orders.events import emit_order
from core.orders.holds import blocking, open_holds
from core.orders.models import Order
from core.orders.movements import all_shipped, sums_of
from core.spec.errors import Conflict, Forbidden
from core.ui.states import state_of

Guard = Callable[[Order], None]


def nothing_blocks_confirming(order: Order) -> None:
    """Refuse while a hold stops the confirmation."""
    for hold in blocking(open_holds(order.id), "confirm"):
        raise Conflict("ORDER-HELD", _("The order is on hold: %(label)s. Release the hold first.", label=hold.told))


def nothing_shipped(order: Order) -> None:
    """Refuse once goods have left."""
    if any(line.shipped > 0 for line in sums_of([order.id]).values()):
        raise Conflict("ORDER-SHIPPED", _("Goods of this order have already been shipped; record a return instead."))


def everything_shipped(order: Order) -> None:
    """Refuse while something remains to be shipped."""
    if not all_shipped(sums_of([order.id]).values()):
        raise Conflict("ORDER-NOT-SHIPPED", _("The order is not complete: some of its lines are still to be shipped."))


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state: who may do it, what must hold, and how it is told (audit action and event)."""

    name: str
    source: str
    target: str
    permission: str
    guards: tuple[Guard, ...] = ()

    @property
    def told_as(self) -> str:
        """The past participle for audit and event: the target state."""
        return self.target


TRANSITIONS = (
    Transition("place", "cart", "submitted", "orders.order.place"),
    Transition("confirm", "submitted", "confirmed", "orders.order.confirm", (nothing_blocks_confirming,)),
    Transition("reject", "submitted", "rejected", "orders.order.confirm"),
    Transition("cancel", "submitted", "cancelled", "orders.order.cancel"),
    Transition("cancel", "confirmed", "cancelled", "orders.order.cancel_confirmed", (nothing_shipped,)),
    Transition("complete", "confirmed", "completed", "orders.order.ship", (everything_shipped,)),
)
_STAMPS = {
    "submitted": "submitted_at",
    "confirmed": "confirmed_at",
    "completed": "completed_at",
    "cancelled": "cancelled_at",
    "rejected": "cancelled_at",
}


def find(name: str, source: str) -> Transition | None:
    """Return the transition ``name`` from state ``source``, if there is one."""
    return next((t for t in TRANSITIONS if t.name == name and t.source == source), None)


def allowed(order: Order, name: str) -> bool:
    """Tell whether the actor may try ``name`` on ``order``, by state and permission; guards are asked when it is done."""
    step = find(name, order.state)
    return step is not None and current_actor().may(step.permission)


def transition(order: Order, name: str, *, reason: str = "", version: int | None = None, automatic: bool = False) -> None:
    """Take ``order`` (locked, inside ``write()``) through ``name``.

    ``version`` is what the actor saw, Conflict if the order changed since. ``automatic`` steps follow from
    another deed (confirming at once, completing with the last shipment), which was permitted itself.
    """
    step = find(name, order.state)
    if step is None:
        raise Conflict(
            "ORDER-STATE",
            _(
                "The order %(number)s is now in the state %(state)s, in which this cannot be done; reload the page.",
                number=order.number or "",
                state=str(state_of(order.state).label),
            ),
        )
    if not automatic and not current_actor().may(step.permission):
        raise Forbidden("FORBIDDEN", _("You do not have the permission for this; ask an administrator."))
    if version is not None and version != order.version:
        raise changed(order)
    for guard in step.guards:
        guard(order)
    _apply(order, step, reason, automatic)


def changed(order: Order) -> Conflict:
    """Return the refusal for an order that somebody else changed meanwhile."""
    return Conflict(
        "ORDER-CHANGED",
        _(
            "Somebody else has changed the order %(number)s meanwhile; reload the page and try again.",
            number=order.number or "",
        ),
    )


def _apply(order: Order, step: Transition, reason: str, automatic: bool) -> None:
    order.state = step.target
    order.updated_at = clock.now()
    setattr(order, _STAMPS[step.target], order.updated_at)
    try:
        db.session.flush()
    except StaleDataError as error:
        raise changed(order) from error
    audit.record(
        "order",
        order.number,
        step.told_as,
        company_id=order.company_id,
        reason=reason,
        before={"state": step.source},
        after={"state": step.target, **({"automatic": True} if automatic else {})},
    )
    emit_order(step.told_as, order)
