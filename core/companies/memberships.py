"""Who belongs to a company, in which roles; what may be given by whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from core.accounts import second_factor, sessions
from core.accounts.models import User
from core.accounts.roles import BUYER, permissions_of
from core.companies import tree
from core.companies.models import Company, Membership
from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor, unscoped
from core.i18n import _
from core.jobs.services import emit
from core.spec.errors import Forbidden, Invalid

ADMIN, LEAST = "company_admin", "viewer"


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a company with their roles there."""

    user: User
    roles: tuple[str, ...]


def members_of(company_id: int) -> list[Member]:
    """Return the people of a company, by name."""
    rows = db.session.execute(
        select(User, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == company_id)
        .order_by(User.name, User.id)
    )
    roles: dict[int, list[str]] = defaultdict(list)
    people: dict[int, User] = {}
    for user, role in rows:
        people[user.id] = user
        roles[user.id].append(role)
    return [Member(user, tuple(sorted(roles[user.id], key=BUYER.index))) for user in people.values()]


def holders(permission: str, company_id: int, user_ids: Collection[int]) -> list[int]:
    """Return those of the people who hold ``permission`` by their roles in the company or above it, in their order."""
    mine = select(Membership.user_id, Membership.role).where(
        Membership.company_id.in_(tree.ancestors(company_id)), Membership.user_id.in_(user_ids)
    )
    roles: dict[int, set[str]] = defaultdict(set)
    for user_id, role in db.session.execute(unscoped(mine, "who is told does not hang on who acts")):
        roles[user_id].add(role)
    return [one for one in user_ids if permission in permissions_of(roles[one])]


def companies_of(user_id: int) -> list[tuple[Company, tuple[str, ...]]]:
    """Return the companies of a person with the roles there, by name."""
    rows = db.session.execute(
        select(Company, Membership.role)
        .join(Membership, Membership.company_id == Company.id)
        .where(Membership.user_id == user_id)
        .order_by(Company.name, Company.id)
    )
    found: dict[int, tuple[Company, list[str]]] = {}
    for company, role in rows:
        found.setdefault(company.id, (company, []))[1].append(role)
    return [(company, tuple(sorted(held, key=BUYER.index))) for company, held in found.values()]


def set_memberships(user: User, company: Company, roles: Iterable[str], *, held: Sequence[Membership] | None = None) -> bool:
    """Give ``user`` exactly these roles in ``company`` (none: they leave); returns whether they changed.

    Call inside ``write()``. Importers pass ``held``, the present rows, to spare a statement per row. The rules for
    people who edit each other are in ``change_roles``.
    """
    wanted = checked_roles(roles)
    present = list(_held(user.id, company.id) if held is None else held)
    before = {row.role for row in present}
    if wanted == before:
        return False
    for row in present:
        if row.role not in wanted:
            db.session.delete(row)
    now = clock.now()
    db.session.add_all(
        Membership(user_id=user.id, company_id=company.id, role=role, created_at=now) for role in sorted(wanted - before)
    )
    db.session.flush()
    audit.record(
        "member", user.code, "roles_changed", company_id=company.id,
        before={"company": company.code, "roles": sorted(before)}, after={"roles": sorted(wanted)},
    )  # fmt: skip
    emit("member.changed", {"user_id": user.id, "company_id": company.id})
    return True


def change_roles(user: User, company: Company, roles: Iterable[str]) -> bool:
    """Set a member's roles on behalf of the actor, who cannot raise themselves nor take the last administrator away.

    Call inside ``write()``. The person's sessions end, so that the next request knows the new roles under a new token.
    """
    wanted = checked_roles(roles)
    tree.lock_company(company.id)  # or two administrators could remove each other
    before = {row.role for row in _held(user.id, company.id)}
    may_grant(wanted - before)
    if user.id == current_actor().user_id and wanted - before - {LEAST}:
        raise Forbidden("OWN-ROLES", _("You cannot give yourself more rights. Ask another administrator of your company."))
    if ADMIN in before - wanted:
        _keep_an_admin(user, company)
    if not set_memberships(user, company, wanted):
        return False
    sessions.revoke_all(user.id, keep_current=True)
    return True


def remove_second_factor(user: User, company: Company) -> None:
    """Take the second factor from a member who lost it, and end their sessions; the password alone signs them in then.

    Forbidden for oneself, and for who is more than a member of this company: that is for the seller to decide.
    """
    user_id = user.id
    if user_id == current_actor().user_id:
        raise Forbidden("OWN-SECOND-FACTOR", _("Change your own second factor under “Password and sign-in”."))
    others = select(Membership.id).where(Membership.user_id == user_id, Membership.company_id != company.id)
    if user.is_staff or db.session.scalar(
        unscoped(others, "the sign-in of a person is that of all their companies").limit(1)
    ):
        raise Forbidden(
            "SECOND-FACTOR-SHARED", _("%(name)s does not belong to you alone. Ask the seller to remove it.", name=user.name)
        )
    second_factor.remove(user)
    sessions.revoke_all(user_id)


def checked_roles(roles: Iterable[str]) -> set[str]:
    """Return the roles as a set; Invalid when one of them does not exist."""
    wanted = set(roles)
    unknown = wanted - set(BUYER)
    if unknown:
        raise Invalid(
            "ROLE-UNKNOWN",
            _("There is no role “%(role)s”. Roles are: %(list)s.", role=sorted(unknown)[0], list=", ".join(BUYER)),
            details={"field": "roles"},
        )
    return wanted


def may_grant(roles: set[str]) -> None:
    """Refuse to give away more than the actor may: administrators of a company and staff give all, others what they hold."""
    actor = current_actor()
    if actor.scope.unlimited or "companies.member.edit" in actor.permissions:
        return
    if not permissions_of(roles) <= actor.permissions:
        raise Forbidden("ROLE-ABOVE-OWN", _("You cannot give a role that may do more than you."))


def _held(user_id: int, company_id: int) -> list[Membership]:
    return list(
        db.session.scalars(select(Membership).where(Membership.user_id == user_id, Membership.company_id == company_id))
    )


def _keep_an_admin(user: User, company: Company) -> None:
    """Staff may leave a company without administrator; its own people may not."""
    if current_actor().scope.unlimited:
        return
    others = db.session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.company_id == company.id, Membership.role == ADMIN, Membership.user_id != user.id, User.active)
    )
    if not others:
        raise Forbidden(
            "LAST-ADMIN",
            _("This is the last administrator of %(company)s. Make somebody else one first.", company=company.name),
        )
