"""Lists of cost centres: of all companies with what is left, and the ledger of a budget; and the budget's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import url_for
from sqlalchemy import Select, and_, case, select
from wtforms.validators import InputRequired

from core.api.companies import Company, User
from core.api.data import db
from core.api.hooks import Column, ListFilter
from core.api.i18n import translations
from core.api.orders import Order
from core.api.ui import ChoiceField, DayField, Empty, Field, NumberField, Resource, TukkuForm

from . import budgets, periods
from .centre_models import CostCentre
from .ledger import Standing
from .ledger_models import PERIODS, Budget, Entry
from .permissions import LIMITS

_, _l, ngettext, _p = translations(__name__)
KEY = "approval_chain.cost_centres"
NEARLY = Decimal("0.8")
KIND_TITLES = {
    "reserve": _l("Reserved"), "commit": _l("Used"), "release": _l("Released"), "restore": _l("Given back"),
}  # fmt: skip


class BudgetForm(TukkuForm):
    """How much a cost centre may spend in each period, and what becomes of an order that exceeds it."""

    period = ChoiceField(
        _l("For each"), options=[(kind, periods.TITLES[kind]) for kind in PERIODS], default="month",
        description=_l("Another period begins a new budget; the old one keeps its ledger."),
    )  # fmt: skip
    amount = NumberField(
        _l("Amount"), [InputRequired()], places=2, minimum=0,
        description=_l("A change holds from the present period on."),
    )  # fmt: skip
    mode = ChoiceField(_l("When an order exceeds it"), options=tuple(budgets.MODE_TITLES.items()), default="require")
    carry_over = ChoiceField(
        _l("What goes on to the next period"), options=tuple(budgets.CARRY_TITLES.items()), default="none"
    )
    starts = DayField(
        _l("Count orders since"), description=_l("A day of the first period; empty: the present one.")
    )  # fmt: skip


def _source(statement: Select[Any]) -> Select[Any]:
    return statement.join(Budget, Budget.id == Entry.budget_id).join(Order, Order.id == Entry.order_id)


LEDGER = Resource(
    key="approval_chain.ledger",
    title=_l("Ledger of the budget"),
    id=Entry.id,
    code="number",
    source=_source,
    fields=(
        Field("number", _l("Order"), Order.number, "code", search=True),
        Field("at", _l("When"), Entry.at, "instant"),
        Field(
            "kind", _l("What"), Entry.kind, choices=lambda: tuple(KIND_TITLES.items()), show=lambda v: KIND_TITLES.get(v, v)
        ),
        Field("period", _l("Period since"), Entry.period, "day", on_card=False),
        Field("reserved", _l("Reserved"), Entry.reserved, "money", extra="currency", total=True),
        Field("committed", _l("Used"), Entry.committed, "money", extra="currency", total=True),
        Field("currency", _l("Currency"), Budget.currency, column=False),
        Field("buyer", _l("Ordered by"), Order.user_name, search=True, on_card=False),
        Field("by", _l("Entered for"), Entry.by_name, shown=False, on_card=False),
    ),
    order="-at",
    search_label=_l("Find by order or person"),
)
EMPTY_LEDGER = Empty(
    _l("Nothing in the ledger yet"), _l("Orders on this cost centre enter it as soon as they are placed."), "receipt"
)


# ---- cost centres of all companies ----


def _with_budget(statement: Select[Any]) -> Select[Any]:
    in_force = and_(Budget.cost_centre_id == CostCentre.id, Budget.active)
    return (
        statement.join(Company, Company.id == CostCentre.company_id)
        .outerjoin(Budget, in_force)
        .outerjoin(User, User.id == CostCentre.owner_id)
    )


def _count(count: int) -> str:
    return ngettext("%(count)s cost centre", "%(count)s cost centres", count)


def _active() -> Sequence[tuple[str, object]]:
    return (("active", _l("In use")), ("inactive", _l("Switched off")))


#: A code is a company's own: rows are named by both.
PATH = Company.code + "/" + CostCentre.code


def _address(path: str) -> str:
    company, _stroke, code = path.partition("/")
    return url_for("approval_chain_admin.centre", company=company, code=code)


CENTRES_OF_ALL = Resource(
    key=KEY,
    title=_l("Cost centres and budgets"),
    id=CostCentre.id,
    code="code",
    source=_with_budget,
    fields=(
        Field("code", _l("Cost centre"), PATH, "code", show=lambda path: path.partition("/")[2], search=True),
        Field("name", _l("Name"), CostCentre.name, search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("company_code", _l("Company code"), Company.code, "code", shown=False),
        Field("owner", _l("Who answers for it"), User.name, on_card=False),
        Field(
            "state", _l("State"), case((CostCentre.active, "active"), else_="inactive"), "state", choices=_active,
            shown=False,
        ),
        Field(
            "period", _l("Budget for each"), Budget.period, on_card=False,
            choices=lambda: [(kind, periods.TITLES[kind]) for kind in PERIODS], show=lambda v: periods.TITLES.get(v, v),
        ),
        Field(
            "mode", _l("If exceeded"), Budget.mode, choices=lambda: tuple(budgets.MODE_TITLES.items()),
            show=lambda v: budgets.MODE_TITLES.get(v, v), shown=False, on_card=False,
        ),
        Field("currency", _l("Currency"), Budget.currency, column=False),
    ),
    order="code",
    link=_address,
    search_label=_l("Find by cost centre or company"),
    count=_count,
)  # fmt: skip


def _money(of: Callable[[Standing], Decimal]) -> Callable[[Sequence[int]], Mapping[int, Any]]:
    """Return the values of a column: an amount of the budgets in force, with the currency."""
    return lambda ids: {i: (of(shown.standing), shown.budget.currency) for i, shown in budgets.in_force(ids).items()}


def _standings() -> Sequence[tuple[str, object]]:
    return (
        ("none", _l("No budget")), ("fits", _l("Less than 80 % used")), ("nearly", _l("80 % used or more")),
        ("over", _l("Used up or overspent")),
    )  # fmt: skip


def _by_standing(value: str) -> Select[tuple[int]]:
    ids = select(CostCentre.id)
    if value == "none":
        return ids.where(CostCentre.id.not_in(select(Budget.cost_centre_id).where(Budget.active)))
    rows = budgets.in_force(db.session.scalars(select(Budget.cost_centre_id).where(Budget.active)))
    fits = {"fits": lambda x: x < NEARLY, "nearly": lambda x: x >= NEARLY, "over": lambda x: x >= 1}.get(value)
    return ids.where(CostCentre.id.in_([i for i, shown in rows.items() if fits and fits(budgets.used(shown))]))


COLUMNS = (
    Column("amount", KEY, _l("This period"), _money(lambda s: s.available), LIMITS, order=10, money=True),
    Column("reserved", KEY, _l("Reserved"), _money(lambda s: s.reserved), LIMITS, default=False, order=20, money=True),
    Column("used", KEY, _l("Used"), _money(lambda s: s.committed), LIMITS, default=False, order=30, money=True),
    Column("left", KEY, _l("Left"), _money(lambda s: s.left), LIMITS, order=40, money=True, on_card=True),
)
FILTERS = (ListFilter("standing", KEY, _l("Budget"), _by_standing, _standings, LIMITS, order=10),)
