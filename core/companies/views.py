"""The shop's pages of a company: itself, its addresses, its people; switching between companies; invitations."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for

from core.accounts import attempts, identity, login, sessions
from core.accounts.models import User
from core.accounts.roles import TITLES
from core.companies import addresses, invitations, memberships, services
from core.companies.forms import AcceptForm, AddressForm, InvitationForm, RolesForm
from core.companies.links import shop_links
from core.companies.models import Company
from core.data.db import db
from core.data.write import write
from core.i18n import _, current_locale
from core.spec.errors import NotFound, TukkuError
from core.ui.access import public, requires
from core.ui.forms import refuse, sections_of
from core.ui.links import safe_next

bp = Blueprint("companies", __name__)
VIEW, ADDRESSES, MEMBERS = "companies.company.read", "companies.address.edit", "companies.member.edit"


def mine() -> Company:
    """Return the active company."""
    company = services.current_company()
    if company is None:
        raise NotFound("NO-COMPANY", _("You do not buy for a company at the moment."))
    return company


@bp.post("/company/switch")
@public("one chooses among one's own companies only")
def switch() -> Any:
    """Buy for another of one's companies."""
    who, wanted = identity.current(), request.form.get("company", "")
    chosen = next((company for company in who.companies if company.code == wanted), None)
    if chosen is None or who.person is None:
        raise NotFound("COMPANY-UNKNOWN", _("You do not buy for that company."))
    with write():
        db.session.get_one(User, who.person.id).last_company_id = chosen.id
    session["company_id"] = chosen.id
    sessions.rotate()
    flash(_("You buy for %(company)s now.", company=chosen.name), "success")
    return redirect(safe_next(request.form.get("next"), "/"), 303)


@bp.get("/company")
@requires(VIEW)
def company() -> Any:
    """Show the active company."""
    own = mine()
    around = [c for c in (db.session.get(Company, i) for i in services.ancestors(own.id)[1:]) if c]
    return render_template(
        "companies/company.html",
        company=own,
        parents=around[::-1],
    )


@bp.get("/company/addresses")
@requires(VIEW)
def address_list() -> Any:
    """Show the addresses of the active company."""
    own = mine()
    return render_template(
        "companies/addresses.html", company=own, addresses=addresses.all_addresses(own.id), links=shop_links()
    )


@bp.route("/company/addresses/new", methods=["GET", "POST"])
@requires(ADDRESSES)
def new_address() -> Any:
    """Add an address."""
    return edit_address_page(mine(), None, "companies/address.html", url_for("companies.address_list"))


@bp.route("/company/addresses/<code>", methods=["GET", "POST"])
@requires(ADDRESSES)
def address(code: str) -> Any:
    """Change an address."""
    return edit_address_page(mine(), code, "companies/address.html", url_for("companies.address_list"))


def edit_address_page(own: Company, code: str | None, template: str, done_url: str) -> Any:
    """Show the form of an address (None: a new one) and save it; used by both faces."""
    present = addresses.address_by_code(own.id, code) if code else None
    form = AddressForm(obj=present, data=None if present else {"country": own.country, "name": own.name})
    sections = sections_of("address.edit", present.id if present else None)
    if form.is_submitted() and form.validate() & sections.validate():
        values = {name: value for name, value in form.data.items() if name != "csrf_token"}
        try:
            with write():
                saved = addresses.save_address(own, present, **values)
                sections.save(saved.id)
        except TukkuError as error:
            refuse(form, error)
            again = addresses.address_by_code(own.id, code) if code else None
            page = render_template(template, form=form, sections=sections, company=own, address=again, done_url=done_url)
            return page, error.status
        flash(_("The address is saved."), "success")
        return redirect(done_url, 303)
    page = render_template(template, form=form, sections=sections, company=own, address=present, done_url=done_url)
    return page, 422 if form.is_submitted() else 200


@bp.post("/company/addresses/<code>/active")
@requires(ADDRESSES)
def set_address_active(code: str) -> Any:
    """Take an address out of use, or into use again."""
    return switch_address(mine(), code, url_for("companies.address_list"))


def switch_address(own: Company, code: str, done_url: str) -> Any:
    """Retire or restore an address, as the form's ``active`` says; used by both faces."""
    found, active = addresses.address_by_code(own.id, code), request.form.get("active") == "1"
    with write():
        (addresses.restore_address if active else addresses.retire_address)(own, found)
    flash(
        _("The address is in use again.") if active else _("The address is out of use; orders keep their copies."), "success"
    )
    return redirect(done_url, 303)


@bp.get("/company/members")
@requires("companies.member.view")
def members() -> Any:
    """Show the people of the active company and the open invitations."""
    own = mine()
    return render_template(
        "companies/members.html",
        company=own,
        members=memberships.members_of(own.id),
        invitations=invitations.open_invitations(own.id),
        titles=TITLES,
        links=shop_links(),
    )


@bp.route("/company/members/invite", methods=["GET", "POST"])
@requires(MEMBERS)
def invite() -> Any:
    """Invite somebody into the active company."""
    return invite_page(mine(), "companies/invite.html", url_for("companies.members"))


def invite_page(own: Company, template: str, done_url: str) -> Any:
    """Show the form of an invitation and send it; the link is shown once; used by both faces."""
    form = InvitationForm()
    if form.validate_on_submit():
        try:
            link = invitations.invite(own, form.email.data or "", form.name.data or "", form.roles.data or [])
        except TukkuError as error:
            refuse(form, error)
            return render_template(template, form=form, company=own, link="", done_url=done_url), error.status
        return render_template(template, form=form, company=own, link=link, email=form.email.data, done_url=done_url)
    page = render_template(template, form=form, company=own, link="", done_url=done_url)
    return page, 422 if form.is_submitted() else 200


@bp.route("/company/members/<code>", methods=["GET", "POST"])
@requires(MEMBERS)
def member(code: str) -> Any:
    """Change the roles of a member of the active company."""
    return member_page(mine(), code, "companies/member.html", url_for("companies.members"))


@bp.post("/company/members/<code>/second-factor")
@requires(MEMBERS)
def remove_member_second_factor(code: str) -> Any:
    """Take the second factor from a member who lost it; asks for the administrator's own password first."""
    own, done = mine(), url_for("companies.member", code=code)
    if not login.is_fresh():
        return redirect(url_for("accounts.prove", next=done), 303)
    memberships.remove_second_factor(member_of(own, code).user, own)
    flash(_("The second factor is removed."), "success")
    return redirect(done, 303)


def member_page(own: Company, code: str, template: str, done_url: str) -> Any:
    """Show and save a member's roles in a company; used by both faces."""
    found = member_of(own, code)
    form = RolesForm(data={"roles": list(found.roles)})
    if form.validate_on_submit():
        try:
            with write():
                memberships.change_roles(found.user, own, form.roles.data or [])
        except TukkuError as error:
            refuse(form, error)
            again = member_of(own, code)
            return render_template(template, form=form, company=own, member=again, done_url=done_url), error.status
        flash(_("The roles are saved."), "success")
        return redirect(done_url, 303)
    page = render_template(template, form=form, company=own, member=found, done_url=done_url)
    return page, 422 if form.is_submitted() else 200


def member_of(own: Company, code: str) -> memberships.Member:
    """Return the member that ``code`` names; NotFound for people of other companies."""
    found = next((m for m in memberships.members_of(own.id) if m.user.code == code), None)
    if found is None:
        raise NotFound("USER-UNKNOWN", _("There is no such person in %(company)s.", company=own.name))
    return found


@bp.post("/company/invitations/<reference>/resend")
@requires("companies.invitation.edit")
def resend_invitation(reference: str) -> Any:
    """Send an invitation again, with a new link."""
    own = mine()
    found = invitations.invitation_by_reference(own.id, reference)
    email = found.email
    link = invitations.resend(own, found)
    return render_template(
        "companies/invite.html", form=InvitationForm(formdata=None), company=own, link=link, email=email,
        done_url=url_for("companies.members"),
    )  # fmt: skip


@bp.post("/company/invitations/<reference>/withdraw")
@requires("companies.invitation.edit")
def withdraw_invitation(reference: str) -> Any:
    """Withdraw an invitation."""
    own = mine()
    invitations.revoke(own, invitations.invitation_by_reference(own.id, reference))
    flash(_("The invitation is withdrawn; its link no longer works."), "success")
    return redirect(url_for("companies.members"), 303)


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@public("the link itself is the right to accept the invitation")
def invitation(token: str) -> Any:
    """Accept an invitation: as somebody new, or as the signed-in person of the same address."""
    attempts.check("invitation", f"address:{request.remote_addr or ''}")
    try:
        invited = invitations.read(token)
    except NotFound:
        _note_attempt()
        raise
    person = identity.current().person
    form = AcceptForm(data={"name": invited.name, "locale": current_locale()})
    shown = {"invited": invited, "token": token, "person": person, "titles": TITLES}
    if request.method == "POST":
        try:
            done = _accept(token, form, invited)
        except TukkuError as error:
            refuse(form, error)
            return render_template("companies/invitation.html", form=form, **shown), error.status
        if done:
            return redirect("/", 303)
    return render_template("companies/invitation.html", form=form, **shown)


def _note_attempt() -> None:
    """Count a wrong invitation link, where the request may write."""
    if request.method == "POST":
        attempts.count("invitation", f"address:{request.remote_addr or ''}")


def _accept(token: str, form: AcceptForm, invited: invitations.Invited) -> bool:
    """Accept with the form or the session; returns False when the form has to be shown again."""
    person = identity.current().person
    if person is not None:
        company_id = invitations.accept_as(token, person.id)
        session["company_id"] = company_id
        sessions.rotate()
    elif not form.validate_on_submit():
        return False
    else:
        user_id = invitations.accept_as_new(token, form.name.data or "", form.password.data or "", form.locale.data)
        login.begin(db.session.get_one(User, user_id))
    flash(_("Welcome to %(company)s.", company=invited.company), "success")
    return True
