"""Keys: made, shown once, found by their hash, revoked. A key is the company's or the merchant's, not a person's.

The secret has 256 random bits, so that one fast hash protects it; its prefix lets scanners find a key that leaked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from core.accounts.roles import BUYER, STAFF, needs, permissions_of
from core.companies.models import Company
from core.data import audit, clock
from core.data.db import db
from core.data.scope import Actor, current_actor
from core.data.write import write
from core.i18n import _
from core.restapi.models import ApiKey
from core.spec.errors import Forbidden, Invalid, NotFound

PREFIX = "tukku_"
LONGEST = 366
#: What no key may do, whoever makes it: people and their credentials, and keys themselves.
_NEVER = (
    "accounts.", "restapi.", "companies.invitation.", "companies.member.edit", "companies.buyer.edit",
    "companies.buyer.act_for",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and its secret, which is shown now and never again."""

    key: ApiKey
    secret: str


def offered(company_id: int | None, actor: Actor | None = None) -> tuple[str, ...]:
    """Return the permissions a key may get: what roles of its side hold and, unless the system asks, its maker too."""
    who = actor or current_actor()
    held = permissions_of(STAFF if company_id is None else BUYER)
    lends_all = who.scope.kind == "system" or (who.scope.kind == "merchant" and company_id is not None)
    return tuple(sorted(p for p in held if not p.startswith(_NEVER) and (lends_all or who.may(p))))


def create(name: str, permissions: Iterable[str], *, company_id: int | None, days: int) -> Made:
    """Make a key for a company, or (None) for the merchant's whole data; buyers make keys of their own company only."""
    actor = current_actor()
    if not actor.scope.unlimited and company_id not in actor.scope.own:
        raise Forbidden("KEY-COMPANY", _("You can make keys for your own company only."))
    wanted = sorted(set(permissions))
    if not name.strip():
        raise Invalid("KEY-NAME", _("Give the key a name that says which program uses it."), details={"field": "name"})
    if not wanted:
        raise Invalid("KEY-EMPTY", _("Choose what the key may do."), details={"field": "permissions"})
    if unknown := [p for p in wanted if p not in offered(company_id)]:
        raise Invalid(
            "KEY-PERMISSION",
            _("This key cannot get the permission %(name)s.", name=unknown[0]),
            details={"field": "permissions"},
        )
    if lacking := next((p for p in wanted if not needs().get(p, frozenset()) <= set(wanted)), None):
        missing = sorted(needs()[lacking] - set(wanted))[0]
        raise Invalid(
            "KEY-NEEDS",
            _("%(name)s is worth nothing without %(needs)s: give the key both.", name=lacking, needs=missing),
            details={"field": "permissions"},
        )
    if not 1 <= days <= LONGEST:
        message = _("A key is valid for 1 to %(days)s days; make a new one before it ends.", days=LONGEST)
        raise Invalid("KEY-DAYS", message, details={"field": "days"})
    code, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
    whole, now = f"{PREFIX}{code}_{secret}", clock.now()
    with write() as session:
        key = ApiKey(
            code=code,
            name=name.strip()[:100],
            secret_hash=digest(whole),
            company_id=company_id,
            permissions=wanted,
            created_by=actor.name[:200],
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        session.add(key)
        session.flush()
        after = {"name": key.name, "permissions": wanted, "expires": key.expires_at}
        audit.record("api_key", code, "created", company_id=company_id, after=after)
    return Made(key, whole)


def revoke(code: str) -> ApiKey:
    """End a key at once."""
    with write():
        key = find(code)
        if key.revoked_at is None:
            key.revoked_at = clock.now()
            audit.record("api_key", code, "revoked", company_id=key.company_id)
    return key


def find(code: str) -> ApiKey:
    """Return a key by its code, among those the actor may see."""
    key = db.session.scalar(select(ApiKey).where(ApiKey.code == code))
    if key is None:
        raise NotFound("KEY-UNKNOWN", _("There is no API key %(code)s.", code=code[:20]))
    return key


def listed() -> Sequence[tuple[ApiKey, str]]:
    """Return the keys that the actor may see with the names of their companies, newest first."""
    statement = select(ApiKey, Company.name).outerjoin(Company, Company.id == ApiKey.company_id)
    return [(key, name or "") for key, name in db.session.execute(statement.order_by(ApiKey.id.desc()))]


def state(key: ApiKey) -> str:
    """Return whether a key works: active, revoked or expired."""
    if key.revoked_at is not None:
        return "revoked"
    return "active" if clock.now() < key.expires_at else "expired"


def digest(secret: str) -> str:
    """Return the hash under which a key is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()
