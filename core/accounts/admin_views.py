"""Back-office pages of the merchant's staff and of running sessions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import exists, func, select

from core.accounts import links, login, second_factor, sessions, users
from core.accounts.forms import InviteStaffForm, StaffForm
from core.accounts.models import LoginSession, StaffRole, User
from core.accounts.roles import TITLES
from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _, _l, ngettext
from core.spec.errors import Forbidden, NotFound, TukkuError
from core.ui.access import requires
from core.ui.forms import refuse
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.resource import Field, Resource

bp = Blueprint("accounts_admin", __name__)
MANAGE, BUYERS = "accounts.staff.manage", "companies.buyer.view"


def roles_shown(text: str | None) -> str:
    """Return roles, joined by commas in SQL, with their titles."""
    return ", ".join(str(TITLES.get(role, role)) for role in sorted(text.split(","))) if text else ""


_ROLES = (
    select(func.aggregate_strings(StaffRole.role, ",")).where(StaffRole.user_id == User.id).correlate(User).scalar_subquery()
)
STAFF_LIST = Resource(
    key="accounts.users",
    title=_l("Staff"),
    id=User.id,
    code="code",
    where=lambda: [exists().where(StaffRole.user_id == User.id)],
    fields=(
        Field("name", _l("Name"), User.name, search=True),
        Field("email", _l("E-mail"), User.email, search=True),
        Field("roles", _l("Roles"), _ROLES, show=roles_shown, sort=False, filter=False),
        Field("active", _l("Active"), User.active, "bool", filter=False),
        Field("second_factor", _l("Second factor"), User.tf_totp_secret.is_not(None), "bool", filter=False, sort=False),
        Field("last_login", _l("Signed in last"), User.last_login_at, "instant"),
        Field("code", _l("Code"), User.code, "code", shown=False, sort=False, filter=False, column=False),
    ),
    order="name",
    endpoint="accounts_admin.user",
    search_label=_l("Find by name or e-mail"),
    count=lambda number: ngettext("%(count)s person", "%(count)s people", number),
)


@bp.get("/users")
@requires(MANAGE)
def users_list() -> Any:
    """List the merchant's staff."""
    empty = Empty(_("Nobody is here yet"), _("Invite the people who work in the shop."), "people")
    return show_list(STAFF_LIST, "accounts/staff.html", empty=empty)


@bp.route("/users/invite", methods=["GET", "POST"])
@requires(MANAGE)
def invite() -> Any:
    """Invite somebody to the staff; the link is mailed, and shown once to be copied."""
    form = InviteStaffForm()
    if form.validate_on_submit():
        try:
            user, link = users.invite_staff(
                form.email.data or "", form.name.data or "", form.roles.data or [], locale=form.locale.data
            )
        except TukkuError as error:
            refuse(form, error)
            return render_template("accounts/staff_invite.html", form=form), error.status
        return render_template("accounts/staff_link.html", user=user, link=link, kind="welcome")
    return render_template("accounts/staff_invite.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/users/<code>", methods=["GET", "POST"])
@requires(MANAGE, BUYERS)
def user(code: str) -> Any:
    """Show and change a member of staff; a buyer has a page among the companies."""
    if not users.by_code(code).is_staff:
        return redirect(url_for("companies_admin.buyer", code=code))
    if not current_actor().may(MANAGE):
        raise Forbidden("NOT-ALLOWED", _("Only administrators look after the staff."))
    person = _staff(code)
    form = StaffForm(data={"name": person.name, "locale": person.locale, "roles": [r.role for r in person.staff_roles]})
    if form.validate_on_submit():
        try:
            _save(person, form)
        except TukkuError as error:
            refuse(form, error)
            return _user_page(_staff(code), form), error.status
        flash(_("%(name)s is saved.", name=form.name.data), "success")
        return redirect(
            url_for("accounts_admin.users_list" if not form.roles.data else "accounts_admin.user", code=code), 303
        )
    return _user_page(person, form)


def _save(person: User, form: StaffForm) -> None:
    with write():
        if users.update_user(person, name=form.name.data, locale=form.locale.data):
            audit.record("user", person.code, "changed", after={"name": person.name, "locale": person.locale})
        users.set_staff_roles(person, form.roles.data or [])


def _user_page(person: User, form: StaffForm) -> str:
    return render_template("accounts/staff_user.html", form=form, user=person, sessions=sessions.sessions_of(person.id))


def _staff(code: str) -> User:
    """Return a member of staff; buyers have their page with their company."""
    person = users.by_code(code)
    if not person.is_staff:
        raise NotFound("USER-UNKNOWN", _("There is no such person on the staff."))
    return person


@bp.post("/users/<code>/active")
@requires(MANAGE)
def set_active(code: str) -> Any:
    """Stop a member of staff at once, or let them in again."""
    person, active = _staff(code), request.form.get("active") == "1"
    users.set_active(person, active)
    name = _staff(code).name
    said = (
        _("%(name)s may sign in again.", name=name)
        if active
        else _("%(name)s is disabled, and signed out everywhere.", name=name)
    )
    flash(said, "success")
    return redirect(url_for("accounts_admin.user", code=code), 303)


@bp.post("/users/<code>/reset")
@requires(MANAGE)
def reset(code: str) -> Any:
    """Mail a link to choose a new password; nobody chooses it for another."""
    person = _staff(code)
    if person.password is None:
        with write():
            link, kind = users.send_welcome(person), "welcome"
    else:
        link, kind = login.start_reset(person), "reset"
    return render_template("accounts/staff_link.html", user=_staff(code), link=link, kind=kind)


@bp.post("/users/<code>/second-factor")
@requires(MANAGE)
def remove_second_factor(code: str) -> Any:
    """Take the second factor from somebody who lost it; they set up a new one at the next sign-in."""
    person = _staff(code)
    user_id = person.id
    second_factor.remove(person)
    sessions.revoke_all(user_id)
    flash(_("The second factor is removed. A new one is set up at the next sign-in."), "success")
    return redirect(url_for("accounts_admin.user", code=code), 303)


@bp.get("/sessions")
@requires("accounts.session.manage")
def all_sessions() -> Any:
    """Show who is signed in."""
    rows = db.session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.expires_at > clock.now())
        .order_by(LoginSession.last_seen_at.desc())
        .limit(200)
    ).all()
    return render_template("accounts/sessions.html", rows=rows, is_current=sessions.is_current)


@bp.post("/sessions/end")
@requires("accounts.session.manage")
def end_session() -> Any:
    """End one session of somebody, or all of them."""
    person = users.by_code(request.form.get("user", ""))
    user_id, code = person.id, person.code
    reference = request.form.get("session", "")
    ended = sessions.revoke_all(user_id) if reference == "all" else int(sessions.revoke(user_id, reference))
    with write():
        links.end_all(user_id)
        audit.record("user", code, "sessions_ended", after={"count": ended})
    flash(ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", ended), "success")
    return redirect(url_for("accounts_admin.all_sessions"), 303)
