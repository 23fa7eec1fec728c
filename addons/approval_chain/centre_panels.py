"""Cost centres where orders are shown: panels, the order confirmation, and the list of orders with its export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import url_for
from sqlalchemy import select

from core.api.data import current_actor, db
from core.api.hooks import (
    CheckoutRule,
    Column,
    DocumentRequest,
    DocumentSection,
    Finding,
    OrderDraft,
    PageContext,
    Panel,
    Stage,
)
from core.api.i18n import translations
from core.api.orders import Order, lines_of, stored_draft
from core.api.settings import get
from core.api.ui import money_text

from . import allocation, amounts, basis, budgets, cost_centres, overruns, periods
from .centre_models import CostCentre, LineCentre
from .permissions import CENTRES, CENTRES_VIEW, LIMITS

_, _l, ngettext, _p = translations(__name__)


def of_cart(context: PageContext) -> Mapping[str, Any] | None:
    """Return what each cost centre bears of the cart; nothing for companies without cost centres."""
    order = db.session.get(Order, context.subject_id or 0)
    if order is None or not allocation.active({order.company_id}):
        return None
    found = _rows(order)
    standing = budgets.in_force(row["id"] for row in found["rows"])
    for row in found["rows"]:
        row["left"] = _left(standing[row["id"]]) if row["id"] in standing and amounts.shown() else ""
    return {**found, "priced": amounts.shown(), "split_url": url_for("approval_chain.cart_centres")}


def _left(shown: budgets.Shown) -> str:
    currency = shown.budget.currency
    return _(
        "%(left)s of %(amount)s left %(period)s",
        left=money_text(max(shown.standing.left, Decimal(0)), currency),
        amount=money_text(shown.standing.available, currency),
        period=str(periods.THIS[shown.budget.period]),
    )


def at_a_glance(_context: PageContext) -> Mapping[str, Any] | None:
    """Return how the budgets stand for which the reader answers, or all of them for who keeps them; five at most."""
    actor = current_actor()
    query = select(CostCentre).where(CostCentre.company_id == actor.company_id, CostCentre.active)
    if not actor.may(CENTRES):
        query = query.where(CostCentre.owner_id == actor.user_id)
    centres = list(db.session.scalars(query.order_by(CostCentre.code)))
    standing = budgets.in_force(centre.id for centre in centres)
    rows = [(centre, standing[centre.id]) for centre in centres if centre.id in standing]
    fullest = sorted(rows, key=lambda row: row[1].standing.left / (row[1].standing.available or 1))[:5]
    return {"rows": fullest} if fullest else None


def of_order(context: PageContext) -> Mapping[str, Any] | None:
    """Return what each cost centre bears of a placed order, nothing where it is on none; amounts for who may see prices."""
    order = db.session.scalars(select(Order).where(Order.id == context.subject_id)).one()
    found = _rows(order)
    return {**found, "priced": amounts.shown()} if found["rows"] else None


def of_decision(order: Order) -> Mapping[str, Any]:
    """Return what each cost centre bears, and which budgets the order exceeds, for who decides on it."""
    return {**_rows(order), "over": overruns.sentences(stored_draft(order, lines_of(order.id)))}


def of_company(context: PageContext) -> Mapping[str, Any] | None:
    """Return the cost centres of the company that staff look at with their budgets; nothing where it has none."""
    centres = cost_centres.every(context.subject_id or 0)
    standing = budgets.in_force(centre.id for centre, _owner in centres)
    rows = [(c, owner, standing.get(c.id)) for c, owner in centres]
    return {"rows": rows, "company": context.subject_code} if centres else None


def _rows(order: Order) -> dict[str, Any]:
    borne = allocation.borne_by([order.id])[order.id]
    rows = [{"id": c.id, "code": c.code, "name": c.name, "amount": amount} for c, amount in borne.items()]
    return {"rows": rows, "currency": order.currency, "split_url": "", "counted": basis.counted(order.company_id)}


def sections(request: DocumentRequest) -> Iterable[DocumentSection]:
    """Say on the confirmation what each cost centre bears."""
    borne = allocation.borne_by([request.order_id])[request.order_id]
    if borne:
        rows = [(f"{c.code} · {c.name}", money_text(amount, request.currency)) for c, amount in borne.items()]
        yield DocumentSection(_("Cost centres"), basis.counted(request.company_id), rows, 60)


def codes_of(order_ids: Sequence[int]) -> Mapping[int, str]:
    """Return the codes of the cost centres of orders, for lists and their exports."""
    query = select(LineCentre.order_id, LineCentre.code).where(LineCentre.order_id.in_(list(order_ids))).distinct()
    found: dict[int, list[str]] = {}
    for order_id, code in db.session.execute(query.order_by(LineCentre.code)):
        found.setdefault(order_id, []).append(code)
    return {order_id: ", ".join(codes) for order_id, codes in found.items()}


def missing(draft: OrderDraft) -> Sequence[Finding]:
    """Stop an order with lines on no cost centre, where the company wants one on all of them."""
    if not get("approval_chain", "cost_centre_required", company=draft.company_id):
        return ()
    if not db.session.scalar(
        select(CostCentre.id).where(CostCentre.company_id == draft.company_id, CostCentre.active).limit(1)
    ):
        return ()
    found = allocation.of_orders([draft.order_id])[draft.order_id]
    lines = tuple(line.key for line in draft.lines if line.id not in found)
    text = _("Choose a cost centre: your company wants one on every line.")
    return (Finding("COST-CENTRE-MISSING", "block", text, lines),) if lines else ()


def _panel(page: str, load: Any) -> Panel:
    return Panel("cost_centres", page, "side", "approval_chain/order_centres.html", load, _l("Cost centres"), order=60)


PANELS = (
    Panel(
        "cost_centres", "backoffice.company", "main", "approval_chain/company_centres.html", of_company, _l("Cost centres"),
        LIMITS, 65,
    ),
    Panel(
        "budgets", "storefront.home", "side", "approval_chain/budgets_home.html", at_a_glance, _l("Budgets"), CENTRES_VIEW,
        16,
    ),
    _panel("storefront.cart", of_cart), _panel("storefront.checkout", of_cart),
    _panel("storefront.order", of_order), _panel("backoffice.order", of_order),
)  # fmt: skip
COLUMN = Column("cost_centre", "orders.orders", _l("Cost centre"), codes_of, default=False)
RULE = CheckoutRule("cost_centre_chosen", Stage.SUBMIT, missing, order=85)
