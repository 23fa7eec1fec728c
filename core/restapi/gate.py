"""In front of every call: which key is it, has it called too often, and who acts then? Cookies are not looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import g, request
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from werkzeug.exceptions import Unauthorized

from core.accounts.identity import SUBTREE
from core.accounts.roles import BUYER, STAFF, complete, permissions_of
from core.companies import tree
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting, current_actor, system, unscoped
from core.data.write import write
from core.i18n import _
from core.restapi.keys import digest
from core.restapi.models import ApiAnswer, ApiKey, ApiUse
from core.settings.services import get
from core.spec.errors import Forbidden, Invalid, NotFound, TukkuError

_BEFORE = "a key is found by its hash before there is an actor"
KEPT_DAYS = 7
#: A process takes so many parts of a minute's calls at most, each with one write.
_PARTS = 20
#: Calls left of a key's minute, by database and key. They belong to the process: an app that is built anew, because an
#: addon was switched, goes on with them.
_taken: dict[tuple[Any, int], tuple[datetime, int]] = {}
_counting = threading.Lock()


class TooManyCalls(TukkuError):
    """The key used up its calls of this minute."""

    status = 429


def authenticate() -> Actor | None:
    """Return the actor of the key in the Authorization header, None where there is none; 401 for one that is no good."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer" or not secret.strip():
        raise _refused(_("Send the key as “Authorization: Bearer tukku_…”."))
    key = db.session.execute(unscoped(_columns().where(ApiKey.secret_hash == digest(secret.strip())), _BEFORE)).first()
    if key is None or key.revoked_at is not None or key.expires_at <= clock.now() or key.status == "closed":
        raise _refused(_("The API key is unknown, revoked or expired. Make a new one."))
    _count(key)
    g.tukku_api_key = key.id
    name = f"API key {key.name} ({key.code})"
    if key.company_id is None:
        return Actor(None, name, Scope("merchant"), permissions=_held(key.permissions, STAFF))
    return _company_actor(name, key.company_id, _held(key.permissions, BUYER))


def need(*permissions: str) -> None:
    """Refuse a key that lacks one of several permissions without which the answer would mislead."""
    if missing := [name for name in permissions if not current_actor().may(name)]:
        message = _("The key lacks the permission %(name)s.", name=missing[0])
        raise Forbidden("NOT-ALLOWED", message, details={"permissions": missing})


@contextmanager
def for_company(code: str) -> Iterator[Company]:
    """Run the block as the key acts for one company: the key's own by default, any visible one for the merchant's keys."""
    actor = current_actor()
    if actor.company_id is None and not code:
        raise Invalid("COMPANY-REQUIRED", _("Name the company: the key is the merchant's."), details=_at("company"))
    named = Company.code == code if code else Company.id == actor.company_id
    company = db.session.scalar(select(Company).where(named))
    visible = company is not None and (actor.scope.unlimited or company.id in actor.scope.subtree)
    if company is None or not visible:
        raise NotFound("COMPANY-UNKNOWN", _("There is no company %(code)s.", code=code[:40]))
    if company.status == "closed":
        raise Forbidden("COMPANY-CLOSED", _("%(company)s is closed: nobody can buy for it.", company=company.name))
    if company.id == actor.company_id:
        yield company
        return
    with acting(_company_actor(actor.name, company.id, actor.permissions)):
        yield db.session.scalars(select(Company).where(Company.id == company.id)).one()


def prune(_payload: dict[str, Any]) -> None:
    """Forget counts and kept answers that nothing asks for any more."""
    now = clock.now()
    with write():
        db.session.execute(delete(ApiUse).where(ApiUse.minute < now - timedelta(hours=1)))
        db.session.execute(delete(ApiAnswer).where(ApiAnswer.created_at < now - timedelta(days=KEPT_DAYS)))


def _columns() -> Any:
    key = ApiKey
    return select(
        key.id, key.code, key.name, key.company_id, key.permissions, key.expires_at, key.revoked_at, Company.status
    ).outerjoin(Company, Company.id == key.company_id)


def _held(names: list[str], roles: tuple[str, ...]) -> frozenset[str]:
    """Return what a key may still do: gone is what its side lost, what lacks a permission it needs, and what is off."""
    return complete(frozenset(names) & permissions_of(roles))


def _company_actor(name: str, company_id: int, held: frozenset[str]) -> Actor:
    above, below = tree.around(company_id)
    own = (company_id,)
    return Actor(None, name, Scope("companies", own, below if SUBTREE in held else own, above), company_id, None, held)


def _count(key: Any) -> None:
    """Count the call and refuse it beyond the limit of the minute.

    A process takes some calls at a time from the database and counts them off in memory, so that most calls write
    nothing. All processes together never give more than the limit; what one has taken and not used is lost.
    """
    limit, minute = get("core", "api_calls_per_minute"), clock.now().replace(second=0, microsecond=0)
    own = db.engine.url, key.id
    with _counting:
        then, left = _taken.get(own, (minute, 0))
        if then == minute and left > 0:
            _taken[own] = (minute, left - 1)
            return
    left = _take(key.id, minute, max(1, limit // _PARTS), limit)
    if left <= 0:
        wait = 60 - clock.now().second
        message = _("The key may call %(limit)s times a minute. Wait and call again.", limit=limit)
        raise TooManyCalls("API-LIMIT", message, details={"retry_after": wait})
    with _counting:
        then, more = _taken.get(own, (minute, 0))
        _taken[own] = (minute, left - 1 + (more if then == minute else 0))


def _take(key_id: int, minute: datetime, wanted: int, limit: int) -> int:
    """Take calls of a key's minute, in one statement that also reads how many are gone; returns how many may be used."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    row = insert(ApiUse).values(key_id=key_id, minute=minute, calls=wanted)
    raised = {"calls": ApiUse.__table__.c.calls + wanted}
    statement = row.on_conflict_do_update(index_elements=["key_id", "minute"], set_=raised).returning(ApiUse.calls)
    with acting(system("count calls of the API")), write():
        calls: int = db.session.execute(statement).scalar_one()
        if calls == wanted:
            db.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=minute))
    return wanted - max(0, calls - limit)


def _refused(message: str) -> Unauthorized:
    error = Unauthorized(message)
    error.tukku_code = "API-KEY"  # type: ignore[attr-defined]
    return error


def _at(field: str) -> dict[str, Any]:
    return {"errors": {"json": {field: [_("A value is needed.")]}}}
