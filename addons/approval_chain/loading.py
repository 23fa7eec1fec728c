"""Read what the engine needs: people, rules, limits and policies of a company and its parents; statements do not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import Company as CompanyRow
from core.api.companies import Membership, User, ancestors, permissions_of, seller
from core.api.data import db, once, today, unscoped
from core.api.pricing import rate

from . import engine, facts
from .models import Group, GroupMember, Limit, Policy, Rule
from .parts import BARRED, DECIDES, SEES
from .permissions import DECIDE
from .rule_models import RuleParts

#: Reads a limit in the order's currency.
Amounts = Callable[[Limit, str], Decimal | None]
#: An amount of a currency in that of the order.
Convert = Callable[[Decimal, str], Decimal]
_REASON = "who decides on an order may belong to a parent company that its buyer does not see"


def company_for(company_id: int, currency: str) -> engine.Company:
    """Return people, rules and limits as they hold today for an order of the company in ``currency``."""
    return once(("approval_chain.company", company_id, currency), lambda: _company_for(company_id, currency))


def _company_for(company_id: int, currency: str) -> engine.Company:
    units = ancestors(company_id)
    convert = conversion(currency)

    def amount(limit: Limit, name: str) -> Decimal | None:
        value = getattr(limit, name)
        return None if value is None else convert(value, limit.currency)

    limits = list(db.session.scalars(unscoped(select(Limit).where(Limit.company_id.in_(units)), _REASON)))
    kinds = facts.specs()
    made = [rule_of(row, kinds, convert, unit=str(row.company_id)) for row in rules_of(units, *in_force(Rule))]
    rows = db.session.scalars(unscoped(select(Policy).where(Policy.company_id.in_(units)), _REASON))
    policies = {row.company_id: row for row in rows}
    return engine.Company(
        tuple(people_from(units, _members(units), _groups(units), limits, amount)),
        tuple(made),
        _policy([policies[unit] for unit in units if unit in policies]),
        tuple(map(str, units)),
        _pools(units, policies),
    )


def rules_of(units: Sequence[int], *conditions: Any) -> list[Rule]:
    """Return the rules that a company follows, its own and inherited ones; ``units`` lead from it upward."""
    mine = Rule.company_id.in_(units), or_(Rule.inherit, Rule.company_id == units[0])
    return list(db.session.scalars(unscoped(select(Rule).where(*mine, *conditions).order_by(Rule.id), _REASON)))


def conversion(currency: str) -> Convert:
    """Return what brings amounts into ``currency`` at today's rates."""
    day = today(seller().zone)

    @lru_cache
    def factor(source: str) -> Decimal:
        return Decimal(1) if source == currency else rate(source, currency, day)

    return lambda value, source: value * factor(source)


def in_force(model: type[RuleParts]) -> tuple[Any, ...]:
    """Return the conditions for rules that hold today."""
    day = today(seller().zone)
    begun = or_(model.valid_from.is_(None), model.valid_from <= day)
    return (model.active, begun, or_(model.valid_until.is_(None), model.valid_until >= day))


def rule_of(row: RuleParts, kinds: Mapping[str, Any], convert: Convert, unit: str = "") -> engine.Rule:
    """Return a stored rule as the engine reads it, its money in the order's currency."""
    conditions = []
    for said in row.conditions:
        kind = kinds[said["fact"]].kind if said["fact"] in kinds else "number"
        value: Any = frozenset(said["value"]) if isinstance(said["value"], list) else Decimal(said["value"])
        conditions.append(
            engine.Condition(said["fact"], said["op"], convert(value, row.currency) if kind == "money" else value)
        )
    tiers = [
        engine.Tier(
            step["tier"],
            tuple(map(str, step["people"])),
            tuple(step["roles"]),
            step["need"],
            convert(Decimal(step["above"]), row.currency) if step["above"] else None,
            step.get("limited", False),
        )
        for step in row.steps
    ]
    return engine.Rule(
        str(row.id),
        tuple(conditions),
        row.effect,
        tuple(tiers),
        frozenset(row.for_roles),
        frozenset(map(str, row.for_people)),
        unit,
        row.priority,
    )


def _policy(nearest_first: Sequence[Policy]) -> engine.Policy:
    """Return how people decide: the nearest policy, but nobody approves their own order against a parent's will."""
    if not nearest_first:
        return engine.Policy()
    nearest = nearest_first[0]
    own = all(row.allow_self for row in nearest_first)
    return engine.Policy(
        allow_self=own, once=nearest.once, references_free=nearest.references_free, voluntary=nearest.voluntary
    )


def _pools(units: Sequence[int], policies: Mapping[int, Policy]) -> tuple[engine.Pool, ...]:
    """Return which units choose their rules together: those that follow the same policy, their own or a parent's."""
    mine: dict[int, list[str]] = {}
    for place, unit in enumerate(units):
        owner = next((u for u in units[place:] if u in policies), 0)
        mine.setdefault(owner, []).append(str(unit))
    return tuple(_pool(tuple(found), policies.get(owner)) for owner, found in mine.items())


def _pool(units: tuple[str, ...], row: Policy | None) -> engine.Pool:
    if row is None:
        return engine.Pool(units)
    people = (str(row.fallback_id),) if row.fallback_id else ()
    return engine.Pool(units, row.selection, row.otherwise, engine.Tier(1, people, (row.fallback_role,)))


def _members(units: Collection[int]) -> Sequence[Any]:
    """Return user_id, company_id and role of the active people of companies."""
    query = (
        select(Membership.user_id, Membership.company_id, Membership.role)
        .join(User, User.id == Membership.user_id)
        .join(CompanyRow, CompanyRow.id == Membership.company_id)
        .where(Membership.company_id.in_(units), User.active)
        .order_by(Membership.user_id)
    )
    return db.session.execute(unscoped(query, _REASON)).all()


def people_from(
    units: Sequence[int],
    members: Iterable[Any],
    grouped: Mapping[int, frozenset[str]],
    limits: Sequence[Limit],
    amount: Amounts,
) -> Iterable[engine.Person]:
    """Return the people of ``units``, each with the roles they have nearest to the order, and their limits.

    Who may not decide (it takes seeing prices, too) is asked nowhere: whoever is next decides.
    """
    deciding = cache(lambda roles: DECIDE in permissions_of(roles))
    held: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for user_id, company_id, role in members:
        held[user_id][company_id].add(role)
    for user_id, by_company in held.items():
        unit = next(u for u in units if u in by_company)  # the nearest to the order
        roles = frozenset(by_company[unit]) | grouped.get(user_id, frozenset())
        yield engine.Person(
            str(user_id),
            roles,
            str(unit),
            _limit("order_limit", user_id, unit, roles, limits, amount),
            _limit("approve_limit", user_id, unit, roles, limits, amount),
            deciding(roles),
        )


def _groups(units: Collection[int]) -> Mapping[int, frozenset[str]]:
    query = select(GroupMember.user_id, Group).join(Group, Group.id == GroupMember.group_id)
    found: dict[int, set[str]] = defaultdict(set)
    for user_id, group in db.session.execute(unscoped(query.where(GroupMember.company_id.in_(units)), _REASON)):
        found[user_id] |= {group.role, *rights_of(group)}
    return {user_id: frozenset(roles) for user_id, roles in found.items()}


def rights_of(group: Group) -> list[str]:
    """Return the rights that a role of a company gives."""
    given = {DECIDES: group.decides, SEES: group.sees, BARRED: group.barred}
    return [right for right, has in given.items() if has]


def _limit(
    name: str, user_id: int, unit: int, roles: frozenset[str], limits: Sequence[Limit], amount: Amounts
) -> Decimal | None:
    """Return the person's own limit, else the largest of their roles'; None is unlimited."""
    here = [limit for limit in limits if limit.company_id == unit]
    own = [limit for limit in here if limit.user_id == user_id]
    found = [amount(limit, name) for limit in own or [x for x in here if x.role in roles]]
    return None if None in found else max(found, default=None)


def facts_named(companies: Iterable[engine.Company]) -> set[str]:
    """Return the figures that the companies' rules ask about."""
    return {c.fact for company in companies for rule in company.rules for c in rule.conditions}


def names_of(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the names of people by id; parents' people are named too, for they may decide."""
    wanted = [int(i) for i in ids if i != engine.SELLER]
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))) if wanted else ()
    return {str(id_): name for id_, name in rows}
