"""Why an order is not allowed or must be approved, for the list of findings at the checkout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from core.api.data import db, once, unscoped
from core.api.hooks import Finding, OrderDraft
from core.api.i18n import current_locale, translations
from core.api.ui import money_text

from . import amounts, engine, limits, services, spending
from .flow import Flow
from .models import Rule
from .parts import ASKED, BARRED
from .sentences import names_for, reason_of
from .spending import Asked
from .turns import each

_, _l, ngettext, _p = translations(__name__)
BUDGET = "budget:"
_REASON = "a rule of a parent company may be why an order of a subsidiary waits"


def findings(draft: OrderDraft) -> Sequence[Finding]:
    """Say that the order is not allowed, or for each reason who must approve it; a checkout rule.

    What a budget asks for is said with the budget.
    """
    if draft.user_id is None or not draft.lines:
        return ()
    asked = Asked(draft.user_id, draft.company_id, draft.order_id)
    tried = services.Trial(draft, asked).of([draft])[0]
    company, figures, plan = tried.company, tried.figures, tried.plan
    if plan.denied_by:
        why = short([plan.denied_by])[plan.denied_by]
        text = _("Your company does not allow this order: %(why)s. Ask your company's administrator.", why=why)
        return (Finding("APPROVAL-DENIED", "block", text),)
    if plan.needed and BARRED in company.person(str(draft.user_id)).roles:
        text = _("This order needs an approval, and your company does not let you ask for one. Order less.")
        return (Finding("APPROVAL-BARRED", "block", text),)
    told = [r for r in plan.requirements if not r.rule.startswith(BUDGET)]
    if not told:
        return ()
    rules = _rules([r.rule for r in told])
    limit = ""
    if any(not r.rule for r in told):
        limit = _limit(draft.currency, figures[engine.TOTAL], company.person(str(draft.user_id)), asked)
    found = []
    for requirement, who in zip(told, each(told), strict=True):
        why = (rules.get(requirement.rule) or _otherwise(requirement.rule)) if requirement.rule else limit
        found.append(Finding("APPROVAL-NEEDED", "info", _("%(why)s Approval by: %(who)s.", why=why, who=who)))
    return found


def _otherwise(asking: str) -> str:
    return _("You ask for it.") if asking == ASKED else _("No rule fits this order.")


def _limit(currency: str, total: Decimal, person: engine.Person, asked: Asked) -> str:
    """Return which limit of the person the order exceeds."""
    if not amounts.shown():
        return _("It is above your limit.")
    if person.order_limit is not None and total > person.order_limit:
        return _("You order alone up to %(amount)s.", amount=money_text(person.order_limit, currency))
    return _("Your limit: %(left)s.", left=limits.sentence(spending.left_of(asked)))


def short(asking: Iterable[str]) -> dict[str, str]:
    """Return in a few words why orders wait, by what asks for it as a plan names it: a rule, a limit, a budget."""
    wanted = set(asking)
    rules = _rules(wanted)
    return {
        one: rules[one].rstrip(".")
        if one in rules
        else _("Budget of %(code)s exceeded", code=one.removeprefix(BUDGET))
        if one.startswith(BUDGET)
        else _("Asked for by who ordered")
        if one == ASKED
        else _("No rule fits")
        if one == engine.NO_RULE
        else _("A rule that is gone")
        if one
        else _("Above the limit of the person who ordered")
        for one in wanted
    }


@dataclass(frozen=True, slots=True)
class Turn:
    """Who decides in a turn, as a sentence, and why."""

    number: int
    who: str
    why: str


def turns(requirements: Sequence[engine.Requirement]) -> list[Turn]:
    """Return who decides in each turn and why; the same people in a turn are named once with all their reasons."""
    said, found = short(r.rule for r in requirements), dict[tuple[int, str], list[str]]()
    for asked, who in zip(requirements, each(requirements), strict=True):
        found.setdefault((asked.tier, who), []).append(said[asked.rule])
    several = len({asked.tier for asked in requirements}) > 1
    return [Turn(tier if several else 0, who, "; ".join(dict.fromkeys(why))) for (tier, who), why in found.items()]


def why(flows: Sequence[Flow]) -> list[str]:
    """Return in a few words why each order waits; statements do not grow with the orders."""
    said = short(r.rule for flow in flows for r in flow.plan.requirements)
    return ["; ".join(dict.fromkeys(said[r.rule] for r in flow.plan.requirements)) for flow in flows]


def _rules(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the sentences of rules by their id."""
    known = tuple(sorted({int(i) for i in ids if i.isdigit()}))
    key = ("approval_chain.reasons", known, amounts.shown(), current_locale())
    return once(key, lambda: _read(known)) if known else {}


def _read(ids: Sequence[int]) -> Mapping[str, str]:
    rows = list(db.session.scalars(unscoped(select(Rule).where(Rule.id.in_(ids)), _REASON)))
    names = names_for(rows)
    return {str(row.id): f"{reason_of(row, names)}." for row in rows}
