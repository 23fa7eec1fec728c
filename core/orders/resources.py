"""The lists of orders: the buyer's history and the desk of the staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, func, select

from core.companies.models import Company
from core.i18n import _l, ngettext
from core.orders.models import Hold, Order, OrderLine
from core.pricing.services import VIEW as SEE
from core.ui.resource import Field, Resource, View
from core.ui.states import state_of

PLACED = ("submitted", "confirmed", "completed", "cancelled", "rejected")


def states() -> Sequence[tuple[str, object]]:
    """Return the states of placed orders with their words."""
    return [(state, state_of(state).label) for state in PLACED]


def _yes_no() -> Sequence[tuple[str, object]]:
    return [("held", _l("On hold")), ("free", _l("Not on hold"))]


def _accounts() -> Sequence[tuple[str, object]]:
    return [("own", _l("With account")), ("none", _l("Without account"))]


def _count(count: int) -> str:
    return ngettext("%(num)s order", "%(num)s orders", count, num=count)


def _with_company(statement: Select[Any]) -> Select[Any]:
    return statement.join(Company, Company.id == Order.company_id)


#: The articles of an order in one text, so that a search finds orders by what is on them.
_articles = (
    select(func.aggregate_strings(OrderLine.sku + " " + OrderLine.name, " "))
    .where(OrderLine.order_id == Order.id)
    .correlate(Order)
    .scalar_subquery()
)
_open_holds = (
    select(func.count(Hold.id))
    .where(Hold.order_id == Order.id, Hold.released_at.is_(None))
    .correlate(Order)
    .scalar_subquery()
)
_account = case((Order.guest_key.is_not(None), "none"), else_="own")
_held = case((_open_holds > 0, "held"), else_="free")
_MONEY = (
    Field("net", _l("Articles without tax"), Order.net, "money", "currency", total=True, permission=SEE),
    Field(
        "charges", _l("Freight and charges"), Order.charges_net, "money", "currency", total=True, shown=False, permission=SEE
    ),
    Field("gross", _l("With tax"), Order.gross, "money", "currency", total=True, shown=False, permission=SEE),
    Field("currency", _l("Currency"), Order.currency, column=False),
)

HISTORY = Resource(
    key="orders.history",
    title=_l("Orders"),
    id=Order.id,
    code="number",
    order="-submitted",
    endpoint="orders.order",
    source=_with_company,
    where=lambda: [Order.state.in_(PLACED)],
    search_label=_l("Find by number or article"),
    count=_count,
    fields=(
        Field("number", _l("Order"), Order.number, "code", search=True),
        Field("submitted", _l("Ordered"), Order.submitted_at, "instant"),
        Field("state", _l("State"), Order.state, "state", choices=states),
        Field("po_number", _l("Your number"), Order.po_number, "text", search=True),
        Field("buyer", _l("Ordered by"), Order.user_name),
        Field("company", _l("Company"), Company.name, shown=False),
        *_MONEY,
        Field("articles", _l("Articles"), _articles, search=True, column=False, sort=False, filter=False),
    ),
    views=(
        View("all", _l("All")),
        View("open", _l("Open"), {"state": "submitted,confirmed"}),
        View("completed", _l("Completed"), {"state": "completed"}),
        View("cancelled", _l("Cancelled"), {"state": "cancelled,rejected"}),
    ),
)

DESK = Resource(
    key="orders.orders",
    title=_l("Orders"),
    id=Order.id,
    code="number",
    order="-submitted",
    endpoint="orders_admin.order",
    source=_with_company,
    where=lambda: [Order.state.in_(PLACED)],
    search_label=_l("Find by number, company or their number"),
    count=_count,
    fields=(
        Field("number", _l("Order"), Order.number, "code", search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("company_code", _l("Company code"), Company.code, "code", search=True, shown=False),
        Field("state", _l("State"), Order.state, "state", choices=states),
        Field("hold", _l("Hold"), _held, choices=_yes_no, shown=False, sort=False),
        Field("submitted", _l("Ordered"), Order.submitted_at, "instant"),
        Field("wished", _l("Wished delivery"), Order.wished_date, "day", shown=False),
        Field("po_number", _l("Their number"), Order.po_number, search=True),
        Field("buyer", _l("Ordered by"), Order.user_name, shown=False),
        Field("account", _l("Account"), _account, choices=_accounts, shown=False, sort=False),
        Field("email", _l("E-mail without account"), Order.guest_email, search=True, shown=False),
        Field("placed_by", _l("Entered by"), Order.placed_by_name, shown=False),
        *_MONEY,
    ),
    views=(
        View("all", _l("All")),
        View("confirm", _l("To confirm"), {"state": "submitted"}),
        View("held", _l("On hold"), {"hold": "held", "state": "submitted,confirmed"}),
        View("ship", _l("To ship"), {"state": "confirmed"}),
        View("guests", _l("Without account"), {"account": "none"}),
    ),
)
