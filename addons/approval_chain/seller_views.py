"""Back-office pages of the seller's side: orders that wait for staff, and the rules by which they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.api.hooks import NotFound, PageContext, Panel, TukkuError
from core.api.i18n import translations
from core.api.orders import find
from core.api.ui import requires

from . import basis, flow, ruleform, seller
from .forms import RuleForm
from .limit_views import admin
from .permissions import SELLER_DECIDE, SELLER_RULES
from .views import options

_, _l, ngettext, _p = translations(__name__)


@admin.get("/seller-approvals")
@requires(SELLER_DECIDE)
def seller_approvals() -> Any:
    """Show the orders that wait for the seller's staff."""
    return render_template("approval_chain/seller_approvals.html", rows=seller.waiting())


@admin.post("/seller-approvals/<number>")
@requires(SELLER_DECIDE)
def seller_decide(number: str) -> Any:
    """Approve or reject an order for the seller."""
    outcome = flow.APPROVED if request.form.get("outcome") == flow.APPROVED else flow.REJECTED
    try:
        one = seller.decide(number, outcome, request.form.get("digest", ""), request.form.get("comment", ""))
    except NotFound:
        raise
    except TukkuError as error:
        flash(str(error.message), "error")
        return redirect(url_for(".seller_approvals"), 303)
    said = {
        flow.WAITING: _("Your approval is kept. Others still have to approve the order."),
        flow.APPROVED: _("The order %(number)s is approved.", number=number),
        flow.REJECTED: _("The order %(number)s is rejected.", number=number),
    }
    flash(said[one.state], "success")
    return redirect(url_for(".seller_approvals"), 303)


@admin.get("/seller-rules")
@requires(SELLER_RULES)
def seller_rules() -> Any:
    """Show the rules by which orders wait for the seller's staff."""
    return render_template("approval_chain/seller_rules.html", rules=seller.sentences())


@admin.route("/seller-rules/new", methods=["GET", "POST"], defaults={"rule_id": None})
@admin.route("/seller-rules/<int:rule_id>", methods=["GET", "POST"])
@requires(SELLER_RULES)
def edit_seller_rule(rule_id: int | None) -> Any:
    """Add a rule of the seller or change one."""
    rule = seller.rule(rule_id) if rule_id is not None else None
    form = RuleForm(data=ruleform.data_of(rule, "sales"), who=seller.deciders, orderers=list, ours=True)
    if form.validate_on_submit():
        values = ruleform.values_of(form)
        if values is not None:
            seller.save_rule(values, rule_id)
            flash(_("The rule is saved."), "success")
            if values["active"] and not values["conditions"] and not all(step["above"] for step in values["steps"]):
                flash(_("It is about every order: each waits from now on. Add a condition if you mean fewer."), "warning")
            return redirect(url_for(".seller_rules"), 303)
    page = render_template(
        "approval_chain/seller_rule.html", form=form, rule=rule, options=options(ours=True), counted=basis.counted(None)
    )
    return page, 422 if request.method == "POST" else 200


@admin.post("/seller-rules/<int:rule_id>/remove")
@requires(SELLER_RULES)
def remove_seller_rule(rule_id: int) -> Any:
    """Take a rule of the seller away."""
    seller.remove_rule(rule_id)
    flash(_("The rule is removed."), "success")
    return redirect(url_for(".seller_rules"), 303)


def of_order(context: PageContext) -> Mapping[str, Any] | None:
    """Return who of the staff decides on an order and what was decided; nothing where no rule asks."""
    decisions = seller.decisions_of([context.subject_id or 0])
    found = seller.waiting(find(context.subject_code).number or "")
    if not decisions and not found:
        return None
    return {"rows": found, "decisions": decisions}


PANELS = (
    Panel(
        "seller_approval", "backoffice.order", "side", "approval_chain/panel_seller.html", of_order,
        _l("Approval by the seller"), SELLER_DECIDE,
    ),
)  # fmt: skip
