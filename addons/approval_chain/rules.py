"""A company's own rules and limits: kept as data, read as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.api.companies import ROLE_TITLES, User, current_company, lock_company
from core.api.data import audit, clock, current_actor, db, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.ui import money_text, plain

from .forms import FACT_TITLES
from .models import Limit, Rule

_, _l, ngettext, _p = translations(__name__)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A rule or a limit as people read it; only the company's own may be taken away here."""

    id: int
    text: str
    own: bool


def sentences() -> list[Sentence]:
    """Return the rules that hold for the actor's company, those of its parents first."""
    own = current_actor().company_id
    rows = db.session.execute(
        select(Rule, User.name)
        .outerjoin(User, User.id == Rule.approver_id)
        .where(Rule.company_id.in_(current_actor().scope.inherited))
        .order_by(Rule.company_id == own, Rule.tier, Rule.id)
    )
    return [Sentence(rule.id, sentence(rule, name or ""), rule.company_id == own) for rule, name in rows]


def sentence(rule: Rule, person: str) -> str:
    """Return the rule as one readable sentence."""
    if rule.above:
        value = money_text(rule.above, rule.currency) if rule.currency else plain(rule.above)
        when = _("%(fact)s above %(value)s", fact=str(FACT_TITLES[rule.fact]), value=value)
    else:
        when = _("Every order")
    if rule.for_role:
        when = _("%(when)s, ordered by: %(role)s", when=when, role=str(ROLE_TITLES[rule.for_role]))
    if rule.effect == "deny":
        return _("%(when)s: not allowed.", when=when)
    if rule.effect == "bypass":
        return _("%(when)s: nobody need approve.", when=when)
    who = person or str(ROLE_TITLES.get(rule.approver_role, _("Administrator of the company")))
    if rule.need == 0:
        return _("%(when)s: all of them approve, in turn %(turn)s: %(who)s.", when=when, who=who, turn=rule.tier)
    return ngettext(
        "%(when)s: %(count)s approves, in turn %(turn)s: %(who)s.",
        "%(when)s: %(count)s of them approve, in turn %(turn)s: %(who)s.",
        rule.need,
        when=when,
        who=who,
        turn=rule.tier,
    )


def limits() -> list[Sentence]:
    """Return the company's limits."""
    rows = db.session.execute(
        select(Limit, User.name)
        .outerjoin(User, User.id == Limit.user_id)
        .where(Limit.company_id == current_actor().company_id)
        .order_by(Limit.id)
    )
    return [Sentence(limit.id, _limit(limit, name or str(ROLE_TITLES.get(limit.role, ""))), True) for limit, name in rows]


def _limit(limit: Limit, who: str) -> str:
    unlimited = _("without limit")
    shown = [
        unlimited if value is None else money_text(value, limit.currency)
        for value in (limit.order_limit, limit.approve_limit)
    ]
    return _("%(who)s: orders alone %(order)s, approves %(approve)s.", who=who, order=shown[0], approve=shown[1])


def add_rule(values: Mapping[str, Any]) -> Rule:
    """Keep a new rule of the actor's company."""
    company = _company()
    user_id, role = _who(values["approver"])
    with write() as session:
        rule = Rule(
            company_id=company.id,
            effect=values["effect"],
            fact=values["fact"],
            above=values["above"],
            currency=company.currency if values["fact"] == "total" else "",
            for_role=values["for_role"],
            approver_role=role if values["effect"] == "require" else "",
            approver_id=user_id if values["effect"] == "require" else None,
            need=int(values["need"]),
            tier=values["tier"],
            created_at=clock.now(),
        )
        session.add(rule)
        session.flush()
        _record(company.id, "rule added", sentence(rule, ""))
    return rule


def set_limit(values: Mapping[str, Any]) -> Limit:
    """Set the limits of a person or role of the actor's company."""
    company = _company()
    user_id, role = _who(values["whose"])
    with write() as session:
        lock_company(company.id)  # the database cannot: the key of a role's limit has no person in it
        query = select(Limit).where(Limit.company_id == company.id, Limit.user_id == user_id, Limit.role == role)
        limit = session.scalar(query)
        if limit is None:
            limit = Limit(company_id=company.id, user_id=user_id, role=role)
            session.add(limit)
        limit.currency = company.currency
        limit.order_limit, limit.approve_limit = values["order_limit"], values["approve_limit"]
        session.flush()
        _record(company.id, "limit set", _limit(limit, values["whose"]))
    return limit


def remove(kind: type[Rule] | type[Limit], id_: int) -> None:
    """Take away a rule or limit of the actor's own company; NotFound for any other."""
    company = _company()
    with write() as session:
        found = session.scalar(select(kind).where(kind.id == id_, kind.company_id == company.id))
        if found is None:
            raise NotFound("APPROVAL-RULE-NOT-FOUND", _("This rule is gone already; reload the page."))
        session.delete(found)
        _record(company.id, f"{'rule' if kind is Rule else 'limit'} removed", str(id_))


def _record(company_id: int, action: str, text: str) -> None:
    audit.record(
        "approval rules", str(company_id), action, company_id=company_id, after={"text": text}, addon="approval_chain"
    )


def _company() -> Any:
    company = current_company()
    if company is None:
        raise Invalid("NO-COMPANY", _("Choose the company for which you are buying first."))
    return company


def _who(value: str) -> tuple[int | None, str]:
    """Return the person's id or the role that a form's choice names: the choice was checked by its field."""
    if not value.startswith("@"):
        return None, value
    return db.session.scalar(select(User.id).where(User.code == value[1:])), ""
