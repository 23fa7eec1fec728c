"""Why an order is not allowed or must be approved, for the list of findings at the checkout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from core.api.data import db, unscoped
from core.api.hooks import Finding, OrderDraft
from core.api.i18n import translations
from core.api.ui import money_text

from . import engine, limits, panels, services, spending
from .flow import Flow
from .models import Rule
from .parts import BARRED
from .sentences import describe, names_for
from .spending import Asked

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
    company = services.company_of(draft, asked)
    plan = engine.evaluate(services.facts_of(draft, company), str(draft.user_id), company)
    if plan.denied_by:
        text = _("A rule of your company does not allow this order. Ask your company's administrator.")
        return (Finding("APPROVAL-DENIED", "block", text),)
    if plan.needed and BARRED in company.person(str(draft.user_id)).roles:
        text = _("This order needs an approval, and your company does not let you ask for one. Order less.")
        return (Finding("APPROVAL-BARRED", "block", text),)
    told = [r for r in plan.requirements if not r.rule.startswith(BUDGET)]
    if not told:
        return ()
    rules = _rules([r.rule for r in told])
    limit = _limit(draft, company.person(str(draft.user_id)), asked) if any(not r.rule for r in told) else ""
    found = []
    for requirement, who in zip(told, panels.each(told), strict=True):
        why = (rules.get(requirement.rule) or _("No rule fits this order.")) if requirement.rule else limit
        found.append(Finding("APPROVAL-NEEDED", "info", _("%(why)s Approval by: %(who)s.", why=why, who=who)))
    return found


def _limit(draft: OrderDraft, person: engine.Person, asked: Asked) -> str:
    """Return which limit of the person the order exceeds."""
    if person.order_limit is not None and draft.without_tax > person.order_limit:
        return _("You order alone up to %(amount)s.", amount=money_text(person.order_limit, draft.currency))
    return _("Your limit: %(left)s.", left=limits.sentence(spending.left_of(asked)))


def short(asking: Iterable[str]) -> dict[str, str]:
    """Return in a few words why orders wait, by what asks for it as a plan names it: a rule, a limit, a budget."""
    wanted = set(asking)
    rules = _rules([one for one in wanted if one.isdigit()])
    return {
        one: rules[one].rstrip(".")
        if one in rules
        else _("Budget of %(code)s exceeded", code=one.removeprefix(BUDGET))
        if one.startswith(BUDGET)
        else _("No rule fits")
        if one == engine.NO_RULE
        else _("A rule that is gone")
        if one
        else _("Above the limit of who ordered")
        for one in wanted
    }


def why(flows: Sequence[Flow]) -> list[str]:
    """Return in a few words why each order waits; statements do not grow with the orders."""
    said = short(r.rule for flow in flows for r in flow.plan.requirements)
    return ["; ".join(dict.fromkeys(said[r.rule] for r in flow.plan.requirements)) for flow in flows]


def _rules(ids: Sequence[str]) -> Mapping[str, str]:
    """Return the sentences of rules by their id."""
    if not any(i.isdigit() for i in ids):
        return {}
    query = select(Rule).where(Rule.id.in_([int(i) for i in ids if i.isdigit()]))
    rows = list(db.session.scalars(unscoped(query, _REASON)))
    names = names_for(rows)
    return {str(row.id): (row.name and f"{row.name}.") or describe(row, names).lines[0] for row in rows}
