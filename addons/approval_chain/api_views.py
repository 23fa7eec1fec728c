"""Approvals for programs: what waits, read with its story, decided on as a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate
from sqlalchemy import func, select

from core.api.companies import Company, Membership, User, ancestors
from core.api.data import acting, audit, clock, db, unscoped, write
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.orders import Order, find
from core.api.restapi import (
    DecimalText,
    Schema,
    page,
    page_schema,
    query_schema,
    resource,
    tagged,
    text,
)
from core.api.ui import Field, Resource, requires

from . import (
    deciding,
    flow_models,
    inbox,
    links,
    reasons,
    services,
    story,
)
from .engine import SELLER
from .models import Approval
from .permissions import DECIDE, VIEW

_, _l, ngettext, _p = translations(__name__)
_WHO = "who decides on an order may belong to a parent company"

# ---- approvals ----

approvals = resource("approval_chain_approvals_api", __name__, "Approvals of orders: list, read with the story, decide.")


def _with_order(statement: Any) -> Any:
    return statement.join(Order, Order.id == Approval.order_id).join(Company, Company.id == Order.company_id)


APPROVALS = Resource(
    key="api.approvals",
    title=_l("Approvals"),
    id=Approval.id,
    code="number",
    order="-submitted",
    source=_with_order,
    fields=(
        Field("number", _l("Order"), Order.number, "code", search=True),
        Field("company", _l("Company"), Company.code, "code"),
        Field("buyer", _l("Ordered by"), Order.user_name, search=True),
        Field("state", _l("State"), Approval.state, choices=lambda: [(s, s) for s in flow_models.STATES]),
        Field("submitted", _l("Ordered"), Order.submitted_at, "instant"),
        Field("due", _l("Decide by"), Approval.expires_at, "instant"),
        Field("without_tax", _l("Without tax"), Order.net + Order.charges_net, "money", extra="currency"),
        Field("currency", _l("Currency"), Order.currency),
        Field("po_number", _l("Purchase order number"), Order.po_number, search=True),
    ),
)


class AskedItem(Schema):
    """Who is asked now: ``need`` of ``people`` (e-mail addresses) decide; ``seller``: the seller's staff is."""

    need, reason = fields.Integer(), fields.String()
    people, seller = fields.List(fields.String()), fields.Boolean()


class EventItem(Schema):
    """What happened: a decision, a reminder, passing on, or that the order was sent again."""

    at, what, who, note = fields.DateTime(), fields.String(), fields.String(), fields.String()


class ApprovalItem(Schema):
    """An approval; ``digest`` names the version of the order that a decision binds to. ``story`` only where one is read."""

    number, company, buyer, po_number = fields.String(), fields.String(), fields.String(), fields.String()
    state, order_state, digest = fields.String(), fields.String(), fields.String()
    without_tax, gross, currency = DecimalText(), DecimalText(), fields.String()
    submitted, due = fields.DateTime(allow_none=True), fields.DateTime(allow_none=True)
    turn, late, why = fields.Integer(allow_none=True), fields.Boolean(), fields.String()
    asked = fields.List(fields.Nested(AskedItem))
    story = fields.List(fields.Nested(EventItem))


class ProposedLine(Schema):
    """Less of a line, or 0 to drop it."""

    position = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100_000))
    quantity = DecimalText(required=True)


class DecisionAsked(Schema):
    """What ``person`` (an e-mail address) decides on the version with ``digest``; ``lines`` go with a return."""

    person, digest = text(255, required=True), text(64, required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(flow_models.OUTCOMES))
    comment = text(2000, lines=True)
    lines = fields.List(fields.Nested(ProposedLine), load_default=list, validate=validate.Length(max=1000))


ApprovalQuery = query_schema(APPROVALS)
ApprovalPage = page_schema(ApprovalItem, "ApprovalPage")


@approvals.route("", methods=["GET"])
@requires(DECIDE, VIEW)
@approvals.arguments(ApprovalQuery, location="query")
@approvals.response(200, ApprovalPage)
def approval_list(asked: dict[str, Any]) -> Any:
    """List approvals, the newest first; state=waiting for those that wait."""
    return page(APPROVALS, asked, _approvals)


@approvals.route("/<number>", methods=["GET"])
@requires(DECIDE, VIEW)
@approvals.response(200, ApprovalItem)
def approval_read(number: str) -> Any:
    """Read an approval: who is asked, why, and what happened so far."""
    return _approval(number)


@approvals.route("/<number>/decide", methods=["POST"])
@requires(DECIDE)
@approvals.arguments(DecisionAsked)
@approvals.response(200, ApprovalItem)
def approval_decide(asked: dict[str, Any], number: str) -> Any:
    """Decide as a person whose turn it is; 409 where the order is another now or was decided on. Again changes nothing."""
    order = find(number)
    person = person_named(asked["person"], order.company_id)
    proposed = {line["position"]: line["quantity"] for line in asked["lines"]}
    said = deciding.Said(asked["outcome"], asked["digest"], asked["comment"], proposed or None, through="api")
    with write():
        audit.record(
            "order", number, "approval decided through the API", company_id=order.company_id,
            after={"person": person.email, "outcome": said.outcome}, addon=services.OWNER,
        )  # fmt: skip
        with acting(links.acting_as(person, order.company_id)):
            deciding.decide(number, said)
    return _approval(number)


def person_named(email: str, company_id: int) -> User:
    """Return the person of the company or those above it; whether they may decide is asked where it is decided."""
    query = select(User).join(Membership, Membership.user_id == User.id).where(func.lower(User.email) == email.lower())
    here = query.where(Membership.company_id.in_(ancestors(company_id)), User.active).limit(1)
    found = db.session.scalar(unscoped(here, _WHO))
    if found is None:
        message = _("%(email)s is nobody of the company.", email=email)
        raise Invalid("PERSON-UNKNOWN", message, details={"errors": {"json": {"person": [message]}}})
    return found


def _approval(number: str) -> Any:
    one = services.pending(number)
    item = _approvals([one.approval.id])[one.approval.id]
    item["story"] = [{**event, "what": event["text"]} for event in story.of(one)]
    return tagged(ApprovalItem, item, one.approval.version)


def _approvals(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return approvals by id; the number of statements is constant."""
    query = select(Order, Approval, Company.code).join(Approval, Approval.order_id == Order.id)
    rows = db.session.execute(query.join(Company, Company.id == Order.company_id).where(Approval.id.in_(ids))).all()
    codes = {order.id: code for order, _approval, code in rows}
    ones = services.pendings([(order, approval) for order, approval, _code in rows])
    waits = {one.approval.id: one.flow for one in ones if one.approval.state == "waiting"}
    said = reasons.short(r.rule for found in waits.values() for r in found.plan.requirements)
    whys = dict(zip(waits, reasons.why(list(waits.values())), strict=True))
    people = {p for found in waits.values() for r in found.open() for p in r.people if p != SELLER}
    named = unscoped(select(User.id, User.email).where(User.id.in_([int(p) for p in people])), _WHO)
    mails = {str(row.id): row.email for row in db.session.execute(named)}
    now = clock.now()
    return {
        one.approval.id: {
            "number": one.order.number, "company": codes[one.order.id], "buyer": one.order.user_name,
            "po_number": one.order.po_number, "state": one.approval.state, "order_state": one.order.state,
            "digest": one.order.digest, "without_tax": one.order.without_tax, "gross": one.order.gross,
            "currency": one.order.currency, "submitted": one.order.submitted_at, "due": one.approval.expires_at,
            "turn": one.flow.tier if one.approval.id in waits else None,
            "late": one.approval.id in waits and inbox.is_late(one.approval, now),
            "why": whys.get(one.approval.id, ""),
            "asked": [
                {
                    "need": r.need or len(r.people), "reason": said[r.rule], "seller": SELLER in r.people,
                    "people": [mails[p] for p in r.people if p in mails],
                }
                for r in (waits[one.approval.id].open() if one.approval.id in waits else ())
            ],
        }
        for one in ones
    }  # fmt: skip
