"""Forms of a company's rules and limits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from core.api.companies import ROLE_TITLES, Membership, User
from core.api.data import current_actor, db
from core.api.i18n import translations
from core.api.ui import ChoiceField, NumberField, TukkuForm

from .models import EFFECTS

_, _l, ngettext, _p = translations(__name__)
EFFECT_TITLES = dict(
    zip(EFFECTS, (_l("Somebody must approve it"), _l("Nobody need approve it"), _l("It is not allowed")), strict=True)
)
FACT_TITLES = {
    "total": _l("Total without tax"),
    "lines": _l("Number of lines"),
    "products": _l("Number of different products"),
    "discount": _l("Percent below list price"),
}
ROLES = ("orderer", "approver", "company_admin")
APPROVERS = ("approver", "company_admin")


def roles(names: Iterable[str] = ROLES) -> list[tuple[str, object]]:
    """Return roles as choices."""
    return [(name, ROLE_TITLES[name]) for name in names]


def people(names: Iterable[str] = ROLES) -> list[tuple[str, object]]:
    """Return the company's active people with one of the roles, by their public code."""
    query = (
        select(User.code, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == current_actor().company_id, Membership.role.in_(list(names)), User.active)
        .distinct()
        .order_by(User.name)
    )
    return [(f"@{code}", name) for code, name in db.session.execute(query)]


def deciders() -> list[tuple[str, object]]:
    """Return whom a rule may name: roles and people that may approve."""
    return [*roles(APPROVERS), *people(APPROVERS)]


def whose() -> list[tuple[str, object]]:
    """Return whom a limit may be for."""
    return [*roles(), *people()]


class RuleForm(TukkuForm):
    """A new rule, read as a sentence: when, for whom, what follows, who decides."""

    fact = ChoiceField(_l("When this"), options=tuple(FACT_TITLES.items()), default="total")
    above = NumberField(_l("is above"), [InputRequired()], places=2, minimum=0, description=_l("0: every order."))
    for_role = ChoiceField(_l("of an order by"), options=roles, empty=_l("Everybody"), default="")
    effect = ChoiceField(_l("then"), options=tuple(EFFECT_TITLES.items()), default="require")
    approver = ChoiceField(_l("Who approves"), options=deciders, default="approver")
    need = ChoiceField(
        _l("How many of them"), options=(("1", _l("One is enough")), ("2", _l("Two")), ("0", _l("All"))), default="1"
    )
    tier = IntegerField(
        _l("Turn"), [InputRequired(), NumberRange(1, 20)], default=1, description=_l("A lower turn decides first.")
    )


class LimitForm(TukkuForm):
    """What a person or a role may order alone, and approve."""

    whose = ChoiceField(_l("Who"), options=whose, default="orderer")
    order_limit = NumberField(
        _l("May order alone up to"), places=2, minimum=0, description=_l("Without tax. Empty: without limit; 0: nothing.")
    )
    approve_limit = NumberField(_l("May approve up to"), places=2, minimum=0)
