"""Back-office pages of companies: list, page, form, addresses, people, acting for a buyer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.accounts import identity, users
from core.accounts.models import User
from core.accounts.roles import TITLES
from core.companies import addresses, editing, invitations, lending, memberships, segments, services
from core.companies.forms import ActForForm, CompanyForm, InvitationForm
from core.companies.identifiers import country_name
from core.companies.links import office_links
from core.companies.listings import COMPANIES
from core.companies.models import Company
from core.companies.views import edit_address_page, invite_page, member_of, member_page, switch_address
from core.data.db import db
from core.data.models import AuditEntry
from core.data.write import write
from core.i18n import _, pick
from core.i18n.currencies import named_currencies
from core.spec.errors import TukkuError
from core.ui.access import requires
from core.ui.deeds import told
from core.ui.fields import choices
from core.ui.forms import Sections, refuse, sections_of
from core.ui.listing import show_list
from core.ui.listpage import Empty

bp = Blueprint("companies_admin", __name__)
VIEW, EDIT = "companies.company.view", "companies.company.edit"


@bp.get("/c/")
@requires(VIEW)
def companies() -> Any:
    """List the companies that buy."""
    empty = Empty(_("No company yet"), _("Add the companies that buy from you, or import them."), "buildings")
    return show_list(COMPANIES, "companies/list.html", empty=empty)


@bp.get("/c/<code>")
@requires(VIEW)
def company(code: str) -> Any:
    """Show a company."""
    found = services.company_by_code(code)
    below = list(db.session.scalars(select(Company).where(Company.parent_id == found.id).order_by(Company.name)))
    return render_template(
        "companies/admin_company.html",
        company=found,
        country=country_name(found.country),
        parents=[c for c in (db.session.get(Company, i) for i in reversed(services.ancestors(found.id)[1:])) if c],
        below=below,
        addresses=addresses.all_addresses(found.id),
        members=memberships.members_of(found.id),
        invitations=invitations.open_invitations(found.id),
        segments=segments.segments_of(found.id),
        rep=db.session.get(User, found.sales_rep_id) if found.sales_rep_id else None,
        titles=TITLES,
        links=office_links(found.code),
        pick=pick,
        history=_history(found),
    )


def _history(company: Company) -> list[dict[str, Any]]:
    """Return the last things done to the company itself, for the timeline."""
    rows = db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.company_id == company.id,
            AuditEntry.entity.in_(("company", "address", "member", "invitation", "user")),
        )
        .order_by(AuditEntry.id.desc())
        .limit(10)
    )
    return [
        {"icon": "clock-history", "text": _done(row), "who": row.actor, "at": row.at, "note": row.reason} for row in rows
    ]


_DEEDS = {
    ("company", "created"): lambda: _("Company added"),
    ("company", "changed"): lambda: _("Company changed"),
    ("company", "moved"): lambda: _("Moved in the tree"),
    ("company", "merged"): lambda: _("Merged with a visitor's company"),
    ("company", "segments_changed"): lambda: _("Segments changed"),
    ("address", "created"): lambda: _("Address added"),
    ("address", "changed"): lambda: _("Address changed"),
    ("address", "retired"): lambda: _("Address taken out of use"),
    ("address", "restored"): lambda: _("Address in use again"),
    ("member", "roles_changed"): lambda: _("Roles of a member changed"),
    ("invitation", "sent"): lambda: _("Invitation sent"),
    ("invitation", "accepted"): lambda: _("Invitation accepted"),
    ("invitation", "withdrawn"): lambda: _("Invitation withdrawn"),
    ("user", "acting_started"): lambda: _("Acting for a buyer began"),
    ("user", "acting_ended"): lambda: _("Acting for a buyer ended"),
    ("user", "acting_ran_out"): lambda: _("Acting for a buyer ran out"),
}


def _done(row: AuditEntry) -> str:
    """Return what an audit entry says, in the reader's language."""
    known = _DEEDS.get((row.entity, row.action))
    return known() if known else told(row.entity, "", row.action)


@bp.route("/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Add a company."""
    seller = services.seller()
    form = CompanyForm(
        data={"country": seller.country, "currency": seller.currency, "locale": seller.locale, "status": "active"}
    )
    return _edit(form, None)


@bp.route("/c/<code>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change a company."""
    found = services.company_by_code(code)
    parent = db.session.get(Company, found.parent_id) if found.parent_id else None
    rep = db.session.get(User, found.sales_rep_id) if found.sales_rep_id else None
    form = CompanyForm(
        obj=found,
        data={
            "parent": parent.code if parent else "",
            "sales_rep": rep.code if rep else "",
            "segments": [segment.code for segment in segments.segments_of(found.id)],
        },
    )
    if rep and rep.code not in {choice.value for choice in form.sales_rep.iter_choices()}:
        form.sales_rep.choices = [*form.sales_rep.choices, *choices([(rep.code, rep.name)])]
    return _edit(form, found)


def _edit(form: CompanyForm, found: Company | None) -> Any:
    if found is not None:
        form.code.data = found.code
    company_id = found.id if found else None
    sections = sections_of("company.edit", company_id)
    if form.is_submitted() and form.validate() & sections.validate():
        try:
            with write():
                saved = _save(form, found, sections)
        except TukkuError as error:
            refuse(form, error)
            return _form_page(form, form.code.data if company_id else "", sections), error.status
        flash(_("%(company)s is saved.", company=saved.name), "success")
        return redirect(url_for("companies_admin.company", code=saved.code), 303)
    return _form_page(form, found.code if found else "", sections), 422 if form.is_submitted() else 200


def _form_page(form: CompanyForm, code: str | None, sections: Sections) -> str:
    page = {"form": form, "code": code, "sections": sections, "currencies": named_currencies()}
    return render_template("companies/admin_edit.html", **page)


_PLAIN = ("name", "country", "business_id", "vat_id", "locale", "currency", "email", "phone", "status")


def _save(form: CompanyForm, found: Company | None, sections: Sections) -> Company:
    """Save the company with its place in the tree, its segments and the addons' sections."""
    values = {name: form[name].data for name in _PLAIN}
    values["sales_rep_id"] = users.by_code(form.sales_rep.data).id if form.sales_rep.data else None
    parent = services.company_by_code(form.parent.data) if form.parent.data else None
    if found is None:
        found = services.create_company(form.code.data or "", parent=parent, **values)
    else:
        services.update_company(found, **values)
        editing.move_company(found, parent)
    segments.set_segments(found, form.segments.data or [])
    sections.save(found.id)
    return found


@bp.route("/c/<code>/addresses/new", methods=["GET", "POST"])
@requires(EDIT)
def new_address(code: str) -> Any:
    """Add an address of a company."""
    return _address(code, None)


@bp.route("/c/<code>/addresses/<address>", methods=["GET", "POST"])
@requires(EDIT)
def address(code: str, address: str) -> Any:
    """Change an address of a company."""
    return _address(code, address)


def _address(code: str, address: str | None) -> Any:
    done = url_for("companies_admin.company", code=code) + "#addresses"
    return edit_address_page(services.company_by_code(code), address, "companies/admin_address.html", done)


@bp.post("/c/<code>/addresses/<address>/active")
@requires(EDIT)
def set_address_active(code: str, address: str) -> Any:
    """Take an address of a company out of use, or into use again."""
    done = url_for("companies_admin.company", code=code) + "#addresses"
    return switch_address(services.company_by_code(code), address, done)


@bp.route("/c/<code>/people/invite", methods=["GET", "POST"])
@requires("companies.buyer.edit")
def invite(code: str) -> Any:
    """Invite somebody into a company."""
    done = url_for("companies_admin.company", code=code) + "#people"
    return invite_page(services.company_by_code(code), "companies/admin_invite.html", done)


@bp.post("/c/<code>/invitations/<reference>/resend")
@requires("companies.buyer.edit")
def resend_invitation(code: str, reference: str) -> Any:
    """Send an invitation again, with a new link."""
    found = services.company_by_code(code)
    invitation = invitations.invitation_by_reference(found.id, reference)
    email, link = invitation.email, invitations.resend(found, invitation)
    return render_template(
        "companies/admin_invite.html", form=InvitationForm(formdata=None), company=services.company_by_code(code),
        link=link, email=email, done_url=url_for("companies_admin.company", code=code) + "#people",
    )  # fmt: skip


@bp.post("/c/<code>/invitations/<reference>/withdraw")
@requires("companies.buyer.edit")
def withdraw_invitation(code: str, reference: str) -> Any:
    """Withdraw an invitation."""
    found = services.company_by_code(code)
    invitations.revoke(found, invitations.invitation_by_reference(found.id, reference))
    flash(_("The invitation is withdrawn; its link no longer works."), "success")
    return redirect(url_for("companies_admin.company", code=code) + "#people", 303)


@bp.route("/c/<code>/people/<person>", methods=["GET", "POST"])
@requires("companies.buyer.edit")
def member(code: str, person: str) -> Any:
    """Change the roles of a member of a company."""
    done = url_for("companies_admin.company", code=code) + "#people"
    return member_page(services.company_by_code(code), person, "companies/admin_member.html", done)


@bp.route("/c/<code>/act-for", methods=["GET", "POST"])
@requires("companies.buyer.act_for")
def act_for(code: str) -> Any:
    """Choose a buyer of the company, and act for them."""
    found = services.company_by_code(code)
    form = ActForForm(data={"person": request.args.get("person", "")})
    form.person.choices = choices((m.user.code, m.user.name) for m in memberships.members_of(found.id) if m.user.active)
    if form.validate_on_submit():
        try:
            lending.start(found, member_of(found, form.person.data).user, form.reason.data or "")
        except TukkuError as error:
            refuse(form, error)
            return render_template("companies/act_for.html", form=form, company=services.company_by_code(code)), error.status
        identity.load_actor()
        return redirect(url_for("storefront.home") if "storefront.home" in current_app.view_functions else "/", 303)
    return render_template("companies/act_for.html", form=form, company=found), 422 if form.is_submitted() else 200
