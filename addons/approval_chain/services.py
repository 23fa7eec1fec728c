"""Hold orders until the right people have approved them; every decision binds to the digest of what was placed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from core.api.companies import lock_company
from core.api.data import acting, audit, clock, current_actor, db, unscoped, write
from core.api.hooks import Conflict, Finding, HoldRequest, HoldType, NotFound, OrderDraft
from core.api.i18n import translations
from core.api.orders import Hold, Order, OrderLine, find, lines_of, lock, open_holds, reject, release

from . import engine
from .facts import average_discount, facts_of
from .flow import APPROVED, REJECTED, Decision, Flow
from .loading import company_for
from .models import Approval
from .models import Decision as DecisionRow
from .permissions import DECIDE, RELEASE

_, _l, ngettext, _p = translations(__name__)
OWNER, CODE = "approval_chain", "approval"


@dataclass(frozen=True, slots=True)
class Pending:
    """An order that waits, and where its approval stands now."""

    order: Order
    approval: Approval
    flow: Flow


def plan_of(draft: OrderDraft) -> engine.Plan:
    """Return who must approve a cart, with the rules of now."""
    if draft.user_id is None or not draft.lines:
        return engine.Plan()
    lines = db.session.execute(select(OrderLine.position, OrderLine.list_price).where(OrderLine.order_id == draft.order_id))
    listed: dict[int, Decimal | None] = {row.position: row.list_price for row in lines}
    priced = [(listed.get(x.position), x.unit_price, x.quantity) for x in draft.lines]
    facts = facts_of(draft.net, draft.lines, discount_of(priced))
    return engine.evaluate(facts, str(draft.user_id), company_for(draft.company_id, draft.currency))


def discount_of(priced: Iterable[tuple[Decimal | None, Decimal | None, Decimal]]) -> Decimal:
    """Return by how many percent the lines are below list, of those that have both prices."""
    return average_discount((listed, price, q) for listed, price, q in priced if listed is not None and price is not None)


def refused(draft: OrderDraft) -> Sequence[Finding]:
    """Say that a rule of the company forbids the order; a checkout rule."""
    if not plan_of(draft).denied_by:
        return ()
    text = _("A rule of your company does not allow this order. Ask your company's administrator.")
    return (Finding("APPROVAL-DENIED", "block", text),)


def wanted(draft: OrderDraft) -> HoldRequest | None:
    """Ask for a hold where somebody must approve, and open the approval with the order, in its transaction."""
    plan = plan_of(draft)
    if not plan.needed:
        return None
    with write() as session:
        session.add(
            Approval(
                order_id=draft.order_id,
                company_id=draft.company_id,
                plan=[{**asdict(r), "people": list(r.people)} for r in plan.requirements],
                created_at=clock.now(),
            )
        )
    return HoldRequest(_("Waits for approval by the company"))


HOLD = HoldType(CODE, _l("Approval by the company"), RELEASE, wanted)


def pending(number: str) -> Pending:
    """Return the approval of an order; NotFound if there is none that the actor may see."""
    order = find(number)
    return _pending(order, _approval(order))


def _approval(order: Order) -> Approval:
    found = db.session.scalar(select(Approval).where(Approval.order_id == order.id))
    if found is None:
        raise NotFound("APPROVAL-NOT-FOUND", _("The order %(number)s needs no approval.", number=order.number or ""))
    return found


def _pending(order: Order, approval: Approval) -> Pending:
    rows = decisions_of([approval.id])
    return Pending(order, approval, _flow(order, rows, lines_of(order.id), company_for(order.company_id, order.currency)))


def decisions_of(approval_ids: Iterable[int]) -> list[DecisionRow]:
    """Return what people decided, oldest first."""
    query = select(DecisionRow).where(DecisionRow.approval_id.in_(list(approval_ids))).order_by(DecisionRow.id)
    return list(db.session.scalars(query))


def _flow(order: Order, rows: Iterable[DecisionRow], lines: Sequence[OrderLine], company: engine.Company) -> Flow:
    """Return the flow with the people and rules of now: who left meanwhile is followed by whoever decides instead."""
    discount = discount_of([(x.list_price, x.unit_price, x.quantity) for x in lines])
    plan = engine.evaluate(facts_of(order.net, lines, discount), str(order.user_id), company)
    flow = Flow(str(order.user_id), engine.Plan((engine.Requirement(1, (engine.SELLER,), 1),)), company.policy)
    flow.decisions += [Decision(str(d.user_id), d.outcome, d.tier, d.comment) for d in rows if d.digest == order.digest]
    flow.refresh(plan)
    return flow


def inbox() -> list[Pending]:
    """Return the orders on which the actor may decide now, oldest first; statements do not grow with the orders."""
    me = str(current_actor().user_id)
    held = select(Hold.order_id).where(Hold.owner == OWNER, Hold.code == CODE, Hold.released_at.is_(None))
    rows = db.session.execute(
        select(Order, Approval)
        .join(Approval, Approval.order_id == Order.id)
        .where(Approval.state == "waiting", Order.state == "submitted", Order.id.in_(held))
        .order_by(Approval.id)
    ).all()
    if not rows:
        return []
    decisions = decisions_of(approval.id for _order, approval in rows)
    lines = list(db.session.scalars(select(OrderLine).where(OrderLine.order_id.in_([order.id for order, _a in rows]))))
    companies = {key: company_for(*key) for key in {(order.company_id, order.currency) for order, _a in rows}}
    found = [
        Pending(
            order,
            approval,
            _flow(
                order,
                [d for d in decisions if d.approval_id == approval.id],
                [line for line in lines if line.order_id == order.id],
                companies[order.company_id, order.currency],
            ),
        )
        for order, approval in rows
    ]
    return [one for one in found if me in one.flow.eligible()]


def decide(number: str, outcome: str, comment: str, digest: str) -> Flow:
    """Take the actor's decision on the order as they saw it; the last one that was missing confirms or rejects it.

    The same decision again changes nothing. Conflict where the order is another now, or was decided on meanwhile.
    """
    actor = current_actor()
    with write() as session:
        lock_company(find(number).company_id)
        order = lock(number)
        one = _pending(order, _approval(order))
        if digest != order.digest:
            raise Conflict("APPROVAL-STALE", _("The order has changed since you looked; read it again before you decide."))
        _refuse_if_over(one, str(actor.user_id), outcome)
        made = one.flow.decide(str(actor.user_id), outcome, comment)
        if made is None:
            return one.flow
        session.add(
            DecisionRow(
                approval_id=one.approval.id,
                company_id=order.company_id,
                user_id=actor.user_id,
                user_name=actor.name,
                tier=made.tier,
                outcome=outcome,
                comment=made.comment[:2000],
                digest=digest,
                at=clock.now(),
            )
        )
        audit.record(
            "order", number, f"approval {outcome}", company_id=order.company_id, reason=made.comment,
            after={"tier": made.tier, "digest": digest}, addon=OWNER,
        )  # fmt: skip
        _conclude(order, one, made.comment)
    return one.flow


def _refuse_if_over(one: Pending, who: str, outcome: str) -> None:
    """Say what became of an order that waits no more, unless the actor only says again what they said."""
    again = any(d.by == who and d.outcome == outcome for d in one.flow.decisions)
    if not again and (one.order.state != "submitted" or _hold(one.order) is None):
        raise Conflict("APPROVAL-DECIDED", _("This order does not wait for approval any more; reload the page."))


def held(order: Order) -> bool:
    """Tell whether the order still waits for its approval."""
    return _hold(order) is not None


def may_decide(flow: Flow) -> bool:
    """Tell whether it is the actor's turn."""
    actor = current_actor()
    return actor.may(DECIDE) and str(actor.user_id) in flow.eligible()


def _hold(order: Order) -> Hold | None:
    return next((h for h in open_holds(order.id) if (h.owner, h.code) == (OWNER, CODE)), None)


def _conclude(order: Order, one: Pending, comment: str) -> None:
    """Release or reject with the flow's authority: people of a company may not do so by themselves."""
    state = one.flow.state
    hold = _hold(order)
    if state not in (APPROVED, REJECTED) or hold is None:
        return
    one.approval.state, one.approval.decided_at = state, clock.now()
    number, actor = order.number or "", current_actor()
    may = replace(actor, permissions=actor.permissions | {RELEASE, "orders.order.confirm"})
    with acting(may):
        if state == APPROVED:
            release(number, hold.id, _("Approved by the company"))
        else:
            reject(number, comment)


def waiting_count() -> int:
    """Return how many orders wait for an approval, of all companies."""
    held = select(Hold.id).where(Hold.owner == OWNER, Hold.code == CODE, Hold.released_at.is_(None))
    open_orders = held.join(Order, Order.id == Hold.order_id).where(Order.state == "submitted")
    return len(
        db.session.scalars(unscoped(open_orders, "an operator asks what switching the addon off leaves behind")).all()
    )
