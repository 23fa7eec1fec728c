"""Back-office pages of buyers, of segments, and of the seller itself."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import flash, redirect, render_template, request, url_for

from core.accounts import login, second_factor, sessions, users
from core.accounts.models import User
from core.accounts.roles import TITLES
from core.companies import editing, memberships, segments, services
from core.companies.admin_views import bp
from core.companies.forms import SegmentForm, SellerForm
from core.companies.listings import BUYERS
from core.data.write import write
from core.i18n import LOCALES, _, pick
from core.spec.errors import Invalid, NotFound
from core.ui.access import requires
from core.ui.forms import show_form
from core.ui.listing import show_list
from core.ui.listpage import Empty

SEE, CHANGE, SEGMENTS = "companies.buyer.view", "companies.buyer.edit", "companies.segment.edit"


@bp.get("/buyers")
@requires(SEE)
def buyers() -> Any:
    """List the people who buy."""
    empty = Empty(_("Nobody buys yet"), _("Invite people from the page of their company."), "people")
    return show_list(BUYERS, "companies/buyers.html", empty=empty)


@bp.get("/buyers/<code>")
@requires(SEE)
def buyer(code: str) -> Any:
    """Show a buyer: the companies, and how they sign in."""
    return render_template(
        "companies/buyer.html", user=_buyer(code), belongs=memberships.companies_of(_buyer(code).id), titles=TITLES
    )


def _buyer(code: str) -> User:
    """Return a person who buys for a company that the actor may see, and is not staff."""
    user = users.by_code(code)
    if user.is_staff or not memberships.companies_of(user.id):
        raise NotFound("USER-UNKNOWN", _("There is no such buyer."))
    return user


@bp.post("/buyers/<code>/active")
@requires(CHANGE)
def set_buyer_active(code: str) -> Any:
    """Stop a buyer at once, in all companies, or let them in again."""
    user, active = _buyer(code), request.form.get("active") == "1"
    users.set_active(user, active)
    name = _buyer(code).name
    said = (
        _("%(name)s may sign in again.", name=name)
        if active
        else _("%(name)s is disabled, and signed out everywhere.", name=name)
    )
    flash(said, "success")
    return redirect(url_for("companies_admin.buyer", code=code), 303)


@bp.post("/buyers/<code>/reset")
@requires(CHANGE)
def reset_buyer(code: str) -> Any:
    """Mail a buyer a link to choose a password; nobody chooses it for another."""
    user = _buyer(code)
    if user.password is None:
        with write():
            users.send_welcome(user)
    else:
        login.start_reset(user)
    flash(_("The link is on its way to %(email)s.", email=_buyer(code).email), "success")
    return redirect(url_for("companies_admin.buyer", code=code), 303)


@bp.post("/buyers/<code>/second-factor")
@requires(CHANGE)
def remove_buyer_second_factor(code: str) -> Any:
    """Take the second factor from a buyer who lost it."""
    user = _buyer(code)
    user_id = user.id
    second_factor.remove(user)
    sessions.revoke_all(user_id)
    flash(_("The second factor is removed."), "success")
    return redirect(url_for("companies_admin.buyer", code=code), 303)


@bp.get("/segments")
@requires(SEGMENTS)
def segment_list() -> Any:
    """List the segments."""
    return render_template("companies/segments.html", segments=segments.all_segments(), counts=segments.counts(), pick=pick)


@bp.route("/segments/new", methods=["GET", "POST"])
@requires(SEGMENTS)
def new_segment() -> Any:
    """Add a segment."""
    return _segment(None, SegmentForm())


@bp.route("/segments/s/<code>", methods=["GET", "POST"])
@requires(SEGMENTS)
def segment(code: str) -> Any:
    """Rename a segment."""
    found = segments.segment_by_code(code)
    form = SegmentForm(data={"code": found.code, **{f"name_{k}": v for k, v in found.name.items()}})
    form.code.data = found.code
    return _segment(code, form)


def _segment(code: str | None, form: SegmentForm) -> Any:
    found = segments.segment_by_code(code) if code else None

    def save() -> Any:
        with write():
            names = {locale: form[f"name_{locale}"].data or "" for locale in LOCALES}
            segments.save_segment(found, form.code.data or "", names)
        flash(_("The segment is saved."), "success")
        return redirect(url_for("companies_admin.segment_list"), 303)

    return show_form(form, "companies/segment.html", save, code=code, segment_id=found.id if found else None)


@bp.post("/segments/s/<code>/delete")
@requires(SEGMENTS)
def delete_segment(code: str) -> Any:
    """Delete a segment, once its code was typed."""
    found = segments.segment_by_code(code)
    if request.form.get("confirm_name", "").strip() != code:
        raise Invalid("NOT-CONFIRMED", _("Type %(name)s to confirm.", name=code))
    with write():
        segments.delete_segment(found)
    flash(_("The segment is deleted."), "success")
    return redirect(url_for("companies_admin.segment_list"), 303)


@bp.route("/seller", methods=["GET", "POST"])
@requires("companies.seller.edit")
def seller() -> Any:
    """Show and change the merchant's own data."""
    found = services.seller()
    form = SellerForm(obj=found)

    def save() -> Any:
        values = {name: value for name, value in form.data.items() if name != "csrf_token"}
        if values["zone"] not in available_timezones():
            raise Invalid(
                "ZONE",
                _("“%(zone)s” is not a time zone. Example: Europe/Helsinki", zone=values["zone"]),
                details={"field": "zone"},
            )
        editing.update_seller(found, **values)
        flash(_("The seller's data are saved; new documents show them."), "success")
        return redirect(url_for("companies_admin.seller"), 303)

    return show_form(form, "companies/seller.html", save, seller=found)
