"""The second factor: codes of an authenticator app, each good once, and recovery codes, stored hashed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from core.accounts import identity
from core.accounts.engine import derived_key, engine
from core.accounts.models import User
from core.data import audit
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import locked, write
from core.i18n import _, speaking
from core.jobs.mail import send_mail
from core.settings.services import get
from core.spec.errors import Forbidden, Invalid

RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person needs to set up an authenticator: a picture to scan, or a key to type."""

    key: str
    image: str
    uri: str


def new_secret() -> str:
    """Return a new secret, encrypted; kept in the session until a code proves that the app has it."""
    return str(engine().totp_factory.generate_totp_secret())


def enrolment(secret: str, email: str) -> Enrolment:
    """Return how to put ``secret`` into an authenticator."""
    factory = engine().totp_factory
    return Enrolment(
        key=factory.get_totp_pretty_key(secret),
        image=factory.generate_qrcode(email, secret),
        uri=factory.get_totp_uri(email, secret),
    )


def enrol(user_id: int, secret: str, code: str) -> list[str]:
    """Switch the second factor on, once ``code`` proves the app; returns the recovery codes, shown only now."""
    with write():
        user = locked_user(user_id)
        user.totp_last_counter = None
        if not engine().totp_factory.verify_totp(_digits(code), secret, user):
            raise Invalid("CODE-WRONG", _("The code is not right. Check the clock of your phone and try the next one."))
        user.tf_totp_secret, user.tf_primary_method = secret, "authenticator"
        codes = _new_recovery_codes(user)
        audit.record("user", user.code, "second_factor_set")
    return codes


def renew_recovery_codes(user_id: int) -> list[str]:
    """Return new recovery codes; the old ones end."""
    with write():
        user = locked_user(user_id)
        if not user.tf_totp_secret:
            raise Invalid("NO-SECOND-FACTOR", _("Set up an authenticator first."))
        codes = _new_recovery_codes(user)
        audit.record("user", user.code, "recovery_codes_renewed")
    return codes


def accept(user_id: int, code: str) -> bool:
    """Tell whether ``code`` is right, and use it up."""
    with write():
        user = locked_user(user_id)
        if not user.tf_totp_secret:
            return False
        if engine().totp_factory.verify_totp(_digits(code), user.tf_totp_secret, user):
            return True
        return _use_recovery_code(user, code)


def remove(user: User) -> None:
    """Switch the second factor off: for oneself where it is not required, or for somebody who lost the phone."""
    if user.id == current_actor().user_id and required():
        raise Forbidden("SECOND-FACTOR-REQUIRED", _("You need a second factor here; you can replace it, not remove it."))
    with write():
        changed = locked_user(user.id)
        changed.tf_totp_secret = changed.tf_primary_method = None
        changed.totp_last_counter = changed.mf_recovery_codes = None
        audit.record("user", changed.code, "second_factor_removed")
        if changed.id != current_actor().user_id:
            _tell(changed)


def _tell(user: User) -> None:
    """Mail a person that somebody else took their second factor, so that nobody is robbed of it unnoticed."""
    with speaking(user.locale):
        text = _(
            "Hello %(name)s,\n\n%(who)s removed the second factor from your sign-in: your password alone signs you in until "
            "you set up a new one.\n\nIf you did not ask for this, change your password and tell us.\n",
            name=user.name,
            who=current_actor().name,
        )
        send_mail(user.email, _("Your second factor was removed"), text, locale=user.locale)


def required() -> bool:
    """Tell whether the signed-in person cannot go without: as staff, or as a buyer of the active company."""
    who = identity.current()
    if who.person is not None and who.person.is_staff and get("core", "staff_second_factor"):
        return True
    return who.buyer is not None and who.acting is None and identity.second_factor_due(who.buyer)


def locked_user(user_id: int) -> User:
    """Return the person under a lock, as the database has it now: two requests with one code must not both win."""
    return db.session.scalars(locked(select(User).where(User.id == user_id), of=User)).one()


def _new_recovery_codes(user: User) -> list[str]:
    codes: list[str] = engine().totp_factory.generate_recovery_codes(RECOVERY_CODES)
    user.mf_recovery_codes = [_hash(code) for code in codes]
    return codes


def _use_recovery_code(user: User, code: str) -> bool:
    stored, wanted = list(user.mf_recovery_codes or ()), _hash(code)
    found = [known for known in stored if hmac.compare_digest(known, wanted)]
    user.mf_recovery_codes = [known for known in stored if known not in found]
    return bool(found)


def _hash(code: str) -> str:
    plain = "".join(c for c in code.lower() if c.isalnum())
    key = derived_key(current_app._get_current_object(), "recovery")  # type: ignore[attr-defined]
    return hmac.new(key.encode(), plain.encode(), hashlib.sha256).hexdigest()


def _digits(code: str) -> str:
    return "".join(c for c in code if c.isdigit())


def remaining(user: User) -> int:
    """Return how many recovery codes are left."""
    return len(user.mf_recovery_codes or ())
