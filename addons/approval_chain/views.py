"""The shop's pages: what waits for the reader's approval, the decision, and the company's rules."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.api.hooks import TukkuError
from core.api.i18n import translations
from core.api.orders import lines_of
from core.api.ui import requires

from . import notices, panels, services
from . import rules as company_rules
from .forms import LimitForm, RuleForm
from .models import OUTCOMES, Limit, Rule
from .permissions import DECIDE, RULES

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("approval_chain", __name__, template_folder="templates")


@bp.get("/approvals")
@requires(DECIDE)
def inbox() -> Any:
    """List the orders that wait for the reader."""
    return render_template("approval_chain/inbox.html", waiting=services.inbox())


@bp.get("/approvals/<number>")
@requires(DECIDE)
def decision(number: str) -> Any:
    """Show the order with the two buttons; looking decides nothing."""
    return _decision(number)


def _decision(number: str, error: str = "", status: int = 200) -> Any:
    one = services.pending(number)
    waits = one.order.state == "submitted" and services.held(one.order)
    return render_template(
        "approval_chain/decision.html",
        order=one.order,
        lines=lines_of(one.order.id),
        events=panels.events(services.decisions_of([one.approval.id])),
        steps=panels.steps(one.flow.open()) if waits else [],
        mine=waits and services.may_decide(one.flow),
        comment=request.form.get("comment", ""),
        error=error,
    ), status


@bp.post("/approvals/<number>")
@requires(DECIDE)
def decide(number: str) -> Any:
    """Take a decision on exactly what was shown."""
    outcome = request.form.get("outcome", "")
    if outcome not in OUTCOMES:
        return _decision(number, _("Choose whether you approve or reject the order."), 422)
    try:
        flow = services.decide(number, outcome, request.form.get("comment", ""), request.form.get("digest", ""))
    except TukkuError as error:
        return _decision(number, str(error.message), error.status)
    if flow.state == "waiting":
        notices.tell(number)
        flash(_("Your approval is kept. Others still have to approve the order."), "success")
    else:
        flash(_("The order is approved.") if flow.state == "approved" else _("The order is rejected."), "success")
    return redirect(url_for(".inbox"), 303)


@bp.route("/approval-rules", methods=["GET", "POST"])
@requires(RULES)
def rules() -> Any:
    """Show the company's rules and limits; add one."""
    limits = request.form.get("form") == "limit"
    rule_form = RuleForm(formdata=None) if limits else RuleForm()
    limit_form = LimitForm() if limits else LimitForm(formdata=None)
    form: Any = limit_form if limits else rule_form
    if form.validate_on_submit():
        (company_rules.set_limit if limits else company_rules.add_rule)(form.data)
        flash(_("The limit is saved.") if limits else _("The rule is saved."), "success")
        return redirect(url_for(".rules"), 303)
    return render_template(
        "approval_chain/rules.html",
        rules=company_rules.sentences(),
        limits=company_rules.limits(),
        rule_form=rule_form,
        limit_form=limit_form,
        failed=form if request.method == "POST" else None,
    ), 422 if request.method == "POST" else 200


@bp.post("/approval-rules/<int:rule_id>/remove")
@requires(RULES)
def remove_rule(rule_id: int) -> Any:
    """Take a rule away; orders that wait follow the rules that are left."""
    company_rules.remove(Rule, rule_id)
    flash(_("The rule is removed."), "success")
    return redirect(url_for(".rules"), 303)


@bp.post("/approval-limits/<int:limit_id>/remove")
@requires(RULES)
def remove_limit(limit_id: int) -> Any:
    """Take a limit away."""
    company_rules.remove(Limit, limit_id)
    flash(_("The limit is removed."), "success")
    return redirect(url_for(".rules"), 303)
