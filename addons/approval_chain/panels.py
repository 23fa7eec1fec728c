"""What the addon shows on pages of orders: who will approve, who did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.data import clock, db
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations
from core.api.orders import Order, judged_draft, lines_of

from . import basis, centre_panels, engine, lesser, reasons, services, story, timing
from .flow import Flow
from .loading import names_of
from .models import Approval
from .services import Trial
from .spending import Asked
from .turns import steps

_, _l, ngettext, _p = translations(__name__)
#: What cost centres bear of an order, for the pages on which it is decided on.
borne = centre_panels.of_decision


def preview(context: PageContext) -> Mapping[str, Any] | None:
    """Say who will approve the cart as it is; nothing where nobody must."""
    order = db.session.get(Order, context.subject_id or 0)
    if order is None or order.user_id is None:
        return None
    lines = lines_of(order.id)
    if not lines:
        return None
    draft = judged_draft(order, lines)
    asked = Asked(order.user_id, order.company_id)  # a cart does not count, and the panel of limits asks the same
    trial = Trial(draft, asked)
    found = trial.of([draft])[0]
    if not found.plan.needed and not found.plan.denied_by:
        return None
    return {
        "denied": reasons.short([found.plan.denied_by])[found.plan.denied_by] if found.plan.denied_by else "",
        "turns": reasons.turns(found.plan.requirements),
        "expected": timing.expected(timing.deadlines(order.company_id, clock.now())) if found.plan.needed else "",
        "ways": lesser.ways(trial, draft, found, {line.position: line.name for line in lines}),
        "counted": basis.counted(order.company_id),
    }


def progress(context: PageContext) -> Mapping[str, Any] | None:
    """Say who decided on the order, and who is to decide."""
    approval = db.session.scalar(select(Approval).where(Approval.order_id == context.subject_id))
    if approval is None:
        return None
    one = services.pending(context.subject_code)
    waits = one.order.state == "submitted" and approval.state == "waiting" and services.held(one.order)
    return {
        "events": story.of(one)[::-1],
        "steps": steps(one.flow.open()) if waits else [],
        "instead_of": instead_of(one.flow) if waits else "",
        "clock": approval if waits else None,
        "number": context.subject_code,
        "mine": waits and services.may_decide(one.flow),
        "back": approval.state == "returned",
        "ordered": (waits or approval.state == "returned") and services.may_change(one),
    }


def arrived(context: PageContext) -> Mapping[str, Any] | None:
    """Say on the page of thanks whom the order waits for, by when, and why; nothing where it does not wait."""
    approval = db.session.scalar(select(Approval).where(Approval.order_id == context.subject_id))
    if approval is None:
        return None
    one = services.pending(context.subject_code)
    if one.order.state != "submitted" or approval.state != "waiting" or not services.held(one.order):
        return None
    return {"turns": reasons.turns(one.flow.plan.requirements), "expected": timing.expected(approval)}


def instead_of(flow: Flow) -> str:
    """Say who may decide besides those who are asked: substitutes, and those to whom it was passed on."""
    named = {*flow.substitutes, *(s for found in flow.substitutes.values() for s in found), *flow.seniors} - {engine.SELLER}
    names = names_of(named)
    said = [
        _("%(other)s for %(name)s", other=names.get(other, ""), name=names.get(person, ""))
        for person, others in flow.substitutes.items()
        for other in others
    ]
    passed = [names.get(p) or _("your contact person at the seller") for p in flow.seniors]
    if passed:
        said.append(_("passed on to %(names)s", names=", ".join(passed)))
    return "; ".join(said)


STATES = {
    "waiting": _l("Waits for approval"),
    "returned": _l("Went back to the person who ordered"),
    "approved": _l("Approved"),
    "rejected": _l("Rejected"),
    "released": _l("Released by the seller"),
    "withdrawn": _l("Order cancelled"),
}
PANELS = (
    Panel("approval_cart", "storefront.cart", "side", "approval_chain/preview.html", preview, _l("Approval")),
    Panel("approval_preview", "storefront.checkout", "side", "approval_chain/preview.html", preview, _l("Approval")),
    Panel("approval_thanks", "storefront.thanks", "main", "approval_chain/arrived.html", arrived, _l("Approval")),
    Panel("approval_progress", "storefront.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
    Panel("approval_progress", "backoffice.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
)
