"""Invitations into a company by link: the secret is mailed and shown once, stored hashed, works once, ends after 14 days."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from core.accounts import passwords, users
from core.accounts.mails import address_of, path_of
from core.accounts.models import User
from core.accounts.sessions import digest
from core.companies.memberships import checked_roles, may_grant, set_memberships
from core.companies.models import Company, Invitation, Membership
from core.companies.services import seller
from core.companies.tree import lock_company
from core.data import audit, clock
from core.data.db import db
from core.data.scope import acting, current_actor, system, unscoped
from core.data.write import write
from core.i18n import _, _l, speaking
from core.jobs.mail import send_mail
from core.jobs.services import emit
from core.notifications.services import Message, notify
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound
from core.spec.notifications import NotificationKind

LIFETIME = timedelta(days=14)
INVITED, ACCEPTED = "companies.invited", "companies.accepted"
KINDS = (
    NotificationKind(
        "invited", _l("Invitation to buy for a company"), _l("The mail with the link is sent in any case."),
        mail="none", icon="person-plus", order=40,
    ),
    NotificationKind(
        "accepted", _l("My invitation accepted"), _l("Somebody whom you invited has joined."),
        mail="none", icon="person-check", order=50,
    ),
)  # fmt: skip
_REASON = "whoever holds the secret of an invitation may see and accept it"


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation says to the person who opened its link."""

    email: str
    name: str
    company: str
    roles: tuple[str, ...]
    known: bool


def invite(company: Company, email: str, name: str, roles: Iterable[str], *, locale: str = "") -> str:
    """Invite a person; mails the link and returns it, to be shown once. An open invitation of the address is replaced."""
    address, wanted = users.normal_email(email), checked_roles(roles)
    if not wanted:
        raise Invalid("ROLE-MISSING", _("Choose at least one role."), details={"field": "roles"})
    may_grant(wanted)
    with write():
        lock_company(company.id)
        _refuse_member(company, address)
        for earlier in open_invitations(company.id):
            if earlier.email == address:
                earlier.revoked_at = clock.now()
        return _send(company, address, " ".join(name.split())[:200], sorted(wanted), locale or company.locale)


def resend(company: Company, invitation: Invitation) -> str:
    """Replace an open invitation by one with a new secret and a new end; returns the link."""
    with write():
        invitation = _still_open(company, invitation)
        invitation.revoked_at = clock.now()
        return _send(company, invitation.email, invitation.name, list(invitation.roles), company.locale)


def _send(company: Company, email: str, name: str, roles: list[str], locale: str) -> str:
    now, secret = clock.now(), secrets.token_urlsafe(32)
    db.session.add(
        Invitation(
            company_id=company.id,
            email=email,
            name=name,
            roles=roles,
            token_hash=digest(secret),
            invited_by=current_actor().user_id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    db.session.flush()
    link = address_of("companies.invitation", token=secret)
    with speaking(locale):
        subject = _("Invitation to %(shop)s", shop=seller().name)
        text = _(
            "Hello %(name)s,\n\n%(inviter)s invites you to buy for %(company)s. Accept here within 14 days:\n\n%(link)s\n",
            name=name or email,
            inviter=current_actor().name,
            company=company.name,
            link=link,
        )
        send_mail(email, subject, text, locale=locale)
    _tell_invited(email, company, digest(secret))
    audit.record("invitation", email, "sent", company_id=company.id, after={"company": company.code, "roles": roles})
    emit("user.invited", {"company_id": company.id, "company": company.code, "email": email})
    return link


def _tell_invited(email: str, company: Company, key: str) -> None:
    """Let somebody who has an account already see it on the page too; the secret of the link goes by mail only."""
    known = users.find(email)
    if known is None:
        return
    inviter = current_actor().name

    def compose() -> Message:
        return Message(
            _(
                "%(inviter)s invites you to buy for %(company)s; the link to accept is in your mail",
                inviter=inviter,
                company=company.name,
            )
        )

    notify(INVITED, [known.id], compose, key=key)


def _tell_inviter(user: User, company: Company, invitation: Invitation) -> None:
    """Tell who invited that it was accepted."""
    inviter = db.session.get(User, invitation.invited_by) if invitation.invited_by else None
    if inviter is None or inviter.id == user.id:
        return
    url = path_of("companies_admin.company", code=company.code) if inviter.is_staff else path_of("companies.members")

    def compose() -> Message:
        return Message(_("%(name)s now buys for %(company)s", name=user.name, company=company.name), url=url)

    notify(ACCEPTED, [inviter.id], compose, key=invitation.token_hash)


def _refuse_member(company: Company, email: str) -> None:
    member = select(Membership.id).join(User, User.id == Membership.user_id)
    found = member.where(Membership.company_id == company.id, User.email == email).limit(1)
    if db.session.scalar(found) is not None:
        raise Conflict(
            "ALREADY-MEMBER",
            _(
                "%(email)s already belongs to %(company)s. Change the roles there instead.",
                email=email,
                company=company.name,
            ),
            details={"field": "email"},
        )


def open_invitations(company_id: int) -> list[Invitation]:
    """Return the invitations that wait for an answer, newest first."""
    waiting = select(Invitation).where(
        Invitation.company_id == company_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
    return list(db.session.scalars(waiting.order_by(Invitation.created_at.desc(), Invitation.id.desc())))


def invitation_by_reference(company_id: int, reference: str) -> Invitation:
    """Return an open invitation of the company; NotFound otherwise."""
    found = [row for row in open_invitations(company_id) if row.reference == reference]
    if not found:
        raise NotFound("INVITATION-UNKNOWN", _("This invitation has been answered or withdrawn."))
    return found[0]


def revoke(company: Company, invitation: Invitation) -> None:
    """Withdraw an invitation."""
    with write():
        invitation = _still_open(company, invitation)
        invitation.revoked_at = clock.now()
        audit.record("invitation", invitation.email, "withdrawn", company_id=company.id)


def _still_open(company: Company, invitation: Invitation) -> Invitation:
    """Return the invitation as it is now, with nobody answering it meanwhile; NotFound where somebody has."""
    lock_company(company.id)
    found = db.session.get(Invitation, invitation.id, populate_existing=True)
    if found is None or not _is_open(found):
        raise NotFound("INVITATION-UNKNOWN", _("This invitation has been answered or withdrawn."))
    return found


def read(secret: str) -> Invited:
    """Return what the invitation behind a link says; NotFound when it is over."""
    invitation, company = _open(secret)
    known = users.find(invitation.email) is not None
    return Invited(invitation.email, invitation.name, company.name, tuple(invitation.roles), known)


def accept_as_new(secret: str, name: str, password: str, locale: str) -> int:
    """Make the invited person's account and membership; returns the person's id. The caller signs them in."""
    invited = read(secret)
    passwords.check(password, about=(name, invited.email.split("@")[0], invited.company))
    hashed = passwords.hashed(password)
    with acting(system("invitation accepted")), write():
        invitation, company = _opened(secret)
        if users.find(invitation.email) is not None:
            raise Conflict("SIGN-IN-FIRST", _("There is an account for this address. Sign in, then open the link again."))
        user = users.create_user(invitation.email, name, locale=locale, password_hash=hashed)
        user.confirmed_at = clock.now()
        db.session.flush()
        _join(user, company, invitation)
        return user.id


def accept_as(secret: str, user_id: int) -> int:
    """Add the membership to the signed-in person, whose address must be the invited one; returns the company's id."""
    with acting(system("invitation accepted")), write():
        invitation, company = _opened(secret)
        user = db.session.get_one(User, user_id)
        if user.email != invitation.email:
            raise Forbidden(
                "OTHER-ADDRESS",
                _("The invitation is for %(email)s. Sign out, and sign in with that address.", email=invitation.email),
            )
        _join(user, company, invitation)
        return company.id


def _join(user: User, company: Company, invitation: Invitation) -> None:
    held = {row.role for row in db.session.scalars(_roles_of(user, company))}
    set_memberships(user, company, held | set(invitation.roles))
    invitation.accepted_at = clock.now()
    user.last_company_id = company.id
    audit.record("invitation", invitation.email, "accepted", company_id=company.id, after={"user": user.code})
    db.session.flush()
    _tell_inviter(user, company, invitation)


def _roles_of(user: User, company: Company):  # type: ignore[no-untyped-def]  # a select
    return select(Membership).where(Membership.user_id == user.id, Membership.company_id == company.id)


def _opened(secret: str) -> tuple[Invitation, Company]:
    """Return what a link is for, with the company locked: nobody withdraws it, or changes who belongs there, meanwhile."""
    lock_company(_open(secret)[1].id)
    return _open(secret)


def _open(secret: str) -> tuple[Invitation, Company]:
    statement = (
        select(Invitation, Company)
        .join(Company, Company.id == Invitation.company_id)
        .where(Invitation.token_hash == digest(secret))
    )
    fresh = statement.execution_options(populate_existing=True)
    row = db.session.execute(unscoped(fresh, _REASON)).one_or_none()
    if row is None or row[1].status == "closed" or not _is_open(row[0]):
        raise NotFound("INVITATION-ENDED", _("This invitation has been used, withdrawn or is too old. Ask for a new one."))
    return row[0], row[1]


def _is_open(invitation: Invitation) -> bool:
    answered = invitation.accepted_at or invitation.revoked_at
    return answered is None and invitation.expires_at > clock.now()
