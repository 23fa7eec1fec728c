"""Links by mail that let a person set a password: random, stored hashed, single use, ended by time or a new password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update

from core.accounts.models import User, UserToken
from core.accounts.sessions import digest
from core.data import clock
from core.data.db import db
from core.data.write import locked, write
from core.i18n import _
from core.spec.errors import NotFound

LIFETIME = {"reset": timedelta(minutes=30), "welcome": timedelta(days=14)}


def issue(user: User, kind: str) -> str:
    """Return the secret of a new link for ``user``; earlier links of the kind end. Call inside ``write()``."""
    now, secret = clock.now(), secrets.token_urlsafe(32)
    db.session.execute(
        update(UserToken)
        .where(UserToken.user_id == user.id, UserToken.kind == kind, UserToken.used_at.is_(None))
        .values(used_at=now)
    )
    db.session.add(
        UserToken(
            kind=kind,
            user_id=user.id,
            token_hash=digest(secret),
            bound_to=_binding(user),
            created_at=now,
            expires_at=now + LIFETIME[kind],
        )
    )
    return secret


def holder(secret: str) -> User:
    """Return whose link it is; NotFound when it is unknown, used, over, or the person changed since."""
    found = _valid(secret)
    if found is None:
        raise NotFound("LINK-ENDED", _("This link has been used or is too old. Ask for a new one."))
    return found[1]


def redeem(secret: str, password_hash: str) -> User:
    """Give the person behind the link a new password, once; call inside ``write()``."""
    found = _valid(secret, lock=True)
    if found is None:
        raise NotFound("LINK-ENDED", _("This link has been used or is too old. Ask for a new one."))
    token, user = found
    token.used_at = clock.now()
    user.password, user.password_changed_at = password_hash, clock.now()
    user.fs_uniquifier = secrets.token_hex(16)
    user.confirmed_at = user.confirmed_at or clock.now()
    return user


def _valid(secret: str, *, lock: bool = False) -> tuple[UserToken, User] | None:
    statement = select(UserToken).where(UserToken.token_hash == digest(secret))
    if lock:
        statement = locked(statement)
    token = db.session.scalar(statement)
    if token is None or token.used_at is not None or token.expires_at <= clock.now():
        return None
    user = db.session.get(User, token.user_id)
    if user is None or not user.active or token.bound_to != _binding(user):
        return None
    return token, user


def _binding(user: User) -> str:
    return hashlib.sha256(f"{user.id}\n{user.email}\n{user.password or ''}".encode()).hexdigest()


def end_all(user_id: int) -> None:
    """End every open link of a person."""
    with write():
        db.session.execute(
            update(UserToken).where(UserToken.user_id == user_id, UserToken.used_at.is_(None)).values(used_at=clock.now())
        )
