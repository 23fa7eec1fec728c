"""Hold orders until the right people have approved them; every decision binds to the digest of what was placed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Bundle

from core.api.companies import Membership, User, ancestors
from core.api.data import clock, current_actor, db, unscoped, write
from core.api.hooks import HoldRequest, HoldType, NotFound, OrderDraft
from core.api.i18n import translations
from core.api.orders import Hold, Order, find, lines_of, open_holds, stored_draft, stored_drafts

from . import absences, allocation, engine, facts, managers, overruns, spending, timing, versions, voluntary
from .flow import Decision, Flow
from .loading import company_for, facts_named
from .models import Approval
from .models import Decision as DecisionRow
from .parts import ASKED, DECIDES
from .permissions import DECIDE, RELEASE, RULES
from .plans import Plans
from .spending import Asked

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

_, _l, ngettext, _p = translations(__name__)
OWNER, CODE = "approval_chain", "approval"
T = TypeVar("T")
_OF_ORDERS = (
    Order.id, Order.company_id, Order.user_id, Order.user_name, Order.number, Order.state, Order.digest, Order.currency,
    Order.net, Order.tax, Order.gross, Order.charges_net, Order.po_number, Order.ship_to_id, Order.bill_to_id,
    Order.extra, Order.wished_date, Order.submitted_at,
)  # fmt: skip
_OF_APPROVALS = (
    Approval.id, Approval.order_id, Approval.company_id, Approval.state, Approval.round, Approval.tier, Approval.taken_id,
    Approval.assigned_id, Approval.wished, Approval.reminded, Approval.escalated, Approval.remind_at, Approval.expires_at,
)  # fmt: skip


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
    return _plan(draft, Asked(draft.user_id, draft.company_id, draft.order_id))


def _plan(draft: OrderDraft, asked: Asked) -> engine.Plan:
    return Trial(draft, asked).of([draft])[0].plan


@dataclass(frozen=True, slots=True)
class Tried:
    """How an order is judged: figures, budgets that it exceeds, people and rules as they are for it, who must approve."""

    figures: Mapping[str, Any]
    exceeded: overruns.Found
    company: engine.Company
    plan: engine.Plan


class Trial:
    """Judges orders of one person as they would be now: rules, the manager and what is left of limits are read once.

    ``also`` are figures to read besides those that the rules name. What depends on an order's size is read for each.
    """

    def __init__(self, draft: OrderDraft, asked: Asked, also: Iterable[str] = ()) -> None:
        self.requester = str(asked.user_id)
        manager = managers.leaders({draft.company_id}).get((draft.company_id, asked.user_id), "")
        company = managers.with_manager(company_for(draft.company_id, draft.currency), self.requester, str(manager))
        self.company = spending.with_left(company, spending.left_of(asked), self.requester, draft.currency)
        self.named = facts_named([self.company]) | set(also)

    def of(self, drafts: Sequence[OrderDraft]) -> list[Tried]:
        """Return how each of the drafts is judged; statements do not grow with them."""
        if not drafts:
            return []
        figures, exceeded = facts.of_drafts(drafts, self.named), overruns.of_drafts(drafts)
        wishes = voluntary.of_orders(draft.order_id for draft in drafts)
        companies = [
            voluntary.with_wish(overruns.with_budgets(self.company, over), wishes.get(draft.order_id), self.requester)
            for draft, over in zip(drafts, exceeded, strict=True)
        ]
        plans = [engine.evaluate(f, self.requester, c) for f, c in zip(figures, companies, strict=True)]
        return [Tried(*one) for one in zip(figures, exceeded, companies, plans, strict=True)]


def asked_of(order: Order, approval: Approval) -> Asked:
    """Return whose limits count for a placed order: with what was placed before it."""
    return Asked(orderer(order, approval) or 0, order.company_id, order.id, order.submitted_at)


def orderer(order: Order, approval: Approval) -> int | None:
    """Return whose order it is: of whoever ordered, or took it over when they had left."""
    return approval.taken_id or order.user_id


def wanted(draft: OrderDraft) -> HoldRequest | None:
    """Ask for a hold where somebody must approve, and open the approval with the order, in its transaction."""
    plan = plan_of(draft)
    if not plan.needed:
        return None
    with write() as session:
        approval = Approval(
            order_id=draft.order_id,
            company_id=draft.company_id,
            plan=[{**asdict(r), "people": list(r.people)} for r in plan.requirements],
            wished=any(r.rule == ASKED for r in plan.requirements),
            created_at=clock.now(),
        )
        timing.start(approval, min(r.tier for r in plan.requirements), approval.created_at)
        session.add(approval)
        session.flush()
        if not approval.wished:
            voluntary.forget(approval.order_id)
        order = session.scalars(select(Order).where(Order.id == draft.order_id)).one()
        versions.keep(approval, order, lines_of(order.id), plan)
    return HoldRequest(_l("Waits for approval by the company"))


HOLD = HoldType(CODE, _l("Approval by the company"), RELEASE, wanted)


def pending(number: str) -> Pending:
    """Return the approval of an order; NotFound if there is none that the actor may see."""
    return pending_of(find(number))


def pending_of(order: Order) -> Pending:
    """Return the approval of ``order``; NotFound if there is none."""
    approval = db.session.scalar(select(Approval).where(Approval.order_id == order.id))
    if approval is None:
        raise NotFound("APPROVAL-NOT-FOUND", _("The order %(number)s needs no approval.", number=order.number or ""))
    return pendings([(order, approval)])[0]


def pendings(rows: Sequence[tuple[Order, Approval]]) -> list[Pending]:
    """Return where approvals stand, with the people and rules of now; statements do not grow with the orders."""
    if not rows:
        return []
    decisions = _grouped(decisions_of([approval.id for _order, approval in rows]), lambda d: d.approval_id)
    said = versions.of(_changed_since(rows, decisions))
    companies = {key: company_for(*key) for key in {(order.company_id, order.currency) for order, _a in rows}}
    away = absences.away_now({int(p.id) for company in companies.values() for p in company.people})
    leaders = managers.leaders({order.company_id for order, _approval in rows})
    asked = facts_named(companies.values())
    drafts = _drafts([order for order, _approval in rows], asked)
    figures = facts.of_drafts(drafts, asked)
    left = spending.left_of_all([asked_of(order, approval) for order, approval in rows])
    exceeded, wishes = (
        overruns.of_drafts(drafts),
        voluntary.of_orders(order.id for order, approval in rows if approval.wished),
    )
    tolerance, plans, found = cache(timing.tolerance), Plans(), []

    @cache
    def of_person(company_id: int, currency: str, who: int | None) -> engine.Company:
        return managers.with_manager(companies[company_id, currency], str(who), str(leaders.get((company_id, who or 0), "")))

    for (order, approval), mine, mine_left, over in zip(rows, figures, left, exceeded, strict=True):
        who = orderer(order, approval)
        company = of_person(order.company_id, order.currency, who)
        company = spending.with_left(company, mine_left, str(who), order.currency)
        company = voluntary.with_wish(overruns.with_budgets(company, over), wishes.get(order.id), str(who))
        kept = _kept(order, approval, decisions.get(approval.id, []), said, tolerance, company.policy.references_free)
        flow = _flow(approval, str(who), plans.of(mine, str(who), company), kept, mine[engine.TOTAL], company, away)
        found.append(Pending(order, approval, flow))
    return found


def _drafts(orders: Sequence[Order], asked: Collection[str]) -> list[OrderDraft]:
    """Return orders as rules see them; without their lines where neither a figure nor a cost centre is about them."""
    of_heads = facts.OF_HEADS.issuperset(asked)
    if of_heads and not any(allocation.of_orders(order.id for order in orders).values()):
        return [stored_draft(order, ()) for order in orders]
    return stored_drafts(orders)


def _grouped(rows: Iterable[T], key: Callable[[T], int]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _changed_since(rows: Sequence[tuple[Order, Approval]], decisions: Mapping[int, Sequence[DecisionRow]]) -> list[int]:
    """Return the approvals of which something was decided on another version than the present one."""
    return [a.id for order, a in rows if any(d.digest != order.digest for d in decisions.get(a.id, ()))]


def decisions_of(approval_ids: Iterable[int]) -> list[DecisionRow]:
    """Return what people decided, oldest first."""
    query = select(DecisionRow).where(DecisionRow.approval_id.in_(list(approval_ids))).order_by(DecisionRow.id)
    return list(db.session.scalars(query))


def _kept(
    order: Order,
    approval: Approval,
    rows: Iterable[DecisionRow],
    said: Mapping[tuple[int, str], versions.Version],
    tolerance: Callable[[int], int],
    free: bool,
) -> list[Decision]:
    """Return the decisions that hold for the order as it is: those on it, and approvals of more than it is now."""
    now = said.get((approval.id, order.digest))
    percent = Decimal(tolerance(order.company_id)) if now else Decimal(0)
    found = []
    for d in rows:
        asked = None
        if d.outcome == "returned" and d.round != approval.round:
            continue
        if d.digest != order.digest and d.outcome != "rejected":
            then = said.get((approval.id, d.digest))
            if d.outcome == "returned" or not then or not now:
                continue
            if not versions.still_holds(then.content, now.content, percent, references_free=free):
                continue
            asked = frozenset(then.asked)
        by = str(d.for_id or d.user_id)
        acting = str(d.user_id) if d.for_id else ""
        found.append(Decision(by, d.outcome, d.tier, d.comment, acting, d.senior, asked))
    return found


def _flow(
    approval: Approval,
    who: str,
    plan: engine.Plan,
    kept: Sequence[Decision],
    total: Decimal,
    company: engine.Company,
    away: Mapping[str, str],
) -> Flow:
    """Return the flow with the people and rules of now: who left meanwhile is followed by whoever decides instead."""
    flow = Flow(who, engine.Plan((engine.Requirement(1, (engine.SELLER,), 1),)), company.policy)
    flow.decisions += kept
    if plan.denied_by:
        plan = _forbidden(flow, plan.denied_by, company, total)
    flow.refresh(assigned(plan, str(approval.assigned_id or "")))
    flow.overseers = tuple(p.id for p in company.people if DECIDES in p.roles and p.may_approve and p.id != flow.requester)
    if away:
        flow.substitutes = absences.substitutes(flow.plan, away, company, total)
    passed = approval.escalated and approval.tier == flow.tier
    if passed or absences.nobody_there(flow, away):
        flow.seniors = absences.seniors(flow, company, total)
    return flow


def _forbidden(flow: Flow, rule: str, company: engine.Company, total: Decimal) -> engine.Plan:
    """Ask the administrators what becomes of an order that a rule of now does not allow; no approval of it counts."""
    flow.denied = True
    flow.decisions = [d for d in flow.decisions if d.outcome != "approved"]
    people = engine.climb(company.person(flow.requester), company, total)
    return engine.Plan((engine.Requirement(1, people, 1, rule, climbed=True),))


def assigned(plan: engine.Plan, person: str) -> engine.Plan:
    """Return the plan as who ordered narrowed it: where one of several is enough, only ``person`` is asked."""
    narrowed = (replace(r, people=(person,)) if r.need == 1 and person in r.people else r for r in plan.requirements)
    return replace(plan, requirements=tuple(narrowed)) if person else plan


def plan_now(order: Order, approval: Approval) -> engine.Plan:
    """Return who must approve a placed order by the rules of now."""
    return _plan(stored_draft(order, lines_of(order.id)), asked_of(order, approval))


def free_if_nobody_is_asked(one: Pending) -> bool:
    """Let an order go for which no rule asks any more: nobody is left who could be waited for."""
    plan = plan_now(one.order, one.approval)
    if one.flow.state != "waiting" or plan.needed or plan.denied_by:
        return False
    one.flow.plan = plan
    return True


def inbox() -> list[Pending]:
    """Return the orders on which the actor may decide now, oldest first."""
    me = str(current_actor().user_id)
    return [one for one in waiting() if me in one.flow.eligible()]


def waiting(*conditions: ColumnElement[bool]) -> list[Pending]:
    """Return the approvals that wait for somebody, oldest first, of those orders that the actor may see.

    There may be thousands: of each only the columns are read on which depends who decides, and what lists say.
    """
    read = (Bundle("order", *_OF_ORDERS), Bundle("approval", *_OF_APPROVALS))
    rows = db.session.execute(_waiting().with_only_columns(*read).where(*conditions).order_by(Approval.id)).all()
    return pendings([(order, approval) for order, approval in rows])


def _waiting() -> Select[Any]:
    return select(Order, Approval).join(Approval, Approval.order_id == Order.id).where(*waits())


def waits() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for what waits for somebody's decision."""
    held = select(Hold.order_id).where(Hold.owner == OWNER, Hold.code == CODE, Hold.released_at.is_(None))
    return (Approval.state == "waiting", Order.state == "submitted", Order.id.in_(held))


def ordered_by(user_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for what a person ordered or took over and waits, or came back to them.

    Administrators see among it what came back to somebody who has left.
    """
    theirs = [Order.user_id == user_id, Approval.taken_id == user_id]
    if current_actor().may(RULES):
        theirs.append(Approval.id.in_(_orphans()))
    return (or_(*theirs), Order.state == "submitted", Approval.state.in_(("waiting", "returned")))


def _orphans() -> list[int]:
    """Return the approvals that came back to somebody who belongs to no company any more."""
    back = select(Order, Approval).join(Approval, Approval.order_id == Order.id)
    rows = db.session.execute(back.where(Order.state == "submitted", Approval.state == "returned")).all()
    whose = {orderer(order, approval) for order, approval in rows}
    query = select(Membership.user_id).join(User, User.id == Membership.user_id)
    members = query.where(User.id.in_([i for i in whose if i]), User.active)
    there = set(db.session.scalars(unscoped(members, "who ordered may belong to a parent company"))) if rows else set()
    return [approval.id for order, approval in rows if orderer(order, approval) not in there]


def may_change(one: Pending) -> bool:
    """Tell whether the actor may change the order and send it again: it is theirs, or of somebody who has left.

    Then an administrator of the company does it, whose order it is from then on.
    """
    actor = current_actor()
    if (actor.on_behalf_of or actor.user_id) == orderer(one.order, one.approval):
        return True
    return actor.may(RULES) and actor.on_behalf_of is None and not orderer_is_there(one.order, one.approval)


def orderer_is_there(order: Order, approval: Approval) -> bool:
    """Tell whether whose order it is still belongs to the company or its parents: else nobody of them changes it."""
    who = orderer(order, approval)
    query = select(Membership.user_id).join(User, User.id == Membership.user_id).where(User.id == who, User.active)
    here = query.where(Membership.company_id.in_(ancestors(order.company_id)))
    return db.session.scalar(unscoped(here.limit(1), "who ordered may belong to a parent company")) is not None


def moved(one: Pending) -> bool:
    """Tell whether people or rules changed so that it stands elsewhere: nobody is missing, or another turn is on."""
    flow = one.flow
    return flow.state != "waiting" or flow.tier != one.approval.tier or flow.eligible() == [flow.requester]


def held(order: Order) -> bool:
    """Tell whether the order still waits for its approval."""
    return hold_of(order) is not None


def may_decide(flow: Flow) -> bool:
    """Tell whether it is the actor's turn."""
    actor = current_actor()
    return actor.may(DECIDE) and actor.on_behalf_of is None and str(actor.user_id) in flow.able()


def hold_of(order: Order) -> Hold | None:
    """Return the open hold of an order's approval."""
    return next((h for h in open_holds(order.id) if (h.owner, h.code) == (OWNER, CODE)), None)
