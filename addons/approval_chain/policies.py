"""How a company's rules are chosen and what holds where none fits; and the roles that it names itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import Company, Membership, User, lock_company
from core.api.data import audit, current_actor, db, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit

from .absences import company_of_actor
from .models import Group, GroupMember, Limit, Policy, Rule, SpendLimit
from .permissions import RULES, SETUP
from .rules import OWNER
from .sentences import names_for

_, _l, ngettext, _p = translations(__name__)
#: What a role of a company may give or take.
RIGHTS = ("decides", "sees", "barred")
#: What a policy says by yes or no.
SWITCHES = ("allow_self", "once", "all_see", "references_free", "voluntary")
SELECTION_TITLES = {
    "all": _l("All rules that fit"),
    "first": _l("Only the first that fits, by priority"),
    "most_specific": _l("The most specific: for a person, then a role, then everybody"),
    "highest": _l("The highest threshold that the total reaches; whoever may approve more may approve it too"),
}
OTHERWISE_TITLES = {
    "nobody": _l("No approval is needed"),
    "ask": _l("Somebody by name or role approves"),
    "deny": _l("The order is not allowed"),
}


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that a company follows: its own, a parent's (``of`` names it), or none (``row`` is None)."""

    row: Policy | None
    own: bool
    of: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The policy as sentences."""
        usual = {"allow_self": False, "once": False, "all_see": True, "references_free": False, "voluntary": True}
        row = self.row or Policy(selection="all", otherwise="nobody", **usual)
        names = names_for([])
        person = db.session.scalar(select(User.name).where(User.id == row.fallback_id)) if row.fallback_id else None
        who = person or names.role(row.fallback_role or "company_admin")
        chosen = {
            "all": _("All rules that fit count."),
            "first": _("Of the rules that fit, only the one with the largest priority counts."),
            "most_specific": _("Of the rules that fit, those for a person count before those for a role or everybody."),
            "highest": _(
                "The rules with the highest threshold that the total reaches count; whoever may approve more may approve it."
            ),
        }[row.selection]
        then = {
            "nobody": _("Where no rule fits, no approval is needed."),
            "ask": _(
                "Where no rule fits, one of them approves: %(who)s.",
                who=who,
            ),
            "deny": _("Where no rule fits, the order is not allowed."),
        }[row.otherwise]
        own = (
            _("Whoever may decide on everything that is asked goes ahead with their own order.")
            if row.allow_self
            else _("Nobody approves what they ordered.")
        )
        once = _("One decision of a person counts for all turns.") if row.once else _("A person decides once in each turn.")
        seen = (
            _("Everybody who decides sees all orders that wait.")
            if row.all_see
            else _("Only administrators, and roles with the right, see all orders that wait.")
        )
        changed = [_("Purchase order number and message may change while an order waits.")] if row.references_free else []
        asked = (
            _("People may ask for an approval that no rule requires.")
            if row.voluntary
            else _("Nobody asks for an approval that no rule requires.")
        )
        return (chosen, then, own, once, seen, asked, *changed)


def in_force() -> InForce:
    """Return the policy that the actor's company follows."""
    units = current_actor().scope.inherited
    query = select(Policy, Company.name).join(Company, Company.id == Policy.company_id)
    rows = {row.company_id: (row, name) for row, name in db.session.execute(query.where(Policy.company_id.in_(units)))}
    for unit in units:
        if unit in rows:
            row, name = rows[unit]
            return InForce(row, unit == units[0], name)
    return InForce(None, False)


def save_policy(values: Mapping[str, Any]) -> Policy:
    """Keep the policy of the actor's company: selection, otherwise, fallback ("@code" of a person, or a role), and so on."""
    company_id = company_of_actor()
    with write() as session:
        lock_company(company_id)
        row = session.scalar(select(Policy).where(Policy.company_id == company_id))
        if row is None:
            row = Policy(company_id=company_id)
            session.add(row)
        fallback = values["fallback"]
        row.fallback_id = (
            session.scalar(select(User.id).where(User.code == fallback[1:])) if fallback.startswith("@") else None
        )
        row.fallback_role = "" if row.fallback_id else fallback
        row.selection, row.otherwise = values["selection"], values["otherwise"]
        for name in SWITCHES:
            setattr(row, name, values[name])
        session.flush()
        after = {name: str(values[name]) for name in ("selection", "otherwise", "fallback", *SWITCHES)}
        _record(company_id, "policy set", after)
    return row


def _record(company_id: int, action: str, after: Mapping[str, Any] | None = None) -> None:
    audit.record("approval rules", str(company_id), action, company_id=company_id, after=after, addon=OWNER)
    emit(SETUP, {"company_id": company_id})


def fallback_of(row: Policy) -> str:
    """Return whom a policy asks where no rule fits, as its form says it."""
    code = db.session.scalar(select(User.code).where(User.id == row.fallback_id)) if row.fallback_id else None
    return f"@{code}" if code else row.fallback_role or "company_admin"


def drop_policy() -> None:
    """Follow the parent's policy again, or the shop's usual one."""
    company_id = company_of_actor()
    with write() as session:
        row = session.scalar(select(Policy).where(Policy.company_id == company_id))
        if row is not None:
            session.delete(row)
            _record(company_id, "policy removed")


def sees_all() -> bool:
    """Tell whether the actor sees all orders of the company that wait: by the policy, as administrator, or by a role."""
    actor = current_actor()
    found = in_force().row
    if found is None or found.all_see or actor.may(RULES):
        return True
    mine = select(Group.id).join(GroupMember, GroupMember.group_id == Group.id).where(GroupMember.user_id == actor.user_id)
    return db.session.scalar(mine.where(or_(Group.sees, Group.decides)).limit(1)) is not None


def groups() -> Sequence[tuple[Group, list[str]]]:
    """Return the company's own roles with the names of who is in them."""
    rows = db.session.scalars(
        select(Group).where(Group.company_id == current_actor().company_id).order_by(Group.name, Group.id)
    ).all()
    query = select(GroupMember.group_id, User.name).join(User, User.id == GroupMember.user_id).order_by(User.name, User.id)
    found = db.session.execute(query.where(GroupMember.company_id == current_actor().company_id)).all()
    return [(group, [name for group_id, name in found if group_id == group.id]) for group in rows]


def own_group(group_id: int) -> Group:
    """Return a role of the actor's own company; NotFound for any other."""
    company_id = company_of_actor()
    group = db.session.scalar(select(Group).where(Group.id == group_id, Group.company_id == company_id))
    if group is None:
        raise NotFound("APPROVAL-ROLE-NOT-FOUND", _("This role is gone already; reload the page."))
    return group


def members(group: Group) -> list[str]:
    """Return the codes of who is in a role."""
    query = select(User.code).join(GroupMember, GroupMember.user_id == User.id).where(GroupMember.group_id == group.id)
    return list(db.session.scalars(query.order_by(User.code)))


def save_group(
    name: str, codes: Collection[str], group_id: int | None = None, rights: Mapping[str, bool] | None = None
) -> Group:
    """Keep a role of the actor's company with the people named by code; Invalid where the name is another role's.

    ``rights``: decides, sees, barred.
    """
    company_id = company_of_actor()
    with write() as session:
        lock_company(company_id)
        same = select(Group.id).where(
            Group.company_id == company_id, Group.name == name.strip(), Group.id != (group_id or 0)
        )
        if session.scalar(same) is not None:
            raise Invalid("APPROVAL-ROLE-TWICE", _("There is a role of this name already."), details={"field": "name"})
        group = own_group(group_id) if group_id else Group(company_id=company_id)
        group.name = name.strip()
        for right, has in (rights or {}).items():
            setattr(group, right, has)
        session.add(group)
        session.flush()
        wanted = set(
            session.scalars(
                select(User.id).join(Membership, Membership.user_id == User.id).where(
                    Membership.company_id == company_id, User.code.in_(list(codes))
                )
            )
        )  # fmt: skip
        for row in session.scalars(select(GroupMember).where(GroupMember.group_id == group.id)).all():
            if row.user_id in wanted:
                wanted.discard(row.user_id)
            else:
                session.delete(row)
        session.add_all(GroupMember(group_id=group.id, user_id=id_, company_id=company_id) for id_ in sorted(wanted))
        after = {"name": group.name, "people": ", ".join(sorted(codes))}
        _record(company_id, "role set", after)
    return group


def remove_group(group_id: int) -> None:
    """Take a role away; Invalid while rules, limits or the policy of the company or its subsidiaries name it."""
    company_id = company_of_actor()
    with write() as session:
        lock_company(company_id)
        group = own_group(group_id)
        rules = session.scalars(select(Rule)).all()
        named = any(group.role in (*rule.for_roles, *(r for step in rule.steps for r in step["roles"])) for rule in rules)
        limited = session.scalar(select(Limit.id).where(Limit.role == group.role).limit(1))
        by_period = session.scalar(select(SpendLimit.id).where(SpendLimit.role == group.role).limit(1))
        fallback = session.scalar(select(Policy.id).where(Policy.fallback_role == group.role).limit(1))
        if named or limited or by_period or fallback:
            raise Invalid("APPROVAL-ROLE-NAMED", _("Rules or limits name this role; change them first."))
        session.delete(group)
        after = {"name": group.name}
        _record(company_id, "role removed", after)
