"""From roles to permissions: what registered permissions say, compiled once for each app."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from flask import current_app

from core.i18n import _l
from core.registry.registry import registry
from core.settings.services import get

STAFF = ("admin", "sales", "finance", "warehouse")
BUYER = ("orderer", "approver", "company_admin", "viewer")
GUEST = "guest"
#: values of the setting ``buyer_second_factor`` -> the buyers' roles that need one
SECOND_FACTOR: dict[str, tuple[str, ...]] = {
    "nobody": (),
    "company_admin": ("company_admin",),
    "approver": ("company_admin", "approver"),
    "everybody": BUYER,
}
TITLES = {
    "admin": _l("Administrator"),
    "sales": _l("Sales"),
    "finance": _l("Finance"),
    "warehouse": _l("Warehouse"),
    "orderer": _l("Orderer"),
    "approver": _l("Approver"),
    "company_admin": _l("Company administrator"),
    "viewer": _l("Viewer"),
}
#: the deployment's switch for visitors -> the domain whose guest permissions hang on it
GUEST_SWITCHES = {"guest_sees_products": "catalog", "guest_sees_prices": "pricing", "guest_may_order": "orders"}
_KEY, _NEEDS = "tukku.permissions", "tukku.permissions.needs"


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the permissions that ``roles`` hold together, without those that lack what they need."""
    held = _by_role()
    return complete(frozenset().union(*(held.get(role, frozenset()) for role in roles)))


def complete(names: frozenset[str]) -> frozenset[str]:
    """Return the permissions that may be held together: each goes that lacks what it needs (``Permission.needs``)."""
    while lacking := {name for name in names & needs().keys() if not needs()[name] <= names}:
        names -= lacking
    return names


def needs() -> dict[str, frozenset[str]]:
    """Return what permissions need that need others."""
    compiled: dict[str, frozenset[str]] | None = current_app.extensions.get(_NEEDS)
    if compiled is None:
        found = registry().values("app_permissions")
        compiled = current_app.extensions[_NEEDS] = {one.name: frozenset(one.needs) for one in found if one.needs}
    return compiled


def guest_permissions() -> frozenset[str]:
    """Return what a visitor may do: the guest permissions, but those of domains whose switch is off."""
    off = {domain for key, domain in GUEST_SWITCHES.items() if not get("core", key)}
    return complete(frozenset(name for name in permissions_of([GUEST]) if name.split(".", 1)[0] not in off))


def acting_permissions(roles: Iterable[str], staff_roles: Iterable[str] = ()) -> frozenset[str]:
    """Return what staff may do while acting for a buyer with ``roles``: neither decide nor touch people and credentials.

    Of what their own ``staff_roles`` hold they keep what is declared so (``Permission.carried``).
    """
    carried = frozenset(permission.name for permission in registry().values("app_permissions") if permission.carried)
    lent = frozenset(name for name in permissions_of(roles) if _may_be_lent(name))
    return complete(lent | (permissions_of(staff_roles) & carried))


_NEVER_LENT_DOMAINS = ("accounts",)
_NEVER_LENT_OBJECTS = ("member", "invitation", "approval")
_NEVER_LENT_ACTIONS = ("approve", "reject", "decide", "release")


def _may_be_lent(name: str) -> bool:
    domain, entity, action = (*name.split("."), "", "")[:3]
    return not (domain in _NEVER_LENT_DOMAINS or entity in _NEVER_LENT_OBJECTS or action in _NEVER_LENT_ACTIONS)


def _by_role() -> dict[str, frozenset[str]]:
    """Return role -> permissions; the registry of an app never changes. Administrators hold whatever any staff holds."""
    compiled: dict[str, frozenset[str]] | None = current_app.extensions.get(_KEY)
    if compiled is None:
        held: dict[str, set[str]] = defaultdict(set)
        for permission in registry().values("app_permissions"):
            roles = set(permission.roles)
            if not roles or roles & set(STAFF):
                roles.add("admin")
            for role in roles:
                held[role].add(permission.name)
        compiled = current_app.extensions[_KEY] = {role: frozenset(names) for role, names in held.items()}
    return compiled
