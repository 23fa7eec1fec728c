"""Flask-Security as the engine of identity: who somebody is. What they may do is decided in core.accounts.roles.

Made anew for each app that is built; it mounts no page of its own. Its mails would go through our outbox, its
password hashes are Argon2id, and a TOTP code works once.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, cast

from flask import Flask, current_app
from flask_login.utils import _user_context_processor
from flask_security import Security
from flask_security.datastore import SQLAlchemyUserDatastore
from flask_security.mail_util import MailUtil
from flask_security.totp import Totp
from passlib.exc import TokenError

from core.accounts.models import StaffRole, User
from core.data import clock
from core.data.db import db
from core.jobs.mail import send_mail

ARGON2 = {"argon2__memory_cost": 19456, "argon2__time_cost": 2, "argon2__parallelism": 1}
TOTP_WINDOW = 30  # seconds to either side


class OutboxMail(MailUtil):
    """Sends the engine's mails through the outbox."""

    def send_mail(
        self, template: str, subject: str, recipient: str, sender: Any, body: str, html: str | None, **_: Any
    ) -> None:
        send_mail(recipient, subject, body)


class OnceTotp(Totp):
    """TOTP by core's clock; a code that was used, or an older one, is refused."""

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = TOTP_WINDOW) -> bool:
        try:
            match = self._totp.verify(
                token,
                totp_secret,
                time=clock.now().timestamp(),
                window=window,
                last_counter=self.get_last_counter(user),
            )
        except (TokenError, ValueError):
            return False
        self.set_last_counter(user, match)
        return True

    def get_last_counter(self, user: User) -> int | None:
        return user.totp_last_counter

    def set_last_counter(self, user: User, tmatch: Any) -> None:
        user.totp_last_counter = tmatch.counter


def init_engine(app: Flask, issuer: str) -> Security:
    """Attach Flask-Security to ``app``; ``issuer`` is what an authenticator app shows."""
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106  (the name of a method)
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=ARGON2,
        SECURITY_PASSWORD_LENGTH_MIN=12,
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TOTP_SECRETS={"1": derived_key(app, "totp")},
        SECURITY_TOTP_ISSUER=issuer,
        SECURITY_CLI_USERS_NAME=False,
        SECURITY_CLI_ROLES_NAME=False,
        SESSION_PROTECTION=None,  # our sessions are rows; a changed browser string ends nothing
    )
    datastore = SQLAlchemyUserDatastore(db, User, StaffRole)
    security = Security(app, datastore, register_blueprint=False, totp_cls=OnceTotp, mail_util_cls=OutboxMail)
    # both would read the person again for every page: for rights nobody asks, and a name no template shows
    security.principal.identity_loaders.clear()
    app.template_context_processors[None].remove(_user_context_processor)
    return security


def engine() -> Security:
    """Return the current app's Flask-Security."""
    return cast(Security, current_app.extensions["security"])


def derived_key(app: Flask, purpose: str) -> str:
    """Return a key for one purpose, derived from the secret key."""
    return hmac.new(str(app.secret_key).encode(), f"tukku.{purpose}".encode(), hashlib.sha256).hexdigest()
