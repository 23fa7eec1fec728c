"""What happens to an order after it was placed: confirm, reject, cancel, release holds, record movements, note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import func, insert, select

from core.companies.services import lock_company
from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.orders import articles, movements, queries, rules
from core.orders.draft import stored_draft
from core.orders.events import emit_movements
from core.orders.holds import blocking, mark_released, open_holds
from core.orders.models import Hold, Movement, Order, OrderLine
from core.orders.movements import Kind, LineSums
from core.orders.states import changed, transition
from core.settings.services import get
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound
from core.spec.orders import Finding, Stage
from core.ui.formats import plain, qty, unit_name
from core.ui.states import state_of

FORCE_RELEASE = "orders.hold.force_release"
#: So many lines of a movement are named in the order's history; all of them are movements.
TOLD_LINES = 5
#: In which states a movement may be recorded.
_OPEN_FOR: dict[str, tuple[str, ...]] = {
    "shipped": ("confirmed",),
    "cancelled": ("confirmed",),
    "delivered": ("confirmed", "completed"),
    "invoiced": ("confirmed", "completed"),
    "credited": ("confirmed", "completed", "cancelled"),
    "returned": ("confirmed", "completed"),
}


def confirm(number: str, *, version: int | None = None) -> Order:
    """Confirm a submitted order; COMMIT rules run again under the company's lock. CheckoutRefused says what stops it."""
    with write():
        order = lock_with_company(number)
        confirm_locked(order, version=version)
    return order


def confirm_locked(order: Order, *, version: int | None = None, automatic: bool = False) -> tuple[Finding, ...]:
    """Confirm ``order``, whose company and row are locked; returns the findings that only warn."""
    rules.refuse_if_paused()
    rules.refuse_if_checks_are_missing(order.number or "", order.company_id, order.required_checks)
    found = rules.findings(Stage.COMMIT, stored_draft(order, queries.lines_of(order.id)))
    rules.refuse_if_stopped(found)
    transition(order, "confirm", version=version, automatic=automatic)
    return found


def reject(number: str, reason: str, *, version: int | None = None) -> Order:
    """Refuse a submitted order; the reason is told to the buyer."""
    with write():
        order = lock_with_company(number)
        transition(order, "reject", reason=required(reason), version=version)
    return order


def cancel(number: str, reason: str = "", *, version: int | None = None) -> Order:
    """Cancel an order of which nothing was shipped."""
    with write():
        order = lock_with_company(number)
        transition(order, "cancel", reason=reason.strip(), version=version)
    return order


def release(number: str, hold_id: int, reason: str) -> Order:
    """Release one hold with a reason: by its permission, or by force; confirms the order if nothing else stops it."""
    with write():
        order = lock_with_company(number)
        hold = next((h for h in queries.holds_of(order.id) if h.id == hold_id), None)
        if hold is None:
            raise NotFound("HOLD-NOT-FOUND", _("There is no such hold on the order %(number)s.", number=number))
        actor = current_actor()
        forced = not actor.may(hold.release_permission)
        if forced and not actor.may(FORCE_RELEASE):
            raise Forbidden("HOLD-NOT-YOURS", _("Only %(owner)s may release this hold.", owner=hold.owner))
        release_locked(order, hold, required(reason), forced=forced)
    return order


def release_locked(order: Order, hold: Hold, reason: str, *, forced: bool = False) -> tuple[Finding, ...]:
    """Release ``hold``; if that was the last one that stopped the confirmation, confirm as settings say.

    Called by the hold's owner with company and order locked. What stops a confirmation is returned, the hold stays released.
    """
    mark_released(order, hold, current_actor().name, reason, forced)
    waits = order.state != "submitted" or blocking(open_holds(order.id), "confirm")
    stale = order.price_hold_until is not None and order.price_hold_until <= clock.now()  # staff look at its prices first
    if waits or stale or not get("orders", "confirm_automatically"):
        return ()
    try:
        with db.session.begin_nested():
            return confirm_locked(order, automatic=True)
    except rules.CheckoutRefused as refused:
        return refused.findings


def record(
    number: str,
    kind: Kind,
    quantities: Mapping[int, Decimal],
    *,
    owner: str = "core",
    label: str = "",
    reason: str = "",
    version: int | None = None,
) -> tuple[Movement, ...]:
    """Record that quantities of lines (by position) were shipped, delivered, invoiced, credited, cancelled or returned.

    All of them or none; Invalid names the line that cannot take its quantity. The last shipment completes the order.
    Who counts what was ordered (budgets, rebates, agreements) follows in the same transaction. The buyer reads ``reason``.
    """
    if not quantities:
        raise Invalid("NOTHING-TO-RECORD", _("Enter a quantity for at least one line."))
    with write():
        order = lock_with_company(number)
        if version is not None and version != order.version:
            raise changed(order)
        _may_move(order, kind)
        lines = {line.position: line for line in queries.lines_of(order.id)}
        unknown = sorted(set(quantities) - set(lines))
        if unknown:
            raise Invalid("LINE-UNKNOWN", _("The order %(number)s has no line %(line)s.", number=number, line=unknown[0]))
        wanted = {lines[position].id: quantity for position, quantity in quantities.items()}
        sums = movements.sums_of([order.id])
        movements.check(kind, wanted, sums, {line.id: line.sku for line in lines.values()})
        _check_parts(kind, [line for line in lines.values() if line.id in wanted], wanted, sums)
        made = _append(order, kind, wanted, owner, label)
        _tell(order, kind, made, {line.id: line for line in lines.values()}, reason)
        _complete(order, kind)
    return made


def _check_parts(
    kind: Kind, lines: Sequence[OrderLine], wanted: Mapping[int, Decimal], sums: Mapping[int, LineSums]
) -> None:
    """Refuse half a box; what is left of a line may always be moved, however it came to be."""
    known = articles.by_id(line.product_id for line in lines)
    for line in lines:
        unit, quantity = known[line.product_id].unit(line.unit) if line.product_id in known else None, wanted[line.id]
        if unit and quantity != quantity.quantize(unit.quantum) and quantity != sums[line.id].room(kind):
            text = _(
                "%(sku)s: %(quantity)s is not possible; the unit %(unit)s is counted by %(step)s.",
                sku=line.sku,
                quantity=qty(quantity),
                unit=unit_name(line.unit),
                step=qty(unit.quantum),
            )
            raise Invalid("MOVEMENT-FRACTION", text)


def note(number: str, text: str) -> None:
    """Keep an internal note of staff with the order."""
    with write():
        order = queries.lock(number)
        audit.record("order", order.number, "noted", company_id=order.company_id, reason=required(text)[:2000])


def required(reason: str) -> str:
    """Return ``reason`` stripped; Invalid if there is none."""
    if not reason.strip():
        raise Invalid("REASON-REQUIRED", _("Give a reason; it is kept with the order."))
    return reason.strip()


def lock_with_company(number: str) -> Order:
    """Lock the company, then the order: everywhere in this order, so that nobody waits for each other.

    Conflict where the order was moved to another company in that moment: what counts for that one is not locked.
    """
    company_id = queries.find(number).company_id
    lock_company(company_id)
    order = queries.lock(number)
    if order.company_id != company_id:
        raise changed(order)
    return order


def _may_move(order: Order, kind: Kind) -> None:
    if order.state not in _OPEN_FOR[kind]:
        raise Conflict(
            "ORDER-STATE",
            _(
                "The order %(number)s is now in the state %(state)s, in which this cannot be done; reload the page.",
                number=order.number or "",
                state=str(state_of(order.state).label),
            ),
        )
    what = {"shipped": "ship", "invoiced": "invoice"}.get(kind)
    for hold in blocking(open_holds(order.id), what) if what else ():  # type: ignore[arg-type]
        raise Conflict("ORDER-HELD", _("The order is on hold: %(label)s. Release the hold first.", label=hold.told))


def _append(order: Order, kind: Kind, wanted: Mapping[int, Decimal], owner: str, label: str) -> tuple[Movement, ...]:
    """Add the movements, all of one document, and return them flushed."""
    at = clock.now()
    head = {"company_id": order.company_id, "kind": kind, "at": at, "document_owner": owner, "document_label": label[:80]}
    last = db.session.scalar(select(func.max(Movement.id)).where(Movement.line_id.in_(wanted))) or 0
    db.session.execute(
        insert(Movement), [{**head, "line_id": line_id, "quantity": quantity} for line_id, quantity in wanted.items()]
    )
    order.updated_at = at  # raises the version: what somebody else looked at is no longer what is
    db.session.flush()
    return tuple(
        db.session.scalars(select(Movement).where(Movement.line_id.in_(wanted), Movement.id > last).order_by(Movement.id))
    )


def _tell(order: Order, kind: Kind, made: Sequence[Movement], lines: Mapping[int, OrderLine], reason: str) -> None:
    moved = [[lines[m.line_id].sku, plain(m.quantity), lines[m.line_id].unit] for m in made[:TOLD_LINES]]
    owner = made[0].document_owner
    audit.record(
        "order",
        order.number,
        kind,
        company_id=order.company_id,
        reason=reason,
        after={"lines": len(made), "document": made[0].document_label, "moved": moved},
        addon="" if owner == "core" else owner,
    )
    emit_movements(order, kind, made)


def _complete(order: Order, kind: Kind) -> None:
    if order.state != "confirmed" or kind not in ("shipped", "cancelled"):
        return
    sums: Sequence[LineSums] = tuple(movements.sums_of([order.id]).values())
    if movements.all_shipped(sums):
        transition(order, "complete", automatic=True)
