"""People: create, change, stop; staff roles and who may give them. Callers hold the permission; rules are here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from core.accounts import attempts, links, passwords, sessions
from core.accounts.mails import address_of
from core.accounts.models import StaffRole, User
from core.accounts.roles import STAFF
from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import locked, write
from core.i18n import LOCALES, _, speaking
from core.jobs.mail import send_mail
from core.jobs.services import emit
from core.spec.errors import Forbidden, Invalid, NotFound

_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
#: What mail can be sent to: words of ASCII with single dots between them, and a domain of any letters.
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@)[\w!#$%&'*+/=?^`{{|}}~-]+(?:\.[\w!#$%&'*+/=?^`{{|}}~-]+)*@(?:{_LABEL}\.)+{_LABEL}")


def normal_email(email: str) -> str:
    """Return ``email`` as it is stored (trimmed, lower case); Invalid when it is none."""
    folded = email.strip().lower()
    local, _at, domain = folded.partition("@")
    if len(folded) > 255 or not _EMAIL.fullmatch(folded) or not local.isascii() or not _resolvable(domain):
        raise Invalid("EMAIL", _("“%(email)s” is not an e-mail address. Example: anna@company.example", email=email.strip()))
    return folded


def _resolvable(domain: str) -> bool:
    """Tell whether the domain name system has a way to write a domain, whose last part is longer than a letter."""
    try:
        return len(domain.encode("idna").rpartition(b".")[2]) > 1
    except UnicodeError:
        return False


def find(email: str) -> User | None:
    """Return the person with this address, whatever its case."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def by_code(code: str) -> User:
    """Return the person that ``code`` names; NotFound otherwise."""
    user = db.session.scalar(select(User).where(User.code == code))
    if user is None:
        raise NotFound("USER-UNKNOWN", _("There is no such person."))
    return user


def create_user(email: str, name: str, *, locale: str = "en", password_hash: str | None = None) -> User:
    """Add a person, without a password unless its hash is given; call inside ``write()``. Asks the database nothing.

    The address must be free: see ``find``. Importers call this once for each new person of a batch.
    """
    user = User(
        email=normal_email(email),
        name=_name(name),
        locale=locale if locale in LOCALES else "en",
        password=password_hash,
        active=True,
        fs_uniquifier=secrets.token_hex(16),
        created_at=clock.now(),
        password_changed_at=clock.now() if password_hash else None,
    )
    db.session.add(user)
    return user


def update_user(user: User, *, name: str | None = None, locale: str | None = None) -> bool:
    """Change what is given; returns whether anything differed. Call inside ``write()``."""
    before = (user.name, user.locale)
    if name is not None:
        user.name = _name(name)
    if locale in LOCALES:
        user.locale = locale
    return before != (user.name, user.locale)


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not 1 <= len(text) <= 200:
        raise Invalid("NAME", _("Enter the person's name (1 to 200 characters)."), details={"field": "name"})
    return text


def set_staff_roles(user: User, roles: Iterable[str]) -> bool:
    """Give ``user`` exactly these staff roles; returns whether they changed. Call inside ``write()``.

    Nobody changes their own roles, and one active administrator always remains. A change ends the person's sessions.
    """
    wanted, held = set(roles), {row.role for row in user.staff_roles}
    unknown = wanted - set(STAFF)
    if unknown:
        raise Invalid("ROLE-UNKNOWN", _("There is no staff role “%(role)s”.", role=sorted(unknown)[0]))
    if wanted == held:
        return False
    if user.id is not None and user.id == current_actor().user_id:
        raise Forbidden("OWN-ROLES", _("You cannot change your own roles. Ask another administrator."))
    if "admin" in held - wanted:
        _keep_an_admin(user)
    user.staff_roles = [StaffRole(role=role) for role in sorted(wanted)]
    db.session.flush()
    sessions.revoke_all(user.id)
    audit.record("user", user.code, "roles_changed", before={"roles": sorted(held)}, after={"roles": sorted(wanted)})
    emit("user.changed", {"user_id": user.id})
    return True


def _keep_an_admin(user: User) -> None:
    """Refuse to stop the last active administrator; of two who stop each other the second waits here, and is refused."""
    admins = select(StaffRole).where(StaffRole.role == "admin").order_by(StaffRole.user_id)
    db.session.scalars(locked(admins)).all()
    others = select(func.count()).select_from(StaffRole).join(User, User.id == StaffRole.user_id)
    found = db.session.scalar(others.where(StaffRole.role == "admin", User.active, User.id != user.id))
    if not found:
        raise Forbidden("LAST-ADMIN", _("This is the last active administrator. Make somebody else one first."))


def invite_staff(email: str, name: str, roles: Sequence[str], *, locale: str = "en") -> tuple[User, str]:
    """Add a member of staff and mail the link by which they choose a password; returns the person and the link."""
    if not roles:
        raise Invalid("ROLE-MISSING", _("Choose at least one role."))
    with write():
        user = find(email) or create_user(email, name, locale=locale)
        db.session.flush()
        set_staff_roles(user, {row.role for row in user.staff_roles} | set(roles))
        audit.record("user", user.code, "invited", after={"email": user.email, "roles": sorted(roles)})
        return user, send_welcome(user)


def send_welcome(user: User) -> str:
    """Mail ``user`` a link to choose a password (14 days); returns the link. Call inside ``write()``."""
    link = address_of("accounts.reset", token=links.issue(user, "welcome"))
    with speaking(user.locale):
        text = _(
            "Hello %(name)s,\n\nan account has been made for you. Choose your password here within 14 days:\n\n%(link)s\n",
            name=user.name,
            link=link,
        )
        send_mail(user.email, _("Your account"), text, locale=user.locale)
    return link


def set_active(user: User, active: bool) -> None:
    """Let a person sign in, or stop them at once, everywhere."""
    with write():
        if user.active == active:
            return
        if not active:
            if user.id == current_actor().user_id:
                raise Forbidden("OWN-ACCOUNT", _("You cannot disable your own account."))
            if any(row.role == "admin" for row in user.staff_roles):
                _keep_an_admin(user)
            sessions.revoke_all(user.id)
            links.end_all(user.id)
        user.active = active
        audit.record("user", user.code, "enabled" if active else "disabled")
        emit("user.changed", {"user_id": user.id})


def change_password(user: User, old: str, new: str, *, about: Iterable[str] = ()) -> None:
    """Change the password of the person who knows the present one; ends their other sessions and open links."""
    key = f"user:{user.id}"
    attempts.check("password", key)
    if not passwords.matches(old, user.password):
        attempts.count("password", key)
        raise Invalid("PASSWORD-WRONG", _("The present password is not right."), details={"field": "old"})
    passwords.check(new, about=(user.name, user.email.split("@")[0], *about))
    hashed, user_id = passwords.hashed(new), user.id
    with write():
        changed = db.session.get_one(User, user_id)
        changed.password, changed.password_changed_at = hashed, clock.now()
        sessions.revoke_all(user_id, keep_current=True)
        links.end_all(user_id)
        audit.record("user", changed.code, "password_changed")
