"""Pages of limits by the period: in the shop for a company's administrators, in the back-office for the seller's staff."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from core.api.companies import Company, company_by_code, current_company
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.ui import ChoiceField, NumberField, TukkuForm, requires

from . import basis, limits, periods
from .people_views import bp
from .permissions import LIMITS, RULES

_, _l, ngettext, _p = translations(__name__)
admin = Blueprint("approval_chain_admin", __name__, template_folder="templates")


class LimitForm(TukkuForm):
    """How much may be ordered in a period."""

    period = ChoiceField(_l("By the"), options=tuple(periods.TITLES.items()), default="month")
    amount = NumberField(
        _l("May order up to"), places=2, minimum=0,
        description=_l("Empty: without limit; 0: every order needs approval."),
    )  # fmt: skip


def _form_of(company: Company) -> Any:
    """Return the form with whom a limit of the company may be for: a person, or everybody in a role by themselves."""

    class Form(LimitForm):
        whose = ChoiceField(_l("Who"), options=lambda: limits.whose(company.id), default="orderer")

    return Form()


def company_of_actor() -> Company:
    """Return the company for which the actor buys; Invalid without one."""
    company = current_company()
    if company is None:
        raise Invalid("NO-COMPANY", _("Choose the company for which you are buying first."))
    return company


@bp.route("/spending-limits", methods=["GET", "POST"])
@requires(RULES)
def spending_limits() -> Any:
    """Show the company's limits by the period; set one."""
    return _page(company_of_actor(), "approval_chain/limits.html", url_for(".spending_limits"), ".remove_spending_limit", {})


@bp.post("/spending-limits/<int:limit_id>/remove")
@requires(RULES)
def remove_spending_limit(limit_id: int) -> Any:
    """Take a limit away."""
    return _remove(company_of_actor(), limit_id, url_for(".spending_limits"))


@admin.route("/companies/<code>/limits", methods=["GET", "POST"])
@requires(LIMITS)
def company_limits(code: str) -> Any:
    """Show a company's limits by the period to staff; set one."""
    company, here = company_by_code(code), url_for(".company_limits", code=code)
    return _page(company, "approval_chain/company_limits.html", here, ".remove_company_limit", {"code": code})


@admin.post("/companies/<code>/limits/<int:limit_id>/remove")
@requires(LIMITS)
def remove_company_limit(code: str, limit_id: int) -> Any:
    """Take a limit of a company away."""
    return _remove(company_by_code(code), limit_id, url_for(".company_limits", code=code))


def _page(company: Company, template: str, here: str, remove: str, where: dict[str, str]) -> Any:
    form = _form_of(company)
    if form.validate_on_submit():
        try:
            limits.save(company, form.data)
        except Invalid as error:
            field = "amount" if (error.details or {}).get("field") == "amount" else "whose"
            form[field].errors = [*form[field].errors, str(error.message)]
        else:
            flash(_("The limit is saved."), "success")
            return redirect(here, 303)
    rows = [(row, url_for(remove, limit_id=row.id, **where)) for row in limits.shown(company.id)]
    values = {"company": company, "form": form, "rows": rows, "counted": basis.counted(company.id)}
    return render_template(template, **values), 422 if form.is_submitted() else 200


def _remove(company: Company, limit_id: int, here: str) -> Any:
    try:
        limits.remove(company.id, limit_id)
        flash(_("The limit is removed."), "success")
    except NotFound as error:
        flash(str(error.message), "error")
    return redirect(here, 303)
