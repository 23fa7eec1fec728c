"""What the addon shows on pages of orders: who will approve, who did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.data import clock, db
from core.api.hooks import DraftLine, OrderDraft, PageContext, Panel
from core.api.i18n import translations
from core.api.orders import Order, lines_of, stored_draft
from core.api.pricing import minor_digits, round_money
from core.api.ui import money_text

from . import centre_panels, engine, facts, reasons, selection, services, story, timing
from .flow import Flow
from .loading import facts_named, names_of
from .models import Approval
from .spending import Asked
from .turns import steps

_, _l, ngettext, _p = translations(__name__)
#: What cost centres bear of an order, for the pages on which it is decided on.
borne = centre_panels.of_decision
#: Lines that are tried one by one for what would make an approval unnecessary.
TRIED = 50


def preview(context: PageContext) -> Mapping[str, Any] | None:
    """Say who will approve the cart as it is; nothing where nobody must."""
    order = db.session.get(Order, context.subject_id or 0)
    if order is None or order.user_id is None:
        return None
    lines = lines_of(order.id)
    if not lines:
        return None
    draft = stored_draft(order, lines)
    asked = Asked(order.user_id, order.company_id)  # a cart does not count, and the panel of limits asks the same
    company = services.company_of(draft, asked)
    figures = services.facts_of(draft, company)
    plan = engine.evaluate(figures, str(order.user_id), company)
    if not plan.needed:
        return None
    times = timing.deadlines(order.company_id, clock.now())
    return {
        "turns": reasons.turns(plan.requirements),
        "escalates": times.escalate_at,
        "expires": times.expires_at,
        "without": unneeded(draft, {line.position: line.name for line in lines}, company),
        "below": below(figures, str(order.user_id), company, order.currency),
    }


def unneeded(draft: OrderDraft, names: Mapping[int, str], company: engine.Company) -> list[str]:
    """Return the names of the lines without which nobody need approve, at most three; each is tried by itself.

    Freight is taken as it is now; the checkout tells when it changes with the lines.
    """
    count = max(5, min(TRIED, 2000 // (len(company.rules) or 1)))  # each costs an evaluation of all rules
    tried = [line for line in draft.lines[:count] if line.net is not None and len(draft.lines) > 1]
    left = [_without(draft, line) for line in tried]
    found = []
    for line, figures in zip(tried, facts.of_drafts(left, facts_named([company])), strict=True):
        plan = engine.evaluate(figures, str(draft.user_id), company)
        if not plan.needed and not plan.denied_by:
            found.append(names.get(line.position) or line.sku)
    return found[:3]


def _without(draft: OrderDraft, line: DraftLine) -> OrderDraft:
    """Return the order without a line, and without the tax on it."""
    net = line.net or Decimal(0)
    tax = round_money(net * (line.tax_rate or 0) / 100, draft.currency)
    kept = tuple(x for x in draft.lines if x is not line)
    return replace(draft, net=draft.net - net, tax=draft.tax - tax, gross=draft.gross - net - tax, lines=kept)


def below(figures: Mapping[str, Any], requester: str, company: engine.Company, currency: str) -> str:
    """Say from which total down nobody need approve an order that is otherwise the same; '' where there is none.

    Found by halving, for less asks of fewer people; where rules are such that it does not, a smaller total is said.
    """
    step = Decimal(1).scaleb(-minor_digits(currency))

    def free(total: Decimal) -> bool:
        plan = engine.evaluate({**figures, engine.TOTAL: total}, requester, company)
        return total > 0 and not plan.needed and not plan.denied_by

    totals = selection.thresholds(figures[engine.TOTAL], requester, company)  # the largest first
    low, high = 0, len(totals)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if free(totals[middle] - step) else (middle + 1, high)
    if low == len(totals):
        return ""
    text = (
        _l("Up to %(amount)s no approval is needed.") if free(totals[low]) else _l("Below %(amount)s no approval is needed.")
    )
    return str(text) % {"amount": money_text(totals[low], currency)}


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
    Panel("approval_progress", "storefront.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
    Panel("approval_progress", "backoffice.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
)
