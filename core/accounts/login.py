"""Signing in and out. A wrong password, an unknown address and a disabled person look and cost the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from flask import request, session
from flask_security.utils import login_user, logout_user

from core.accounts import attempts, identity, links, passwords, second_factor, sessions, users
from core.accounts.mails import address_of
from core.accounts.models import User
from core.data import audit, clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.data.write import write
from core.i18n import _, speaking
from core.jobs.mail import send_mail
from core.spec.errors import Invalid

_PENDING = timedelta(minutes=10)


class Step(StrEnum):
    """What comes next after a right password."""

    DONE = "done"
    SECOND_FACTOR = "second_factor"


def with_password(email: str, password: str) -> Step:
    """Sign in with a password; Invalid when it is refused, TooMany when guesses are used up."""
    keys = _keys("user", email.strip().lower())
    attempts.check("login", *keys)
    user = users.find(email)
    if not passwords.matches(password, user.password if user and user.active else None) or user is None:
        _refused(user, "login", keys)
        raise Invalid("SIGN-IN-REFUSED", _("The address or the password is not right."))
    if user.tf_totp_secret:
        until = (clock.now() + _PENDING).isoformat()
        session["pending"] = {"user_id": user.id, "until": until, "of": _age_of_password(user)}
        return Step.SECOND_FACTOR
    begin(user)
    return Step.DONE


def pending() -> User | None:
    """Return who has given the right password and owes a second factor."""
    waiting = session.get("pending")
    if not waiting or datetime.fromisoformat(waiting["until"]) <= clock.now():
        return None
    user = db.session.get(User, waiting["user_id"])
    return user if user and user.active and waiting.get("of") == _age_of_password(user) else None


def _age_of_password(user: User) -> str:
    """Return what tells whether the password is still the one that was given."""
    return user.password_changed_at.isoformat() if user.password_changed_at else ""


def with_second_factor(code: str) -> None:
    """Finish signing in with a code of the authenticator or a recovery code."""
    user = pending()
    if user is None:
        raise Invalid("SIGN-IN-ENDED", _("Signing in took too long. Start again."))
    keys, proved = _keys("user", str(user.id)), user.password
    attempts.check("second", *keys)
    if not second_factor.accept(user.id, code):
        _refused(user, "second", keys)
        raise Invalid("CODE-WRONG", _("The code is not right, or has been used. Wait for the next one."))
    begin(db.session.get_one(User, user.id), proved)


FRESH = timedelta(minutes=15)


def is_fresh() -> bool:
    """Tell whether the person gave the password lately enough to touch credentials."""
    proved = sessions.proved_at()
    return proved is not None and clock.now() - proved < FRESH


def prove(user: User, password: str) -> None:
    """Take the password of the signed-in person once more; Invalid when it is wrong, TooMany when guesses are used up."""
    key, user_id = f"user:{user.id}", user.id
    attempts.check("password", key)
    if not passwords.matches(password, user.password):
        attempts.count("password", key)
        raise Invalid("PASSWORD-WRONG", _("The password is not right."), details={"field": "password"})
    attempts.forget("password", f"user:{user_id}")
    sessions.prove()


def sign_out() -> None:
    """End the session of this request."""
    user_id = session.user_id  # type: ignore[attr-defined]
    if user_id is not None:
        with write():
            _note(db.session.get_one(User, user_id), "signed_out")
    logout_user()
    sessions.end()
    session.clear()


def begin(user: User, proved: str | None = None) -> None:
    """Begin the session of a person who has proved to be one; Invalid where the password was changed meanwhile.

    What a visitor had collected comes along, what another person had does not. ``proved`` is the hash of the password
    that was given, where it was given before ``user`` was read.
    """
    if session.user_id is not None:  # type: ignore[attr-defined]
        sessions.end()
        session.clear()
    user_id, email, office, proved = user.id, user.email, user.is_staff, proved or user.password
    attempts.forget("login", f"user:{email}")
    attempts.forget("second", f"user:{user_id}")
    user = db.session.get_one(User, user_id)
    login_user(user)
    sessions.sign_in(user_id, office=office)
    with write():
        # whoever changes the password ends all sessions: one that began in that moment is not among them
        signed_in = second_factor.locked_user(user_id)
        still = signed_in.active and signed_in.password == proved
        if still:
            signed_in.last_login_at = clock.now()
            _note(signed_in, "signed_in")
    if not still:
        logout_user()
        sessions.end()
        session.clear()
        raise Invalid("SIGN-IN-REFUSED", _("The address or the password is not right."))
    identity.load_actor()


def _refused(user: User | None, kind: str, keys: tuple[str, ...]) -> None:
    user_id = user.id if user else None
    with write():
        attempts.count(kind, *keys)
        if user_id is not None:
            _note(db.session.get_one(User, user_id), "sign_in_refused")


def _note(user: User, action: str) -> None:
    """Write to the audit in the person's own name."""
    db.session.flush()
    actor, code = Actor(user.id, user.name, Scope("companies")), user.code
    address = {"address": request.remote_addr or ""}
    with acting(actor):
        audit.record("user", code, action, after=address)
        db.session.flush()


def _keys(name: str, value: str) -> tuple[str, ...]:
    return (f"{name}:{value}", f"address:{request.remote_addr or ''}")


def ask_for_reset(email: str) -> None:
    """Mail a link to choose a new password, if the address is known; the caller cannot tell."""
    keys = _keys("user", email.strip().lower())
    attempts.check("reset", *keys)
    attempts.count("reset", *keys)
    user = users.find(email)
    if user is not None and user.active:
        start_reset(user)


def start_reset(user: User) -> str:
    """Mail ``user`` a link to choose a new password (30 minutes); returns the link."""
    with write():
        link = address_of("accounts.reset", token=links.issue(user, "reset"))
        with speaking(user.locale):
            text = _(
                "Hello %(name)s,\n\nchoose a new password here within 30 minutes:\n\n%(link)s\n\n"
                "If you did not ask for it, do nothing: your password stays as it is.\n",
                name=user.name,
                link=link,
            )
            send_mail(user.email, _("Choose a new password"), text, locale=user.locale)
        audit.record("user", user.code, "reset_started")
    return link


def finish_reset(secret: str, password: str) -> None:
    """Set the new password of the person behind a link; ends all their sessions and does not sign them in."""
    user = links.holder(secret)
    passwords.check(password, about=(user.name, user.email.split("@")[0]))
    hashed = passwords.hashed(password)
    with write():
        user = links.redeem(secret, hashed)
        user_id = user.id
        sessions.revoke_all(user_id)
        links.end_all(user_id)
        _note(user, "password_reset")
