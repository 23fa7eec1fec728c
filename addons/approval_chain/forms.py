"""Forms of a company's rules, limits, policy and own roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from wtforms import BooleanField, FieldList, Form, FormField, IntegerField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api.companies import ROLE_TITLES, Membership, User
from core.api.data import current_actor, db
from core.api.i18n import translations
from core.api.ui import ChoiceField, DayField, NumberField, TukkuForm

from . import facts, managers
from .permissions import CENTRE_OWNER
from .policies import OTHERWISE_TITLES, SELECTION_TITLES
from .reading import OPERATORS
from .rule_models import EFFECTS
from .sentences import group_names

_, _l, ngettext, _p = translations(__name__)
EFFECT_TITLES = dict(
    zip(EFFECTS, (_l("Somebody must approve it"), _l("It needs no approval"), _l("It is not allowed")), strict=True)
)
ROLES = ("orderer", "approver", "company_admin")
APPROVERS = ("approver", "company_admin")
#: Rows of conditions, or of steps, that a form of a rule reads.
MOST_ROWS = 50
Pairs = Sequence[tuple[str, object]]


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


#: Roles that people have for one order only.
UNNAMED = {managers.MANAGER: _l("Manager of whoever orders"), CENTRE_OWNER: _l("Owner of the cost centre")}


def deciders() -> list[tuple[str, object]]:
    """Return whom a rule may ask: roles, the company's own ones too, and people that may approve."""
    named: list[tuple[str, object]] = list(group_names().items())
    return [*roles(APPROVERS), *UNNAMED.items(), *named, *people(APPROVERS)]


def whose() -> list[tuple[str, object]]:
    """Return about whose orders a rule, and for whom a limit, may be."""
    named: list[tuple[str, object]] = list(group_names().items())
    return [*roles(), *named, *people()]


def figures(*, ours: bool = False) -> list[tuple[str, object]]:
    """Return what a condition may ask about; ``ours``: one of the seller."""
    return [(name, spec.title) for name, spec in facts.specs(ours=ours).items()]


class ConditionForm(Form):
    """One condition; a row without a figure says nothing."""

    fact = ChoiceField(_l("Figure"), empty="–", default="")
    op = ChoiceField(_l("Comparison"), options=tuple(OPERATORS.items()), default=">")
    value = StringField(_l("Value"), [Length(max=400)], render_kw={"list": "rule-values", "autocomplete": "off"})


class StepForm(Form):
    """Who decides, from which total on; a row without anybody says nothing."""

    above = NumberField(_l("Total above"), [Optional()], places=2, minimum=0)
    who = ChoiceField(_l("Who approves"), empty="–", default="")
    need = ChoiceField(
        _l("How many of them"),
        options=(("1", _l("One is enough")), ("2", _l("Two")), ("3", _l("Three")), ("0", _l("All"))),
        default="1",
    )
    tier = IntegerField(_l("Turn"), [Optional(), NumberRange(1, 20)], default=1)
    limited = BooleanField(_l("Only who may approve that much"))


class RuleForm(TukkuForm):
    """A rule: when, for whose orders, what follows, who decides from which total on, and how long it holds."""

    name = StringField(_l("Name"), [Length(max=120)], description=_l("For example “Tools above 500 €”. May stay empty."))
    effect = ChoiceField(_l("What follows"), options=tuple(EFFECT_TITLES.items()), default="require")
    conditions = FieldList(FormField(ConditionForm), min_entries=1, max_entries=MOST_ROWS)
    steps = FieldList(FormField(StepForm), min_entries=1, max_entries=MOST_ROWS)
    orderers = SelectMultipleField(_l("Orders by"), description=_l("Nobody chosen: by everybody."), default=())
    valid_from = DayField(_l("First day"), [Optional()], description=_l("Empty: at once."))
    valid_until = DayField(_l("Last day"), [Optional()], description=_l("Empty: until further notice."))
    priority = IntegerField(
        _l("Priority"), [Optional(), NumberRange(-1000, 1000)], default=0,
        description=_l("Matters where only one rule counts: the larger is looked at first."),
    )  # fmt: skip
    inherit = BooleanField(_l("Holds for subsidiaries too"), default=True)
    active = BooleanField(_l("In use"), default=True)

    def __init__(
        self,
        *args: Any,
        who: Callable[[], Pairs] = deciders,
        orderers: Callable[[], Pairs] = whose,
        ours: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ours = ours
        asked, ordering, known = who(), orderers(), figures(ours=ours)  # once, for a form has many rows
        self.orderers.choices = [(value, str(label)) for value, label in ordering]
        for row in self.conditions:
            row.form.fact.choices = [("", "–"), *((value, str(label)) for value, label in known)]
        for row in self.steps:
            row.form.who.choices = [("", "–"), *((value, str(label)) for value, label in asked)]


class LimitForm(TukkuForm):
    """What a person or a role may order alone, and approve."""

    whose = ChoiceField(_l("Who"), options=whose, default="orderer")
    order_limit = NumberField(
        _l("May order alone up to"), places=2, minimum=0, description=_l("Empty: without limit; 0: nothing.")
    )
    approve_limit = NumberField(
        _l("May approve up to"), places=2, minimum=0,
        description=_l(
            "Counts where an order exceeds a limit, is passed on, a substitute decides, or a rule asks only those who may "
            "approve that much; else whom a rule names decides on any total."
        ),
    )  # fmt: skip


class PolicyForm(TukkuForm):
    """Which of the rules that fit count, and what holds where none does."""

    selection = ChoiceField(_l("Which rules count"), options=tuple(SELECTION_TITLES.items()), default="all")
    otherwise = ChoiceField(_l("Where no rule fits"), options=tuple(OTHERWISE_TITLES.items()), default="nobody")
    fallback = ChoiceField(
        _l("Who approves then"), options=deciders, default="company_admin",
        description=_l("Only where somebody by name or role approves when no rule fits."),
    )  # fmt: skip
    allow_self = BooleanField(_l("Whoever may decide on everything that is asked goes ahead with their own order"))
    once = BooleanField(_l("One decision of a person counts for all turns"))
    all_see = BooleanField(_l("Everybody who decides sees all orders that wait"), default=True)
    references_free = BooleanField(_l("Purchase order number and message may change while an order waits"))
    voluntary = BooleanField(_l("People may ask for an approval that no rule requires"), default=True)


class GroupForm(TukkuForm):
    """A role that the company names itself."""

    name = StringField(_l("Name of the role"), [InputRequired(), Length(max=80)])
    people = SelectMultipleField(_l("Who is in it"))
    decides = BooleanField(_l("May decide on every order that waits"))
    sees = BooleanField(_l("Sees every order that waits"))
    barred = BooleanField(_l("May not order what somebody would have to approve"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people.choices = [(code.removeprefix("@"), str(name)) for code, name in people()]
