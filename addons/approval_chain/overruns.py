"""Orders that exceed a budget: what rules may ask, whom it asks for approval, and what the checkout says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from core.api.companies import User, seller
from core.api.data import db, once, today
from core.api.hooks import Finding, OrderDraft
from core.api.i18n import translations
from core.api.pricing import rate, round_money
from core.api.ui import money_text

from . import allocation, amounts, cost_centres, engine, ledger, periods
from .ledger_models import Budget, Entry
from .permissions import CENTRE_OWNER

_, _l, ngettext, _p = translations(__name__)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Overrun:
    """A part of an order that is more than is left of a budget; amounts in the budget's currency."""

    centre: allocation.Centre
    owner_id: int | None
    budget: Budget
    share: Decimal
    left: Decimal
    available: Decimal
    #: What the order has reserved of it already.
    own: Decimal

    @property
    def over(self) -> Decimal:
        """By how much."""
        return self.share - max(self.left, ZERO)


@dataclass(frozen=True, slots=True)
class Found:
    """The cost centres of an order with their owners, and the budgets that it exceeds."""

    centres: tuple[allocation.Centre, ...] = ()
    owners: frozenset[int] = frozenset()
    overruns: tuple[Overrun, ...] = ()


def of_drafts(drafts: Sequence[OrderDraft]) -> list[Found]:
    """Return for each cart or order which budgets it exceeds; statements do not grow with the drafts or their lines.

    An order that is entered already is compared with what came before it: later orders take nothing from it.
    """
    asked = tuple(
        (
            x.order_id,
            x.currency,
            x.charges_net,
            x.gross,
            x.extra.get(allocation.THOUGHT),
            tuple((y.id, y.net) for y in x.lines),
        )
        for x in drafts
    )
    return once(("approval_chain.overruns", asked), lambda: _of_drafts(drafts))


def _of_drafts(drafts: Sequence[OrderDraft]) -> list[Found]:
    if not any(allocation.on_lines(drafts)):
        return [Found() for _draft in drafts]
    borne = allocation.of_drafts(drafts)
    centre_ids = {centre.id for shares in borne for centre in shares}
    if not centre_ids:
        return [Found() for _draft in drafts]
    owners = cost_centres.owner_ids(centre_ids)
    book = ledger.in_force(centre_ids)
    budgets = {b.cost_centre_id: b for b in book.budgets.values()}
    room = _Room(book, [draft.order_id for draft in drafts])
    return [
        Found(
            tuple(shares),
            frozenset(owner for c in shares if (owner := owners.get(c.id))),
            tuple(
                found
                for centre, amount in shares.items()
                if (budget := budgets.get(centre.id))
                and (found := room.overrun(draft, centre, owners.get(centre.id), budget, amount))
            ),
        )
        for draft, shares in zip(drafts, borne, strict=True)
    ]


class _Room:
    """What is left of budgets for an order: without itself, and without what came after it."""

    def __init__(self, book: ledger.Book, order_ids: Sequence[int]) -> None:
        self.book = book
        ids, orders = tuple(book.budgets), tuple(sorted(set(order_ids)))
        mine = (
            once(("approval_chain.own", ids, orders), lambda: ledger.taken(ids, Entry.order_id.in_(orders))) if ids else {}
        )
        self.own = {(budget_id, row.order_id): row for budget_id, rows in mine.items() for row in rows}
        since = min((row.period for row in self.own.values()), default=None)
        self.taken = ledger.taken(ids, Entry.period >= since) if since else {}

    def overrun(
        self, draft: OrderDraft, centre: allocation.Centre, owner_id: int | None, budget: Budget, amount: Decimal
    ) -> Overrun | None:
        """Return by how much the draft exceeds the budget, None where it fits."""
        if draft.currency != budget.currency:
            amount = round_money(amount * rate(draft.currency, budget.currency, today(seller().zone)), budget.currency)
        mine = self.own.get((budget.id, draft.order_id))
        period = self.book.period(budget, mine.period if mine else None)
        if period.first < budget.starts:
            return None
        standing = self.book.standing(budget, period)
        left, own = standing.left, ZERO
        if mine:
            own = mine.amount
            later = (x for x in self.taken[budget.id] if x.first > mine.first and period.first <= x.period < period.after)
            left += own + sum((x.amount for x in later), ZERO)
        return Overrun(centre, owner_id, budget, amount, left, standing.available, own) if amount > left else None


def findings(draft: OrderDraft) -> Sequence[Finding]:
    """Say which budgets a cart or order exceeds, and what becomes of it; a checkout rule.

    An order that takes no more than it has reserved is not refused: its budget was made smaller meanwhile.
    """
    found = of_drafts([draft])[0].overruns
    names = _names([x.owner_id for x in found])
    return [_finding(x, names.get(x.owner_id or 0, "")) for x in found if x.share > x.own]


def sentences(draft: OrderDraft) -> list[str]:
    """Return what the order exceeds, for who decides on it."""
    return [_sentence(x) for x in of_drafts([draft])[0].overruns]


def _sentence(x: Overrun) -> str:
    if not amounts.shown():
        centre, period = f"{x.centre.code} · {x.centre.name}", str(periods.THIS[x.budget.period])
        return _("Budget of %(centre)s: the order takes more than is left %(period)s.", centre=centre, period=period)
    values = {
        "centre": f"{x.centre.code} · {x.centre.name}",
        "share": money_text(x.share, x.budget.currency),
        "left": money_text(max(x.left, ZERO), x.budget.currency),
        "amount": money_text(x.available, x.budget.currency),
        "period": str(periods.THIS[x.budget.period]),
    }
    return _("Budget of %(centre)s: the order takes %(share)s, and %(left)s of %(amount)s are left %(period)s.", **values)


def _finding(x: Overrun, owner: str) -> Finding:
    what = _sentence(x)
    match x.budget.mode:
        case "block":
            text = _("%(what)s Order less, or put it on another cost centre.", what=what)
            return Finding("BUDGET-EXCEEDED", "block", text)
        case "warn":
            return Finding("BUDGET-EXCEEDED", "warning", what)
    who = owner or _("an administrator of the company")
    return Finding("BUDGET-APPROVAL", "info", _("%(what)s It waits for the approval of %(who)s.", what=what, who=who))


def _names(ids: Sequence[int | None]) -> Mapping[int, str]:
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_([i for i in ids if i])))
    return {row.id: row.name for row in rows}


def with_budgets(company: engine.Company, found: Found) -> engine.Company:
    """Return the company as it is for an order: owners of its cost centres have their role, overrun budgets ask them."""
    if not found.centres:
        return company
    owners = {str(i) for i in found.owners}
    people = tuple(replace(p, roles=p.roles | {CENTRE_OWNER}) if p.id in owners else p for p in company.people)
    demands = tuple(
        (f"budget:{x.centre.code}", engine.Tier(people=(str(x.owner_id),) if x.owner_id else ()))
        for x in found.overruns
        if x.budget.mode == "require"
    )
    return replace(company, people=people, demands=demands)


def total_over(draft: OrderDraft, found: Found) -> Decimal | None:
    """Return by how much an order exceeds its budgets, in its own currency; 0 where it fits, None where it has none."""
    if not found.centres:
        return None
    day = today(seller().zone)
    return sum(
        (x.over if x.budget.currency == draft.currency else x.over * rate(x.budget.currency, draft.currency, day))
        for x in found.overruns
    ) or ZERO  # fmt: skip
