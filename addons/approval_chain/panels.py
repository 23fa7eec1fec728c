"""What the addon shows on pages of orders: who will approve, who did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from core.api.data import db
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations
from core.api.orders import Order, lines_of

from . import engine, services
from .facts import facts_of
from .loading import company_for, names_of
from .models import Approval

_, _l, ngettext, _p = translations(__name__)


def preview(context: PageContext) -> Mapping[str, Any] | None:
    """Say who will approve the cart as it is; nothing where nobody must."""
    order = db.session.scalar(select(Order).where(Order.id == context.subject_id))
    if order is None or order.user_id is None:
        return None
    lines = lines_of(order.id)
    if not lines:
        return None
    discount = services.discount_of((x.list_price, x.unit_price, x.quantity) for x in lines)
    company = company_for(order.company_id, order.currency)
    plan = engine.evaluate(facts_of(order.net, lines, discount), str(order.user_id), company)
    return {"steps": steps(plan.requirements)} if plan.needed else None


def steps(requirements: Sequence[engine.Requirement]) -> list[str]:
    """Return a sentence for each requirement."""
    names = names_of({p for r in requirements for p in r.people})
    said = [_sentence([names.get(p, "") for p in r.people if p != engine.SELLER], r) for r in requirements]
    return list(dict.fromkeys(said))


def _sentence(names: Sequence[str], asked: engine.Requirement) -> str:
    if not names:
        return _("Your contact person at the seller, because nobody of your company may decide")
    if asked.need == len(names):
        return ", ".join(names)
    if asked.need == 1:
        return _("One of: %(names)s", names=", ".join(names))
    return _("%(count)s of: %(names)s", count=asked.need, names=", ".join(names))


def progress(context: PageContext) -> Mapping[str, Any] | None:
    """Say who decided on the order, and who is to decide."""
    approval = db.session.scalar(select(Approval).where(Approval.order_id == context.subject_id))
    if approval is None:
        return None
    one = services.pending(context.subject_code)
    waits = one.order.state == "submitted" and services.held(one.order)
    return {
        "events": events(services.decisions_of([approval.id])),
        "steps": steps(one.flow.open()) if waits else [],
        "number": context.subject_code,
        "mine": waits and services.may_decide(one.flow),
    }


def events(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return decisions as a timeline shows them."""
    said = {"approved": (_("Approved"), "check-circle"), "rejected": (_("Rejected"), "x-circle")}
    return [
        {"text": said[d.outcome][0], "icon": said[d.outcome][1], "who": d.user_name, "at": d.at, "note": d.comment}
        for d in rows
    ]


PANELS = (
    Panel("approval_preview", "storefront.checkout", "side", "approval_chain/preview.html", preview, _l("Approval")),
    Panel("approval_progress", "storefront.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
    Panel("approval_progress", "backoffice.order", "side", "approval_chain/progress.html", progress, _l("Approval")),
)
