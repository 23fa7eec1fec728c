"""Read what the engine needs: people, rules and limits of a company and its parents. Three statements and the tree's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from sqlalchemy import select

from core.api.companies import Company as CompanyRow
from core.api.companies import Membership, User, ancestors, seller
from core.api.data import db, today, unscoped
from core.api.pricing import rate

from . import engine
from .models import Limit, Rule

APPROVING = frozenset({"approver", "company_admin"})
#: Reads a limit in the order's currency.
Amounts = Callable[[Limit, str], Decimal | None]
_REASON = "who decides on an order may belong to a parent company that its buyer does not see"


def company_for(company_id: int, currency: str) -> engine.Company:
    """Return people, rules and limits as they hold for an order of the company in ``currency``."""
    units = ancestors(company_id)
    day = today(seller().zone)

    @lru_cache
    def factor(source: str) -> Decimal:
        return Decimal(1) if source == currency else rate(source, currency, day)

    def amount(value: Decimal | None, source: str) -> Decimal | None:
        return None if value is None else value * factor(source)

    limits = list(db.session.scalars(unscoped(select(Limit).where(Limit.company_id.in_(units)), _REASON)))
    rules = db.session.scalars(unscoped(select(Rule).where(Rule.company_id.in_(units)).order_by(Rule.id), _REASON))
    return engine.Company(
        tuple(_people(units, limits, lambda limit, name: amount(getattr(limit, name), limit.currency))),
        tuple(_rule(rule, amount(rule.above, rule.currency or currency)) for rule in rules),
        units=tuple(map(str, units)),
    )


def _people(units: Sequence[int], limits: Sequence[Limit], amount: Amounts) -> Iterable[engine.Person]:
    rows = db.session.execute(
        unscoped(
            select(Membership.user_id, Membership.company_id, Membership.role)
            .join(User, User.id == Membership.user_id)
            .join(CompanyRow, CompanyRow.id == Membership.company_id)
            .where(Membership.company_id.in_(units), User.active)
            .order_by(Membership.user_id),
            _REASON,
        )
    )
    held: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for user_id, company_id, role in rows:
        held[user_id][company_id].add(role)
    for user_id, by_company in held.items():
        unit = next(u for u in units if u in by_company)  # the nearest to the order
        roles = frozenset(by_company[unit])
        yield engine.Person(
            str(user_id),
            roles,
            str(unit),
            _limit("order_limit", user_id, unit, roles, limits, amount),
            _limit("approve_limit", user_id, unit, roles, limits, amount),
            bool(roles & APPROVING),
        )


def _limit(
    name: str, user_id: int, unit: int, roles: frozenset[str], limits: Sequence[Limit], amount: Amounts
) -> Decimal | None:
    """Return the person's own limit, else the largest of their roles'; None is unlimited."""
    here = [limit for limit in limits if limit.company_id == unit]
    own = [limit for limit in here if limit.user_id == user_id]
    found = [amount(limit, name) for limit in own or [x for x in here if x.role in roles]]
    return None if None in found else max(found, default=None)


def _rule(row: Rule, above: Decimal | None) -> engine.Rule:
    who = (str(row.approver_id),) if row.approver_id else ()
    roles = (row.approver_role,) if row.approver_role else ()
    return engine.Rule(
        str(row.id),
        (engine.Condition(row.fact, ">", above),) if row.above else (),
        row.effect,
        (engine.Tier(row.tier, who, roles, row.need),) if row.effect == "require" else (),
        frozenset({row.for_role} if row.for_role else ()),
        unit=str(row.company_id),
    )


def names_of(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the names of people by id; parents' people are named too, for they may decide."""
    wanted = [int(i) for i in ids if i != engine.SELLER]
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))) if wanted else ()
    return {str(id_): name for id_, name in rows}
