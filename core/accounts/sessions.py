"""Server-side sessions: the cookie holds a random token, a row its hash; ended by idleness, age, or whoever may.

A GET never writes. So the instant of the last request travels signed in the cookie itself, and what a page
must remember without a row (a guest's CSRF token, messages for the next page) in a second, signed cookie.
A visitor gets a row only when a POST puts something into the session.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from flask import Flask, Request, Response, g, has_request_context, request, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, TimestampSigner, URLSafeSerializer
from sqlalchemy import Select, bindparam, delete, func, select, update

from core.accounts.models import LoginSession, StaffRole, User
from core.data import clock, stamps
from core.data.db import db
from core.data.write import write

OFFICE = (timedelta(hours=3), timedelta(hours=12))
SHOP = (timedelta(hours=12), timedelta(days=14))
CSRF = "csrf_token"
FLASHES = "_flashes"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_REFRESH = timedelta(minutes=5)
API = "/api/"
#: Addresses that are the same for everybody, and those of the API, which takes keys: no session is opened for them.
BARE_PATHS = ("/static/", "/healthz", "/readyz", API)


class ServerSession(dict[str, Any], SessionMixin):
    """What Flask sees as ``session``; ``row`` is the stored session, None for a visitor without one."""

    def __init__(self, data: dict[str, Any] | None = None, row: Any = None, token: str = "") -> None:
        super().__init__(data or {})
        self.row = row
        self.token = token
        self.side: dict[str, Any] = {}
        self.seen: datetime | None = None
        self.clear_cookie = False
        self.stored = ""

    def kept(self) -> dict[str, Any]:
        """Return what belongs into the row."""
        side = {FLASHES} if self.user_id else {FLASHES, CSRF}
        return {key: value for key, value in self.items() if key not in side}

    def beside(self) -> dict[str, Any]:
        """Return what belongs into the second cookie."""
        kept = self.kept()
        return {key: value for key, value in self.items() if key not in kept}

    @property
    def user_id(self) -> int | None:
        """The signed-in person."""
        return self.row.user_id if self.row is not None else None


class Signer(TimestampSigner):
    """A signer that takes the time from core's clock."""

    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


class ServerSessions(SessionInterface):
    """Opens and saves sessions; ``secure`` says that the shop is served over https."""

    def __init__(self, app: Flask) -> None:
        secret = app.secret_key
        if not secret:
            raise RuntimeError("sessions need a secret key: set TUKKU_SECRET_KEY")
        self.secure = bool(app.config.get("SESSION_COOKIE_SECURE"))
        self.name = "__Host-sid" if self.secure else "sid"
        self.side_name = "__Host-page" if self.secure else "page"
        self.signer = Signer(secret, salt="tukku.session")
        self.side_signer = URLSafeSerializer(secret, salt="tukku.page")

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        if request.path.startswith(BARE_PATHS):
            return ServerSession()
        opened = self._open(request.cookies.get(self.name, ""))
        opened.side = self._read_side(request.cookies.get(self.side_name, ""))
        for key, value in opened.side.items():
            opened.setdefault(key, deepcopy(value))  # flash() appends in place, which the comparison must see
        return opened

    def _open(self, cookie: str) -> ServerSession:
        if not cookie:
            return ServerSession()
        row, token, seen = self._row_of(cookie)
        if row is None:
            fresh = ServerSession()
            fresh.clear_cookie = True
            return fresh
        opened = ServerSession(dict(row.data or {}), row, token)
        opened.seen, opened.stored = seen, _canonical(opened.kept())
        return opened

    def _row_of(self, cookie: str) -> tuple[Any, str, datetime | None]:
        try:
            raw, seen = self.signer.unsign(cookie, return_timestamp=True)
        except BadSignature:
            return None, "", None
        token, seen = raw.decode(), seen.replace(tzinfo=UTC)
        row = find(token)
        if row is None or not alive(row, max(row.last_seen_at, seen)):
            return None, "", None
        return row, token, seen

    def _read_side(self, cookie: str) -> dict[str, Any]:
        try:
            return dict(self.side_signer.loads(cookie)) if cookie else {}
        except (BadSignature, TypeError, ValueError):
            return {}

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, ServerSession)
        if request.path.startswith(BARE_PATHS):
            return
        if request.method not in _SAFE:
            _store(session)
        response.vary.add("Cookie")
        self._send_token(session, response)
        self._send_side(session, response)

    def _send_token(self, session: ServerSession, response: Response) -> None:
        if session.token:
            if session.seen is None or clock.now() - session.seen >= _REFRESH:
                self._set(response, self.name, self.signer.sign(session.token).decode())
        elif session.clear_cookie:
            self._drop(response, self.name)

    def _send_side(self, session: ServerSession, response: Response) -> None:
        beside = session.beside()
        if beside == session.side:
            return
        if beside:
            self._set(response, self.side_name, str(self.side_signer.dumps(beside)))
        else:
            self._drop(response, self.side_name)

    def _set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="Lax")


def find(token: str) -> Any:
    """Return the columns of the session with ``token`` and of the person whose it is, or None."""
    row = db.session.connection().execute(_found(), {"token_hash": digest(token)}).one_or_none()
    if row is not None:
        stamps.heard(row.stamps)
    return row


@cache
def _found() -> Select[Any]:
    """Build the one statement that says which session it is, whose, and what may be taken from memory."""
    found, user, role = LoginSession.__table__, User.__table__.c, StaffRole.__table__.c
    roles = select(func.aggregate_strings(role.role, ",")).where(role.user_id == user.id).scalar_subquery()
    return (
        select(
            *found.c,
            user.code,
            user.email,
            user.name,
            user.locale,
            user.active,
            user.fs_uniquifier,
            user.last_company_id,
            user.unread,
            user.tf_totp_secret.is_not(None).label("has_second_factor"),
            roles.label("staff_roles"),
            stamps.column().label("stamps"),
        )
        .select_from(found)
        .outerjoin(User.__table__, user.id == found.c.user_id)
        .where(found.c.token_hash == bindparam("token_hash"))
    )


def alive(row: Any, seen: datetime) -> bool:
    """Tell whether a session last used at ``seen`` still runs."""
    now = clock.now()
    return now < row.expires_at and now - seen < timedelta(seconds=row.idle_seconds)


def digest(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(user_id: int, *, office: bool) -> None:
    """Begin a session of its own for a person, under a new token; what the visitor had collected comes along."""
    current = _current()
    end()
    for key in (CSRF, "pending", "acting", "proved_at"):
        current.pop(key, None)
    current[CSRF] = secrets.token_hex(20)
    _insert(current, user_id, OFFICE if office else SHOP)


def rotate() -> None:
    """Give the session a new token, as at every change of what it may do."""
    current = _current()
    if current.row is None:
        return
    current.token, current.seen = secrets.token_urlsafe(32), None
    current[CSRF] = secrets.token_hex(20)
    g.pop(CSRF, None)
    with write():
        db.session.execute(
            update(LoginSession)
            .where(LoginSession.id == current.row.id)
            .values(token_hash=digest(current.token), data=current.kept())
        )
    current.stored = _canonical(current.kept())


def end() -> None:
    """End the session of this request, if it has a row."""
    current = _current()
    if current.row is not None:
        with write():
            db.session.execute(delete(LoginSession).where(LoginSession.id == current.row.id))
    current.row, current.token, current.seen, current.clear_cookie = None, "", None, True
    current.pop(CSRF, None)
    g.pop(CSRF, None)


def proved_at() -> datetime | None:
    """Return when the person last gave the password in this session; None for visitors."""
    current = _current()
    if current.user_id is None:
        return None
    later = current.get("proved_at")
    return datetime.fromisoformat(later) if later else current.row.created_at  # type: ignore[no-any-return]


def prove() -> None:
    """Note that the person gave the password again just now; the session gets a new token."""
    _current()["proved_at"] = clock.now().isoformat()
    rotate()


def sessions_of(user_id: int) -> list[LoginSession]:
    """Return the sessions of a person that are not over, used last first.

    Whether one ended by idleness only its cookie knows, so such a session stays in the list until its last day.
    """
    running = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.expires_at > clock.now())
    return list(db.session.scalars(running.order_by(LoginSession.last_seen_at.desc())))


def is_current(row: LoginSession) -> bool:
    """Tell whether ``row`` is the session of this request."""
    current = _current()
    return current.row is not None and current.row.id == row.id


def revoke(user_id: int, reference: str) -> bool:
    """End the session of a person that ``LoginSession.reference`` names; returns whether there was one."""
    with write():
        for row in sessions_of(user_id):
            if row.reference == reference:
                db.session.delete(row)
                return True
    return False


def revoke_all(user_id: int, *, keep_current: bool = False) -> int:
    """End all sessions of a person; returns how many there were."""
    statement = delete(LoginSession).where(LoginSession.user_id == user_id)
    if keep_current and has_request_context() and _current().row is not None:
        statement = statement.where(LoginSession.id != _current().row.id)
    with write():
        return int(db.session.execute(statement).rowcount)  # type: ignore[attr-defined]


def prune() -> None:
    """Remove sessions that are over."""
    with write():
        db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= clock.now()))


def _current() -> ServerSession:
    return session._get_current_object()  # type: ignore[attr-defined, no-any-return]


def _store(current: ServerSession) -> None:
    """Write what the request put into the session; a visitor's first row is made here."""
    kept = current.kept()
    if current.row is None:
        if kept:
            _insert(current, None, SHOP)
        return
    if _canonical(kept) != current.stored or clock.now() - current.row.last_seen_at > _REFRESH:
        with write():
            db.session.execute(
                update(LoginSession).where(LoginSession.id == current.row.id).values(data=kept, last_seen_at=clock.now())
            )


def _insert(current: ServerSession, user_id: int | None, limits: tuple[timedelta, timedelta]) -> None:
    now, (idle, whole) = clock.now(), limits
    current.token, current.seen = secrets.token_urlsafe(32), None
    row = LoginSession(
        token_hash=digest(current.token),
        user_id=user_id,
        data={key: value for key, value in current.items() if key != FLASHES and (user_id or key != CSRF)},
        created_at=now,
        last_seen_at=now,
        idle_seconds=int(idle.total_seconds()),
        expires_at=now + whole,
        user_agent=(request.user_agent.string or "")[:255],
        address=(request.remote_addr or "")[:64],
    )
    with write():
        db.session.add(row)
    current.row = find(current.token)
    current.stored = _canonical(current.kept())


def _canonical(data: dict[str, Any]) -> str:
    return json.dumps(data, sort_keys=True)
