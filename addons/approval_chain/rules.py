"""A company's own rules and limits: kept as data, read as sentences (sentences.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.companies import User, current_company, lock_company
from core.api.data import audit, clock, current_actor, db, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.ui import money_text

from .models import Limit, Rule
from .permissions import SETUP
from .sentences import Names, Sentence, describe, names_for

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"


def sentences() -> list[Sentence]:
    """Return the rules that the actor's company follows, those of its parents first."""
    own = current_actor().company_id
    rows = db.session.scalars(
        select(Rule)
        .where(Rule.company_id.in_(current_actor().scope.inherited), Rule.inherit | (Rule.company_id == own))
        .order_by(Rule.company_id == own, Rule.priority.desc(), Rule.id)
    ).all()
    names = names_for(rows)
    return [describe(rule, names, rule.company_id == own) for rule in rows]


def limits() -> list[Sentence]:
    """Return the company's limits."""
    rows = db.session.execute(
        select(Limit, User.name)
        .outerjoin(User, User.id == Limit.user_id)
        .where(Limit.company_id == current_actor().company_id)
        .order_by(Limit.id)
    )
    names = names_for([])
    return [Sentence(limit.id, (_limit(limit, name or names.role(limit.role)),)) for limit, name in rows]


def _limit(limit: Limit, who: str) -> str:
    unlimited = _("without limit")
    shown = [
        unlimited if value is None else money_text(value, limit.currency)
        for value in (limit.order_limit, limit.approve_limit)
    ]
    return _("%(who)s: orders alone %(order)s, approves %(approve)s.", who=who, order=shown[0], approve=shown[1])


def own_rule(rule_id: int) -> Rule:
    """Return a rule of the actor's own company; NotFound for any other."""
    rule = db.session.scalar(select(Rule).where(Rule.id == rule_id, Rule.company_id == _company().id))
    if rule is None:
        raise NotFound("APPROVAL-RULE-NOT-FOUND", _("This rule is gone already; reload the page."))
    return rule


def save_rule(values: Mapping[str, Any], rule_id: int | None = None) -> Rule:
    """Keep a rule of the actor's company, new or another one's words; ``values`` are its columns.

    A rule that is changed keeps the currency in which its money was entered.
    """
    company = _company()
    with write() as session:
        lock_company(company.id)
        if rule_id is None:
            rule = Rule(company_id=company.id, currency=company.currency, created_at=clock.now())
            session.add(rule)
        else:
            rule = own_rule(rule_id)
        for name, value in values.items():
            setattr(rule, name, value)
        session.flush()
        _record(company.id, "rule added" if rule_id is None else "rule changed", _said(rule))
    return rule


def _said(rule: Rule) -> str:
    names: Names = names_for([rule])
    return describe(rule, names).text


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
        text = _said(found) if isinstance(found, Rule) else str(id_)
        session.delete(found)
        session.flush()
        _record(company.id, f"{'rule' if kind is Rule else 'limit'} removed", text)


def _record(company_id: int, action: str, text: str) -> None:
    audit.record("approval rules", str(company_id), action, company_id=company_id, after={"text": text}, addon=OWNER)
    emit(SETUP, {"company_id": company_id})


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
