"""What is wrong in the set-up of approvals: of one company for its administrator, of all for the seller's staff.

Everything is read once, in a fixed number of statements, and looked at in memory by the engine that decides on orders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from core.api.companies import Company, Membership, User, ancestors, seller
from core.api.data import db, today, unscoped
from core.api.hooks import TukkuError
from core.api.i18n import translations
from core.api.pricing import rates

from . import engine, managers, selection
from .contradictions import never_fits
from .loading import names_of, people_from, rule_of
from .models import Absence, GroupMember, Limit, Manager, Rule
from .permissions import CENTRE_OWNER
from .rule_models import role_of
from .sentences import Names, describe, names_for

_, _l, ngettext, _p = translations(__name__)
_REASON = "what is wrong may be the rule of a parent company, or a person of it"
#: So many of the people concerned are named.
NAMED = 3
#: Roles that people have for one order only.
FOR_ONE_ORDER = (managers.MANAGER, CENTRE_OWNER)
ORDERING = ("orderer", "approver", "company_admin")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is set up wrongly, as a whole sentence; ``company`` is the code of the company that can mend it."""

    code: str
    level: str
    text: str
    company: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Companies by id with what approvals are made of."""

    companies: Mapping[int, Any]
    rules: Sequence[Rule]
    limits: Sequence[Limit]
    members: Mapping[int, Sequence[Any]]
    grouped: Mapping[int, frozenset[str]]
    leads: Sequence[Manager]
    absences: Sequence[Absence]
    names: Names

    def units(self, company_id: int) -> list[int]:
        """Return the company and its parents, nearest first."""
        found: list[int] = []
        at: int | None = company_id
        while at in self.companies and at not in found:
            found.append(at)
            at = self.companies[at].parent_id
        return found

    def engine_of(self, company_id: int, rules: Sequence[engine.Rule]) -> engine.Company:
        """Return the company as the engine sees it, limits as they are written."""
        units = self.units(company_id)
        limits = [limit for limit in self.limits if limit.company_id in units]
        members = [m for unit in units for m in self.members.get(unit, ())]
        people = people_from(units, members, self.grouped, limits, getattr)
        return engine.Company(tuple(people), tuple(rules), units=tuple(map(str, units)))


def snapshot(company_id: int | None = None) -> Snapshot:
    """Read one company with its parents, or every company that a rule or limit concerns."""
    query = select(Company.id, Company.parent_id, Company.code, Company.name, Company.currency)
    if company_id is not None:
        query = query.where(Company.id.in_(ancestors(company_id)))
    companies = {row.id: row for row in db.session.execute(unscoped(query.where(Company.status != "closed"), _REASON))}
    ids = list(companies)

    def all_of(model: Any) -> list[Any]:
        return list(db.session.scalars(unscoped(select(model).where(model.company_id.in_(ids)).order_by(model.id), _REASON)))

    rules, limits = all_of(Rule), all_of(Limit)
    member = select(Membership.user_id, Membership.company_id, Membership.role).join(User, User.id == Membership.user_id)
    members = db.session.execute(unscoped(member.where(Membership.company_id.in_(ids), User.active), _REASON)).all()
    by_company: dict[int, list[Any]] = defaultdict(list)
    for row in members:
        by_company[row.company_id].append(row)
    grouped: dict[int, set[str]] = defaultdict(set)
    in_groups = select(GroupMember.user_id, GroupMember.group_id).where(GroupMember.company_id.in_(ids))
    for user_id, group_id in db.session.execute(unscoped(in_groups, _REASON)):
        grouped[user_id].add(role_of(group_id))
    return Snapshot(
        companies, rules, limits, by_company, {k: frozenset(v) for k, v in grouped.items()},
        all_of(Manager), all_of(Absence), names_for(rules),
    )  # fmt: skip


def problems(company_id: int | None = None) -> Iterator[Problem]:
    """Yield what is wrong, of one company's own set-up or of everybody's."""
    found = snapshot(company_id)
    mine = [company_id] if company_id is not None else list(found.companies)
    day = today(seller().zone)
    yield from _of_rules(found, set(mine), day)
    yield from _dead_ends(found, mine, day)
    yield from _circles(found, set(mine))
    yield from _currencies(found, set(mine))


def _holding(rules: Iterable[Rule], day: Any) -> list[Rule]:
    return [rule for rule in rules if rule.active and (rule.valid_until is None or rule.valid_until >= day)]


def _said(found: Snapshot, rule: Rule) -> str:
    return rule.name or describe(rule, found.names).lines[0]


def _of_rules(found: Snapshot, mine: set[int], day: Any) -> Iterator[Problem]:
    for rule in found.rules:
        if rule.company_id not in mine:
            continue
        company = found.companies[rule.company_id]
        values = {"company": company.name, "rule": _said(found, rule)}
        if rule.active and rule.valid_until is not None and rule.valid_until < day:
            yield Problem("APPROVAL-ENDED", "info", _("A rule of %(company)s has ended: %(rule)s", **values), company.code)
            continue
        if not rule.active:
            continue
        why = never_fits(rule, found.names.specs)
        if why:
            text = _("A rule of %(company)s never fits: %(rule)s (%(why)s)", **values, why=why)
            yield Problem("APPROVAL-NEVER", "warning", text, company.code)
        empty = [found.names.role(role) for role in _asked_roles(rule) if not _anybody(found, rule, role)]
        if empty:
            text = _("A rule of %(company)s asks roles in which nobody is: %(roles)s", **values, roles=", ".join(empty))
            yield Problem("APPROVAL-ROLE-EMPTY", "warning", text, company.code)


def _asked_roles(rule: Rule) -> list[str]:
    roles = [role for step in rule.steps for role in step["roles"] if role not in FOR_ONE_ORDER]
    return list(dict.fromkeys([*roles, *rule.for_roles]))


def _anybody(found: Snapshot, rule: Rule, role: str) -> bool:
    """Tell whether somebody of the company, of its parents or of those beneath it has the role."""
    units = set(found.units(rule.company_id))
    near = [c for c in found.members if c in units or rule.company_id in found.units(c)]
    return any(m.role == role or role in found.grouped.get(m.user_id, ()) for c in near for m in found.members[c])


def _dead_ends(found: Snapshot, mine: Sequence[int], day: Any) -> Iterator[Problem]:
    """Find people of whose orders nobody of their companies may decide, though a rule or limit asks for it."""
    bearing = {row.company_id for row in (*_holding(found.rules, day), *found.limits)}
    leads = {(row.company_id, row.user_id): str(row.manager_id) for row in found.leads}
    without: list[tuple[Any, list[str]]] = []
    for company_id in mine:
        units = found.units(company_id)
        if not bearing & set(units):
            continue
        held = [r for r in _holding(found.rules, day) if r.company_id in units and (r.inherit or r.company_id == company_id)]
        rules = [rule_of(row, found.names.specs, lambda value, _currency: value, str(row.company_id)) for row in held]
        company = found.engine_of(company_id, rules)
        ordering = {m.user_id for m in found.members.get(company_id, ()) if m.role in ORDERING}
        led = ((str(user_id), leads.get((company_id, user_id), "")) for user_id in sorted(ordering))
        stuck = [user_id for user_id, manager in led if _stuck(company, user_id, manager)]
        if stuck:
            without.append((found.companies[company_id], stuck))
    names = names_of([person for _company, people in without for person in people[:NAMED]]) if without else {}
    for row, people in without:
        said = ", ".join([names.get(person, "") for person in people[:NAMED]] + ["…"] * (len(people) > NAMED))
        text = ngettext(
            "Nobody of %(company)s may approve the orders of %(count)s person (%(names)s); they would wait for the seller.",
            "Nobody of %(company)s may approve the orders of %(count)s people (%(names)s); they would wait for the seller.",
            len(people),
            company=row.name,
            names=said,
        )
        yield Problem("APPROVAL-NOBODY", "warning", text, row.code)


def _stuck(plain: engine.Company, user_id: str, manager: str) -> bool:
    company = managers.with_manager(plain, user_id, manager)
    person = company.person(user_id)
    if person.order_limit is not None:
        over = {engine.TOTAL: person.order_limit + 1}
        asked = engine.evaluate(over, user_id, replace(company, rules=())).requirements
        if any(r.people == (engine.SELLER,) for r in asked):
            return True
    asking = [rule for rule in company.rules if rule.effect == "require" and rule.concerns(person)]
    begins = ((tier, selection.threshold(rule, tier) + 1) for rule in asking for tier in rule.tiers)
    return any(engine.reach(tier, person, company, total) == (engine.SELLER,) for tier, total in begins)


def _circles(found: Snapshot, mine: set[int]) -> Iterator[Problem]:
    """Find managers, and substitutes of the same days, that lead round to where they began."""
    leads: dict[int, dict[int, int]] = defaultdict(dict)
    for row in found.leads:
        leads[row.company_id][row.user_id] = row.manager_id
    stands: dict[int, dict[int, int]] = defaultdict(dict)
    for away in found.absences:
        over = [x for x in found.absences if x.user_id == away.substitute_id and x.since <= away.until]
        if away.substitute_id and any(x.until >= away.since for x in over):
            stands[away.company_id][away.user_id] = away.substitute_id
    said = {
        "APPROVAL-MANAGERS": (leads, _l("Managers of %(company)s lead round in a circle.")),
        "APPROVAL-SUBSTITUTES": (stands, _l("Substitutes of %(company)s stand in for each other in the same days.")),
    }
    for code, (links, text) in said.items():
        for company_id in sorted(mine & set(links)):
            if any(_returns(links[company_id], start) for start in links[company_id]):
                row = found.companies[company_id]
                yield Problem(code, "error", str(text) % {"company": row.name}, row.code)


def _returns(links: Mapping[int, int], start: int) -> bool:
    at, steps = links.get(start), 0
    while at is not None and at != start and steps < len(links):
        at, steps = links.get(at), steps + 1
    return at == start


def _currencies(found: Snapshot, mine: set[int]) -> Iterator[Problem]:
    """Find money of rules and limits in a currency that cannot be brought into the one in which the company orders."""
    day = today(seller().zone)
    pairs = {(row.currency, row.company_id) for row in (*found.rules, *found.limits) if row.company_id in mine}
    for currency, company_id in sorted(pairs):
        company = found.companies[company_id]
        if currency == company.currency:
            continue
        try:
            rates([(currency, company.currency)], day)
        except TukkuError:
            text = _(
                "Rules or limits of %(company)s are in %(currency)s, which has no rate to %(base)s: orders are refused.",
                company=company.name, currency=currency, base=company.currency,
            )  # fmt: skip
            yield Problem("APPROVAL-CURRENCY", "error", text, company.code)
