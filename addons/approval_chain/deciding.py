"""Decisions, by page or by link: approve, reject, send back with or without a proposal; and what who ordered does then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import update

from core.api.companies import lock_company
from core.api.data import acting, audit, clock, current_actor, write
from core.api.hooks import Conflict, Forbidden, Invalid
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.orders import amend, find, lines_of, lock, reject, release, restate

from . import flow as flows
from . import services, timing, versions
from .flow import Flow
from .loading import names_of
from .models import Decision as DecisionRow
from .models import Link
from .permissions import RELEASE
from .services import OWNER, Pending

_, _l, ngettext, _p = translations(__name__)
#: How an approval came about that stood in an accepted proposal.
PROPOSAL = "proposal"
DECIDED, SENT_AGAIN = "approval.decided", "approval.sent_again"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody decides on the order with ``digest``: quantities by position go with a return, 0 drops the line."""

    outcome: str
    digest: str
    comment: str = ""
    proposed: Mapping[int, Decimal] | None = None
    through: str = "page"


def decide(number: str, said: Said) -> Flow:
    """Take the actor's decision on the order as they saw it; the last one that was missing confirms or rejects it.

    The same decision again changes nothing. Conflict where the order is another now, or was decided on meanwhile;
    its ``details`` say under ``changes`` what is different.
    """
    actor = current_actor()
    with write() as session:
        lock_company(find(number).company_id)
        order = lock(number)
        one = services.pending_of(order)
        if said.digest != order.digest:
            raise _stale(one, said.digest)
        _refuse_if_over(one, str(actor.user_id), said.outcome)
        if said.outcome == flows.RETURNED and not services.orderer_is_there(order, one.approval):
            text = _("%(name)s has left and cannot change the order; approve or reject it.", name=order.user_name)
            raise Conflict("APPROVAL-ORDERER-LEFT", text)
        before = len(one.flow.decisions)
        if one.flow.decide(str(actor.user_id), said.outcome, said.comment) is None:
            return one.flow
        made, *also = one.flow.decisions[before:]
        proposed = _proposed(one, said.proposed or {}) if said.outcome == flows.RETURNED else {}
        row, *others = [_row(one, decision, said, proposed) for decision in (made, *also)]
        session.add(row)
        session.flush()
        session.add_all(others)
        session.flush()
        audit.record(
            "order", number, f"approval {said.outcome}", company_id=order.company_id, reason=made.comment,
            after={
                "tier": made.tier, "digest": said.digest, "through": said.through,
                "for": ", ".join(d.for_name for d in (row, *others) if d.for_name),
            },
            addon=OWNER,
        )  # fmt: skip
        emit(DECIDED, {"number": number, "decision_id": row.id})
        settle(one, made.comment)
    return one.flow


def _row(one: Pending, made: flows.Decision, said: Said, proposed: dict[str, str]) -> DecisionRow:
    """Return a decision of the actor as it is kept, in whose place it is."""
    actor = current_actor()
    return DecisionRow(
        approval_id=one.approval.id,
        company_id=one.order.company_id,
        user_id=actor.user_id,
        user_name=actor.name,
        for_id=int(made.by) if made.acting else None,
        for_name=names_of([made.by]).get(made.by, "") if made.acting else "",
        senior=made.senior,
        round=one.approval.round,
        tier=made.tier,
        outcome=said.outcome,
        comment=made.comment,
        proposed=proposed,
        digest=said.digest,
        through=said.through,
        at=clock.now(),
    )


def outcome_text(state: str) -> str:
    """Return what a decision led to."""
    return {
        flows.WAITING: _("Your approval is kept. Others still have to approve the order."),
        flows.APPROVED: _("The order is approved."),
        flows.REJECTED: _("The order is rejected."),
        flows.RETURNED: _("The order went back to the person who ordered."),
    }[state]


def _stale(one: Pending, digest: str) -> Conflict:
    known = versions.of([one.approval.id])
    old, new = (known.get((one.approval.id, d)) for d in (digest, one.order.digest))
    changes = versions.differences(old.content, new.content) if old and new else []
    text = _("The order has changed since you looked; read it again before you decide.")
    return Conflict("APPROVAL-STALE", text, details={"changes": changes})


def _refuse_if_over(one: Pending, who: str, outcome: str) -> None:
    """Say what became of an order that waits no more, unless the actor only says again what they said."""
    if current_actor().on_behalf_of is not None:
        raise Forbidden("APPROVAL-BEHALF", _("Nobody decides in somebody's name while acting for them."))
    again = any(d.actor == who and d.outcome == outcome for d in one.flow.decisions)
    ends = one.approval.expires_at
    late = ends is not None and ends <= clock.now()  # whether or not the clock has been there to end it
    over = late or one.order.state != "submitted" or one.approval.state != "waiting" or not services.held(one.order)
    if over and not again:
        raise Conflict("APPROVAL-DECIDED", _("This order does not wait for approval any more; reload the page."))


def _proposed(one: Pending, quantities: Mapping[int, Decimal]) -> dict[str, str]:
    """Return a proposal as kept: only what is less than ordered, and something must be left."""
    lines = {line.position: line for line in lines_of(one.order.id) if not line.free}
    changed = {p: q for p, q in quantities.items() if p in lines and q != lines[p].quantity}
    for position, quantity in changed.items():
        if not 0 <= quantity < lines[position].quantity:
            text = _("%(name)s: propose less than what was ordered, or 0 to drop it.", name=lines[position].name)
            raise Invalid("PROPOSAL-MORE", text)
    if len(changed) == len(lines) and not any(changed.values()):
        raise Invalid("PROPOSAL-NOTHING", _("Nothing would be left; reject the order instead."))
    return {str(p): str(q) for p, q in sorted(changed.items())}


def settle(one: Pending, comment: str) -> None:
    """Bring order and clock to where the flow stands; the last thing done in a ``write()`` with the order locked."""
    state, tier, approval = one.flow.state, one.flow.tier, one.approval
    if state == flows.WAITING:
        if tier is not None and (tier != approval.tier or approval.expires_at is None):
            timing.start(approval, tier, clock.now())
        return
    timing.stop(approval)
    approval.state, approval.decided_at = state, clock.now()
    hold = services.hold_of(one.order)
    if state == flows.RETURNED or hold is None:
        return
    # people of a company may not confirm or reject by themselves: the flow's authority is lent for this
    number, actor = one.order.number or "", current_actor()
    with acting(replace(actor, permissions=actor.permissions | {RELEASE, "orders.order.confirm"})):
        if state == flows.APPROVED:
            release(number, hold.id, _("Approved by the company"))
        else:
            reject(number, comment)


def proposal_of(one: Pending) -> dict[int, Decimal]:
    """Return the quantities that were proposed last, by position; empty where the order only went back."""
    row = _last_return(one)
    return {int(p): Decimal(q) for p, q in row.proposed.items()} if row else {}


def _last_return(one: Pending) -> DecisionRow | None:
    rows = services.decisions_of([one.approval.id])
    returned = [d for d in rows if d.outcome == flows.RETURNED and d.round == one.approval.round]
    return returned[-1] if returned and one.approval.state == flows.RETURNED else None


def send_again(number: str, quantities: Mapping[int, Decimal], digest: str, expected_total: Decimal | None = None) -> Flow:
    """Change the order (or leave it as it is) and ask again; only who ordered may, while it waits or went back.

    Where they have left, an administrator takes it over. Approvals of more than it is now are kept. Conflict where it was
    decided on meanwhile, or costs something else.
    """
    with write():
        lock_company(find(number).company_id)
        one = services.pending_of(lock(number))
        if not services.may_change(one):
            raise Forbidden("APPROVAL-NOT-YOURS", _("Only the person who ordered may change the order now."))
        if one.order.state != "submitted" or one.approval.state not in (flows.WAITING, flows.RETURNED):
            raise Conflict("APPROVAL-DECIDED", _("This order does not wait for approval any more; reload the page."))
        if digest != one.order.digest:
            raise _stale(one, digest)
        _take_over(one)
        proposal = _last_return(one)
        taken = proposal is not None and {str(p): str(q) for p, q in sorted(quantities.items())} == proposal.proposed
        if quantities:
            amend(number, quantities, expected_total=expected_total, seen=digest)
        one.approval.state, one.approval.round = flows.WAITING, one.approval.round + 1
        order = lock(number)
        versions.keep(one.approval, order, lines_of(order.id), services.plan_now(order, one.approval))
        audit.record("order", number, "approval asked again", company_id=order.company_id, addon=OWNER)
        if proposal is not None and proposal.proposed and taken and _smaller(one, proposal.digest, order.digest):
            _approve_as_proposed(one.approval.round, proposal, order.digest)
        one = services.pending_of(order)
        timing.stop(one.approval)
        emit(SENT_AGAIN, {"number": number, "round": one.approval.round})
        services.free_if_nobody_is_asked(one)
        settle(one, "")
    return one.flow


def change_references(number: str, values: Mapping[str, str], digest: str) -> Flow:
    """Change purchase order number and message of an order that waits, where the policy leaves them free.

    Nobody is asked again: decisions and links of mails hold for it as it is now. Conflict where the policy does not.
    """
    with write() as session:
        lock_company(find(number).company_id)
        one = services.pending_of(lock(number))
        if not services.may_change(one):
            raise Forbidden("APPROVAL-NOT-YOURS", _("Only the person who ordered may change the order now."))
        if one.order.state != "submitted" or one.approval.state not in (flows.WAITING, flows.RETURNED):
            raise Conflict("APPROVAL-DECIDED", _("This order does not wait for approval any more; reload the page."))
        if not one.flow.policy.references_free or set(values) - set(versions.REFERENCES):
            raise Conflict("APPROVAL-BINDING", _("Your company does not let this change while an order waits."))
        if digest != one.order.digest:
            raise _stale(one, digest)
        order = restate(number, values, seen=digest)
        versions.keep(one.approval, order, lines_of(order.id), services.plan_now(order, one.approval))
        open_links = update(Link).where(Link.approval_id == one.approval.id, Link.digest == digest, Link.used_at.is_(None))
        session.execute(open_links.values(digest=order.digest))
        return services.pending_of(order).flow


def _take_over(one: Pending) -> None:
    """Make the order that of the actor, if it was of somebody who has left."""
    actor = current_actor()
    me = actor.on_behalf_of or actor.user_id
    if me != services.orderer(one.order, one.approval):
        one.approval.taken_id = me
        number, company_id = one.order.number or "", one.order.company_id
        audit.record("order", number, "approval taken over", company_id=company_id, addon=OWNER)


def _smaller(one: Pending, before: str, after: str) -> bool:
    """Tell whether what came of a proposal costs no more, within the tolerance, than what its maker saw."""
    known = versions.of([one.approval.id])
    old, new = known[one.approval.id, before], known[one.approval.id, after]
    percent = Decimal(timing.tolerance(one.approval.company_id))
    return versions.still_holds(old.content, new.content, percent, references_free=one.flow.policy.references_free)


def _approve_as_proposed(round_: int, proposal: DecisionRow, digest: str) -> None:
    """Count the proposal as its maker's approval of exactly this."""
    copied = ("approval_id", "company_id", "user_id", "user_name", "for_id", "for_name", "senior", "tier")
    values = {name: getattr(proposal, name) for name in copied}
    with write() as session:
        session.add(
            DecisionRow(**values, round=round_, outcome=flows.APPROVED, through=PROPOSAL, digest=digest, at=clock.now())
        )
        session.flush()
