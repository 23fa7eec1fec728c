"""What waits for a person, what they ordered, and what they decided: counts, tabs, and the lists behind them.

Who may decide on an order follows from the people and rules of now, so everything that waits is looked at once a request
(constant statements); filters, search, sorting, pages and exports are then the list kit's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, has_request_context, url_for
from sqlalchemy import ColumnElement, Select, case, func, or_, select

from core.api.companies import Company
from core.api.data import clock, current_actor, db
from core.api.hooks import Column, ListFilter
from core.api.i18n import translations
from core.api.orders import Order
from core.api.pricing import SEE_PRICES
from core.api.ui import Field, Resource

from . import centre_panels, policies, reasons, services
from .centre_models import LineCentre
from .flow import Flow
from .loading import names_of
from .models import Approval, Decision
from .permissions import DECIDE
from .services import Pending

_, _l, ngettext, _p = translations(__name__)
KEY, PAST_KEY = "approval_chain.waiting", "approval_chain.decisions"
WITHOUT_TAX = Order.net + Order.charges_net
OUTCOME_TITLES = {"approved": _l("Approved"), "rejected": _l("Rejected"), "returned": _l("Sent back")}


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits, as the reader stands to it: asked themselves, in somebody's place, or able to decide all the same."""

    one: Pending
    mine: bool
    instead: bool
    able: bool


def standing() -> list[Standing]:
    """Return everything that waits and that the actor sees, oldest first; looked up once in a request."""
    if not has_request_context():
        return _standing()
    if "approval_standing" not in g:
        g.approval_standing = _standing()
    return list(g.approval_standing)


def forget() -> None:
    """Look at it anew: something was decided."""
    g.pop("approval_standing", None)


def _standing() -> list[Standing]:
    me = str(current_actor().on_behalf_of or current_actor().user_id)
    found, known = [], dict[tuple[int, str], tuple[bool, bool, bool]]()
    for one in services.waiting():
        flow = one.flow
        untouched = not (flow.decisions or flow.substitutes or flow.seniors)
        key = (id(flow.plan), flow.requester)  # orders that stand alike have the same plan, and nothing else decides then
        stands = known.get(key) if untouched else None
        if stands is None:
            stands = _stands(flow, me)
            if untouched:
                known[key] = stands
        found.append(Standing(one, *stands))
    return found


def _stands(flow: Flow, me: str) -> tuple[bool, bool, bool]:
    """Return whether a person is asked themselves, in somebody's place, and able to decide at all."""
    people = flow.eligible()
    asked = me in people
    instead = asked and flow.place_of(me) != me
    return asked and not instead, instead, asked or (bool(people) and me in flow.overseers)


@dataclass(frozen=True, slots=True)
class Tab:
    """A list of the inbox: its name, how many it holds (None: not counted), and which rows they are."""

    key: str
    label: object
    count: int | None
    where: tuple[ColumnElement[bool], ...] = ()
    deciding: bool = False


def tabs() -> dict[str, Tab]:
    """Return the lists that the actor has, by key, in the order in which they stand."""
    actor = current_actor()
    me = actor.on_behalf_of or actor.user_id
    ordered = services.ordered_by(me)
    count = select(func.count()).select_from(Approval).join(Order, Order.id == Approval.order_id).where(*ordered)
    mine = Tab("ordered", _("Ordered by me"), db.session.scalar(count) or 0, ordered)
    if not actor.may(DECIDE):
        return {mine.key: mine}
    every, all_seen, now = standing(), policies.sees_all(), clock.now()
    found = [
        _tab("mine", _("For me"), every, lambda s: s.mine),
        _tab("instead", _("In somebody's place"), every, lambda s: s.instead),
        _tab("overdue", _("Overdue"), every, lambda s: (all_seen or s.able) and is_late(s.one.approval, now)),
        *([_tab("all", _("In the company"), every, lambda _s: True)] if all_seen else []),
    ]
    return {tab.key: tab for tab in (*found, mine, Tab("past", _("Decided by me"), None))}


def _tab(key: str, label: object, every: Sequence[Standing], holds: Callable[[Standing], bool]) -> Tab:
    """Return the tab of those that hold. The database is told which, or which of all that wait do not: the fewer."""
    ids: list[int] = []
    others: list[int] = []
    for s in every:
        (ids if holds(s) else others).append(s.one.approval.id)
    if len(ids) <= len(others):
        return Tab(key, label, len(ids), (Approval.id.in_(ids),), deciding=True)
    known = Approval.id <= every[-1].one.approval.id  # what was placed since was not looked at
    return Tab(key, label, len(ids), (*services.waits(), known, Approval.id.not_in(others)), deciding=True)


def links(found: Mapping[str, Tab], current: str) -> list[dict[str, Any]]:
    """Return the tabs as links with their counts; one that is empty and of little use to most people is left out."""
    return [
        {"label": tab.label, "url": address(tab.key), "current": tab.key == current, "count": tab.count}
        for tab in found.values()
        if tab.count or tab.key == current or tab.key not in ("instead", "overdue")
    ]


def address(key: str) -> str:
    """Return where a list of the inbox stands."""
    return url_for("approval_chain.inbox_page", tab=key)


def is_late(approval: Approval, now: Any) -> bool:
    """Tell whether those who decide were reminded, or should have been, or it was passed on."""
    return (
        approval.reminded > 0
        or approval.escalated
        or any(at is not None and at <= now for at in (approval.remind_at, approval.expires_at))
    )


def badge() -> int | None:
    """Return how many orders wait for the actor; None for none.

    Where the page looked at everything that waits, of what stands now; else of who was asked when it was placed, in one
    statement.
    """
    actor = current_actor()
    if not actor.may(DECIDE) or actor.user_id is None:
        return None
    if has_request_context() and "approval_standing" in g:
        return sum(s.mine for s in standing()) or None
    said = select(Decision.id).where(
        Decision.approval_id == Approval.id, Decision.round == Approval.round, Decision.user_id == actor.user_id
    )
    query = select(Approval.plan, Approval.tier).join(Order, Order.id == Approval.order_id)
    rows = db.session.execute(query.where(Approval.state == "waiting", Order.state == "submitted", ~said.exists()))
    asked = (any(r["tier"] == tier and str(actor.user_id) in r["people"] for r in plan) for plan, tier in rows)
    return sum(asked) or None


# ---- what waits, as a list ----


def _late() -> ColumnElement[bool]:
    now = clock.now()
    return or_(Approval.reminded > 0, Approval.escalated, Approval.remind_at <= now, Approval.expires_at <= now)


def _states() -> Sequence[tuple[str, object]]:
    return (("waiting", _l("Waiting")), ("overdue", _l("Overdue")), ("returned", _l("Sent back")))


def _count(count: int) -> str:
    return ngettext("%(count)s order", "%(count)s orders", count)


def waiting_list(tab: Tab) -> Resource:
    """Return the list of a tab."""
    state = case((Approval.state == "returned", "returned"), (_late(), "overdue"), else_="waiting")
    several = len(current_actor().scope.subtree) > 1
    return Resource(
        key=KEY,
        title=_l("Orders that wait for a decision"),
        id=Approval.id,
        code="number",
        order="submitted",
        endpoint="approval_chain.mine" if tab.key == "ordered" else "approval_chain.decision",
        source=_with_order,
        where=lambda: tab.where,
        search_label=_l("Order, person or purchase order number"),
        count=_count,
        fields=(
            Field("number", _l("Order"), Order.number, "code", search=True),
            Field("buyer", _l("Ordered by"), Order.user_name, search=True),
            Field("company", _l("Company"), Company.name, search=True, shown=several, on_card=False),
            Field("submitted", _l("Ordered"), Order.submitted_at, "instant"),
            Field("due", _l("Decide by"), Approval.expires_at, "instant"),
            Field("state", _l("State"), state, "state", choices=_states),
            Field("po_number", _l("Purchase order number"), Order.po_number, search=True, shown=False),
            Field("net", _l("Without tax"), WITHOUT_TAX, "money", "currency", total=True, permission=SEE_PRICES),
            Field("gross", _l("With tax"), Order.gross, "money", "currency", total=True, shown=False, permission=SEE_PRICES),
            Field("currency", _l("Currency"), Order.currency, column=False),
        ),
    )  # fmt: skip


def _with_order(statement: Select[Any]) -> Select[Any]:
    return statement.join(Order, Order.id == Approval.order_id).join(Company, Company.id == Order.company_id)


def _said(tell: Callable[[Sequence[Standing]], Mapping[int, str]]) -> Callable[[Sequence[int]], Mapping[int, str]]:
    """Return a column's values: what ``tell`` says of the rows among ``ids`` that wait."""

    def values(ids: Sequence[int]) -> Mapping[int, str]:
        wanted = set(ids)
        return tell([s for s in standing() if s.one.approval.id in wanted])

    return values


def _whys(rows: Sequence[Standing]) -> Mapping[int, str]:
    said = reasons.why([s.one.flow for s in rows])
    return {s.one.approval.id: why for s, why in zip(rows, said, strict=True)}


def _asked(rows: Sequence[Standing]) -> Mapping[int, str]:
    asked = {s.one.approval.id: [p for r in s.one.flow.open() for p in r.people] for s in rows}
    names = names_of({p for people in asked.values() for p in people})
    seller = _("the seller")
    return {key: ", ".join(dict.fromkeys(names.get(p, seller) for p in people)) for key, people in asked.items()}


def _centres(ids: Sequence[int]) -> Mapping[int, str]:
    rows = db.session.execute(select(Approval.order_id, Approval.id).where(Approval.id.in_(ids)))
    orders = {row.order_id: row.id for row in rows}
    return {orders[order_id]: codes for order_id, codes in centre_panels.codes_of(list(orders)).items()}


def _by_rule(rule: str) -> Select[tuple[int]]:
    wanted = "" if rule == "limit" else rule
    ids = [s.one.approval.id for s in standing() if any(r.rule == wanted for r in s.one.flow.plan.requirements)]
    return select(Approval.id).where(Approval.id.in_(ids))


def _rules() -> Sequence[tuple[str, object]]:
    """Return the reasons for which orders wait now."""
    said = reasons.short(r.rule for s in standing() for r in s.one.flow.plan.requirements)
    return sorted(((rule or "limit", text) for rule, text in said.items()), key=lambda pair: pair[1])


def _by_centre(code: str) -> Select[tuple[int]]:
    return select(Approval.id).where(
        Approval.order_id.in_(select(LineCentre.order_id).where(LineCentre.code == code))
    )  # fmt: skip


def _centre_choices() -> Sequence[tuple[str, object]]:
    """Return the cost centres of the orders that wait."""
    waits = select(Approval.order_id).where(Approval.state.in_(("waiting", "returned")))
    query = select(LineCentre.code, func.min(LineCentre.name)).where(LineCentre.order_id.in_(waits))
    rows = db.session.execute(query.group_by(LineCentre.code).order_by(LineCentre.code))
    return [(code, f"{code} · {name}") for code, name in rows]


COLUMNS = (
    Column("why", KEY, _l("Why"), _said(_whys), order=10),
    Column("asked", KEY, _l("Who is asked"), _said(_asked), default=False, order=20),
    Column("cost_centre", KEY, _l("Cost centre"), _centres, default=False, order=30),
)
FILTERS = (
    ListFilter("why", KEY, _l("Why"), _by_rule, _rules, order=10),
    ListFilter("cost_centre", KEY, _l("Cost centre"), _by_centre, _centre_choices, order=20),
)


# ---- what was decided, as a list ----


def _own() -> Iterable[Any]:
    actor = current_actor()
    return (Decision.user_id == (actor.on_behalf_of or actor.user_id),)


def _with_decided(statement: Select[Any]) -> Select[Any]:
    return _with_order(statement.join(Approval, Approval.id == Decision.approval_id))


PAST = Resource(
    key=PAST_KEY,
    title=_l("Decided by me"),
    id=Decision.id,
    code="number",
    order="-at",
    endpoint="approval_chain.decision",
    source=_with_decided,
    where=_own,
    search_label=_l("Order, person or purchase order number"),
    fields=(
        Field("number", _l("Order"), Order.number, "code", search=True),
        Field("buyer", _l("Ordered by"), Order.user_name, search=True),
        Field("company", _l("Company"), Company.name, search=True, shown=False),
        Field("outcome", _l("Decision"), Decision.outcome, "state", choices=lambda: tuple(OUTCOME_TITLES.items())),
        Field("comment", _l("Comment"), Decision.comment, shown=False, sort=False),
        Field("for", _l("In place of"), Decision.for_name, shown=False),
        Field("at", _l("When"), Decision.at, "instant"),
        Field("order_state", _l("State of the order"), Order.state, "state", filter=False, sort=False, on_card=False),
        Field("po_number", _l("Purchase order number"), Order.po_number, search=True, shown=False),
        Field("net", _l("Without tax"), WITHOUT_TAX, "money", "currency", total=True, permission=SEE_PRICES),
        Field("currency", _l("Currency"), Order.currency, column=False),
    ),
)
