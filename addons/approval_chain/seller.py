"""The seller's side: the same engine for its staff, by the seller's rules, in front of the confirmation of an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from core.api.companies import ROLE_TITLES, Company, User, lock_company, permissions_of, seller
from core.api.data import acting, audit, clock, current_actor, db, unscoped, write
from core.api.hooks import Conflict, Finding, Forbidden, HoldRequest, HoldType, NotFound, OrderDraft
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.orders import Hold, Order, find, lock, open_holds, reject, release, stored_drafts

from . import engine, facts, flow
from .loading import conversion, facts_named, in_force, rule_of
from .permissions import SELLER_DECIDE, SELLER_RELEASE, SELLER_SETUP
from .rules import OWNER
from .seller_models import SellerDecision, SellerRule
from .sentences import Names, Sentence, describe, names_for
from .turns import steps

_, _l, ngettext, _p = translations(__name__)
CODE = "seller_approval"
DECIDED = "approval.seller_decided"
ROLES = ("sales", "finance", "admin")
_REASON = "the seller's rules hold for every order; who orders never sees them"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for the seller's staff: where it stands, why, and whether the actor may decide now."""

    order: Order
    company: str
    flow: flow.Flow
    reasons: tuple[str, ...]
    who: tuple[str, ...]
    mine: bool


def plan_of(draft: OrderDraft) -> engine.Plan:
    """Return who of the staff must approve an order, with the rules of now."""
    return _plans([draft], [str(draft.user_id)])[0]


def _plans(drafts: Sequence[OrderDraft], requesters: Sequence[str]) -> list[engine.Plan]:
    """Return the plan of each; statements do not grow with the orders."""
    rows = _rules()
    if not rows or not drafts:
        return [engine.Plan() for _draft in drafts]
    people = staff()
    companies = {currency: _company(rows, people, currency) for currency in {draft.currency for draft in drafts}}
    figures = facts.of_drafts(drafts, facts_named(companies.values()))
    return [
        engine.evaluate(found, who, companies[draft.currency])
        for draft, who, found in zip(drafts, requesters, figures, strict=True)
    ]


def _rules() -> list[SellerRule]:
    query = select(SellerRule).where(*in_force(SellerRule)).order_by(SellerRule.id)
    return list(db.session.scalars(unscoped(query, _REASON)))


def _company(rows: Sequence[SellerRule], people: tuple[engine.Person, ...], currency: str) -> engine.Company:
    kinds, convert = facts.specs(ours=True), conversion(currency)
    rules = tuple(rule_of(row, kinds, convert) for row in rows)
    return engine.Company(people, rules, engine.Policy(limits=False))


def staff() -> tuple[engine.Person, ...]:
    """Return the seller's active staff with their roles; administrators decide where nobody else may.

    Who may not decide (it takes seeing prices, too) is asked nowhere.
    """
    query = select(User).where(User.staff_roles.any(), User.active).order_by(User.id)
    users = db.session.scalars(unscoped(query, _REASON)).unique()
    return tuple(_person(u.id, frozenset(row.role for row in u.staff_roles)) for u in users)


def _person(user_id: int, roles: frozenset[str]) -> engine.Person:
    return engine.Person(str(user_id), _roles(roles), may_approve=SELLER_DECIDE in permissions_of(roles))


def _roles(names: Any) -> frozenset[str]:
    found = frozenset(names)
    return found | {engine.ADMIN} if "admin" in found else found


def asked_of(draft: OrderDraft) -> list[tuple[int, str, str]]:
    """Return turn, people and reason of what the seller's rules ask of an order."""
    plan, rows = plan_of(draft), _rules()
    names = names_for(rows)
    reasons = {str(row.id): row.name or describe(row, names).lines[0] for row in rows}
    if plan.denied_by:
        return [(1, _("Nobody: the seller does not take such an order."), reasons.get(plan.denied_by, ""))]
    return [(r.tier, steps([r])[0], reasons.get(r.rule, "")) for r in plan.requirements]


def refused(draft: OrderDraft) -> Sequence[Finding]:
    """Say that the seller takes no such order; a checkout rule."""
    if not plan_of(draft).denied_by:
        return ()
    return (
        Finding("SELLER-DENIED", "block", _("We cannot take this order as it is. Talk to your contact person with us.")),
    )


def wanted(draft: OrderDraft) -> HoldRequest | None:
    """Ask for a hold where staff must approve."""
    return HoldRequest(_l("Waits for approval by the seller")) if plan_of(draft).needed else None


HOLD = HoldType(CODE, _l("Approval by the seller"), SELLER_RELEASE, wanted)


def hold_of(order: Order) -> Hold | None:
    """Return the open hold of an order that waits for staff."""
    return next((h for h in open_holds(order.id) if (h.owner, h.code) == (OWNER, CODE)), None)


def waiting_count() -> int:
    """Return how many orders wait for staff; one statement."""
    return db.session.scalar(select(func.count()).select_from(_held().subquery())) or 0


def badge() -> int | None:
    """Return the number at the navigation's link, None where nothing waits."""
    return waiting_count() or None


def _held() -> Any:
    held = select(Hold.order_id).where(Hold.owner == OWNER, Hold.code == CODE, Hold.released_at.is_(None))
    return select(Order).where(Order.state == "submitted", Order.id.in_(held)).order_by(Order.submitted_at, Order.id)


def waiting(number: str = "") -> list[Waiting]:
    """Return the orders that wait for staff (or the one with ``number``), oldest first."""
    query = _held() if not number else _held().where(Order.number == number)
    return _stand(list(db.session.scalars(query)))


def _stand(orders: Sequence[Order]) -> list[Waiting]:
    if not orders:
        return []
    ids = [order.id for order in orders]
    plans = _plans(stored_drafts(orders), [str(order.placed_by_id or order.user_id) for order in orders])
    said = decisions_of(ids)
    rows = _rules()
    names, people = names_for(rows), {p.id: p for p in staff()}
    reasons = {str(row.id): row.name or describe(row, names).lines[0] for row in rows}
    named = db.session.execute(select(User.id, User.name).where(User.id.in_([int(i) for i in people])))
    titles = {row.id: row.name for row in named}
    who = select(Company.id, Company.name).where(Company.id.in_({order.company_id for order in orders}))
    companies = {row.id: row.name for row in db.session.execute(who)}
    me = str(current_actor().user_id)
    found = []
    for order, plan in zip(orders, plans, strict=True):
        kept = [d for d in said if d.order_id == order.id and d.digest == order.digest]
        one = _flow(order, plan, kept, tuple(people))
        able = one.eligible()
        found.append(
            Waiting(
                order,
                companies.get(order.company_id, ""),
                one,
                tuple(dict.fromkeys(reasons.get(r.rule, "") for r in plan.requirements)),
                tuple(titles.get(int(p), "") for p in able if p != engine.SELLER),
                me in able and current_actor().may(SELLER_DECIDE),
            )
        )
    return found


def _flow(order: Order, plan: engine.Plan, kept: Sequence[SellerDecision], people: tuple[str, ...]) -> flow.Flow:
    """Return where the order stands; where no rule asks any more, anybody of the staff lets it go."""
    requester = str(order.placed_by_id or order.user_id)
    asked = plan.requirements or (engine.Requirement(1, tuple(p for p in people if p != requester), 1),)
    one = flow.Flow(requester, replace(plan, requirements=asked))
    one.decisions += [flow.Decision(str(d.user_id), d.outcome, d.tier, d.comment) for d in kept]
    return one


def decisions_of(order_ids: Sequence[int]) -> list[SellerDecision]:
    """Return what staff decided on orders, oldest first."""
    query = select(SellerDecision).where(SellerDecision.order_id.in_(order_ids)).order_by(SellerDecision.id)
    return list(db.session.scalars(query))


def decide(number: str, outcome: str, digest: str, comment: str = "") -> flow.Flow:
    """Approve or reject as a member of staff; the last approval that was missing releases the hold.

    NotFound where the order does not wait for staff, Conflict where it is another than was looked at.
    """
    actor = current_actor()
    if not actor.may(SELLER_DECIDE) or actor.on_behalf_of is not None:
        raise Forbidden("SELLER-APPROVAL", _("You do not decide on orders for the seller."))
    with write() as session:
        lock_company(find(number).company_id)
        order = lock(number)
        hold = hold_of(order)
        if hold is None or order.state != "submitted":
            raise NotFound("SELLER-APPROVAL-OVER", _("The order %(number)s does not wait for us any more.", number=number))
        if digest != order.digest:
            text = _("The order has changed since you looked; read it again before you decide.")
            raise Conflict("APPROVAL-STALE", text)
        one = _stand([order])[0].flow
        made = one.decide(str(actor.user_id), outcome, comment)
        if made is None:
            return one
        session.add(
            SellerDecision(
                order_id=order.id, user_id=actor.user_id, user_name=actor.name, tier=made.tier, outcome=outcome,
                comment=made.comment, digest=digest, at=clock.now(),
            )
        )  # fmt: skip
        session.flush()
        audit.record("order", number, f"seller {outcome}", company_id=order.company_id, reason=made.comment, addon=OWNER)
        emit(DECIDED, {"number": number})
        _settle(number, hold.id, one.state, made.comment)
    return one


def let_go(number: str) -> None:
    """Release an order of which all who are still asked have approved: whoever was missing has left."""
    with write():
        lock_company(find(number).company_id)
        order = lock(number)
        hold = hold_of(order)
        found = _stand([order]) if hold is not None and order.state == "submitted" else []
        if hold is not None and found and found[0].flow.state == flow.APPROVED:
            _settle(number, hold.id, flow.APPROVED, "")


def _settle(number: str, hold_id: int, state: str, comment: str) -> None:
    actor = current_actor()
    with acting(replace(actor, permissions=actor.permissions | {SELLER_RELEASE, "orders.order.confirm"})):
        if state == flow.APPROVED:
            release(number, hold_id, comment or _("Approved by the seller"))
        elif state == flow.REJECTED:
            reject(number, comment)


def sentences() -> list[Sentence]:
    """Return the seller's rules as people read them."""
    rows = db.session.scalars(select(SellerRule).order_by(SellerRule.priority.desc(), SellerRule.id)).all()
    names: Names = names_for(rows)
    return [describe(row, names) for row in rows]


def rule(rule_id: int) -> SellerRule:
    """Return a rule of the seller; NotFound if it is gone."""
    found = db.session.get(SellerRule, rule_id)
    if found is None:
        raise NotFound("APPROVAL-RULE-NOT-FOUND", _("This rule is gone already; reload the page."))
    return found


def save_rule(values: Mapping[str, Any], rule_id: int | None = None) -> SellerRule:
    """Keep a rule of the seller, new or another one's words; its money is in the seller's currency."""
    with write() as session:
        row = SellerRule(currency=seller().currency, created_at=clock.now()) if rule_id is None else rule(rule_id)
        for name, value in values.items():
            if name != "inherit":
                setattr(row, name, value)
        session.add(row)
        session.flush()
        _record("rule added" if rule_id is None else "rule changed", row)
    return row


def remove_rule(rule_id: int) -> None:
    """Take a rule away; orders that wait follow the rules that are left."""
    with write() as session:
        row = rule(rule_id)
        _record("rule removed", row)
        session.delete(row)


def _record(action: str, row: SellerRule) -> None:
    text = describe(row, names_for([row])).text
    audit.record("seller approval rules", str(row.id), action, after={"text": text}, addon=OWNER)
    emit(SELLER_SETUP, {})


def deciders() -> list[tuple[str, object]]:
    """Return whom a rule may ask: roles of the staff, and its people."""
    query = select(User.code, User.name).where(User.staff_roles.any(), User.active).order_by(User.name)
    people = [(f"@{code}", name) for code, name in db.session.execute(query)]
    return [*((role, ROLE_TITLES[role]) for role in ROLES), *people]
