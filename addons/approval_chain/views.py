"""The shop's pages of a company's rules, limits, policy and own roles; those of decisions are in decision_views.py."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.api.data import current_actor
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.ui import requires

from . import basis, facts, lint, policies, ruleform
from . import rules as company_rules
from .forms import GroupForm, LimitForm, PolicyForm, RuleForm
from .models import Limit, Rule
from .permissions import RULES

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("approval_chain", __name__, template_folder="templates")


@bp.route("/approval-rules", methods=["GET", "POST"])
@requires(RULES)
def rules() -> Any:
    """Show the company's rules, policy, roles and limits; set a limit."""
    form = LimitForm()
    if form.validate_on_submit():
        company_rules.set_limit(form.data)
        flash(_("The limit is saved."), "success")
        return redirect(url_for(".rules"), 303)
    return render_template(
        "approval_chain/rules.html",
        rules=company_rules.sentences(),
        limits=company_rules.limits(),
        policy=policies.in_force(),
        groups=policies.groups(),
        limit_form=form,
        counted=basis.counted(current_actor().company_id),
        problems=list(lint.problems(current_actor().company_id)) if current_actor().company_id else [],
    ), 422 if request.method == "POST" else 200


@bp.route("/approval-rules/new", methods=["GET", "POST"], defaults={"rule_id": None})
@bp.route("/approval-rules/<int:rule_id>", methods=["GET", "POST"])
@requires(RULES)
def edit_rule(rule_id: int | None) -> Any:
    """Add a rule or change one; orders that wait follow it as it is now."""
    rule = company_rules.own_rule(rule_id) if rule_id is not None else None
    form = RuleForm(data=ruleform.data_of(rule))
    if form.validate_on_submit():
        values = ruleform.values_of(form)
        if values is not None:
            company_rules.save_rule(values, rule_id)
            flash(_("The rule is saved."), "success")
            return redirect(url_for(".rules"), 303)
    return render_template(
        "approval_chain/rule.html",
        form=form,
        rule=rule,
        options=options(),
        counted=basis.counted(current_actor().company_id),
    ), 422 if request.method == "POST" else 200


def options(*, ours: bool = False) -> list[tuple[str, str]]:
    """Return the values that conditions may name, each with what it is of; ``ours``: in a rule of the seller."""
    specs = facts.specs(ours=ours).values()
    return [(value, f"{spec.title}: {label}") for spec in specs if spec.options for value, label in spec.options()]


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


@bp.route("/approval-policy", methods=["GET", "POST"])
@requires(RULES)
def policy() -> Any:
    """Say which of the rules that fit count, and what holds where none does."""
    found = policies.in_force()
    fallback = ""
    if found.row is not None:
        fallback = policies.fallback_of(found.row)
    form = PolicyForm(obj=found.row, data={"fallback": fallback} if fallback else None)
    if form.validate_on_submit():
        policies.save_policy(form.data)
        flash(_("The policy is saved."), "success")
        return redirect(url_for(".rules"), 303)
    return render_template("approval_chain/policy.html", form=form, policy=found), 422 if request.method == "POST" else 200


@bp.post("/approval-policy/remove")
@requires(RULES)
def remove_policy() -> Any:
    """Follow the parent company's policy again."""
    policies.drop_policy()
    flash(_("The policy of your own is removed."), "success")
    return redirect(url_for(".rules"), 303)


@bp.route("/approval-roles/new", methods=["GET", "POST"], defaults={"group_id": None})
@bp.route("/approval-roles/<int:group_id>", methods=["GET", "POST"])
@requires(RULES)
def edit_group(group_id: int | None) -> Any:
    """Name a role of the company and say who is in it."""
    group = policies.own_group(group_id) if group_id is not None else None
    form = GroupForm(obj=group, data={"people": policies.members(group)} if group else None)
    if form.validate_on_submit() and _group_is_kept(form, group_id):
        flash(_("The role is saved."), "success")
        return redirect(url_for(".rules"), 303)
    return render_template("approval_chain/group.html", form=form, group=group), 422 if request.method == "POST" else 200


def _group_is_kept(form: GroupForm, group_id: int | None) -> bool:
    """Save the role; where that is refused, say so at the field."""
    rights = {name: form[name].data for name in policies.RIGHTS}
    try:
        policies.save_group(form.name.data or "", form.people.data or [], group_id, rights)
    except Invalid as error:
        form[str((error.details or {}).get("field", "name"))].errors = [str(error.message)]
        return False
    return True


@bp.post("/approval-roles/<int:group_id>/remove")
@requires(RULES)
def remove_group(group_id: int) -> Any:
    """Take a role of the company away, if nothing names it."""
    try:
        policies.remove_group(group_id)
        flash(_("The role is removed."), "success")
    except Invalid as error:
        flash(str(error.message), "error")
    return redirect(url_for(".rules"), 303)
