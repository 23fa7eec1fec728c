"""Pages on which rules are tried: for the company's administrator in the shop, for staff in the back-office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for

from core.api.companies import Company, ancestors, company_by_code, current_company
from core.api.hooks import Invalid, NotFound, PageContext, Panel, TukkuError
from core.api.i18n import read_number, translations
from core.api.ui import requires

from . import basis, bench, lint
from .limit_views import admin
from .loading import rules_of
from .permissions import RULES, VIEW
from .sentences import describe, names_for
from .views import bp

_, _l, ngettext, _p = translations(__name__)
ADMIN = "approval_chain/bench_admin.html"
FIELDS = ("company", "person", "amount", "lines", "ship_to", "centre")


@bp.get("/approval-bench")
@requires(RULES)
def try_rules() -> Any:
    """Say who would approve an order of somebody of the company, and why."""
    company = current_company()
    if company is None:
        raise Invalid("NO-COMPANY", _("Choose the company for which you are buying first."))
    return _page("approval_chain/bench.html", company, url_for(".try_rules"))


@admin.get("/approval-bench")
@requires(VIEW)
def try_company_rules() -> Any:
    """Say to staff who would approve an order of a company's person, and why."""
    code, company, problem = request.args.get("company", "").strip(), None, ""
    if code:
        try:
            company = company_by_code(code)
        except NotFound as error:
            problem = str(error.message)
    return _page(ADMIN, company, url_for(".try_company_rules"), problem)


def _page(template: str, company: Company | None, here: str, problem: str = "") -> Any:
    asked = {name: request.args.get(name, "").strip() for name in FIELDS}
    people = bench.people_of(company.id) if company else []
    values: dict[str, Any] = {
        "company": company,
        "code": company.code if company else asked["company"],
        "currency": company.currency if company else "",
        "counted": basis.counted(company.id) if company else "",
        "people": people,
        "addresses": bench.addresses_of(company.id) if company else [],
        "centres": bench.centres_of(company.id) if company else [],
        "asked": asked,
        "action": here,
        "answer": None,
    }
    if company and asked["person"]:
        try:
            values["answer"] = bench.ask(_question(company, asked), ours=template == ADMIN)
        except TukkuError as error:
            problem = str(error.message)
    return render_template(template, **values, problem=problem), 422 if problem else 200


def _question(company: Company, asked: Mapping[str, str]) -> bench.Question:
    amount = read_number(asked["amount"]) if asked["amount"] else None
    if amount is not None and not 0 <= amount < 10**12:
        raise Invalid("BENCH-AMOUNT", _("Enter an amount of 0 or more."))
    who = bench.person(company.id, asked["person"])
    return bench.Question(company, who, amount, asked["lines"], asked["ship_to"], asked["centre"])


def company_rules(context: PageContext) -> Mapping[str, Any]:
    """Return the rules that a company follows, for its page in the back-office."""
    rows = rules_of(ancestors(context.subject_id or 0))
    names = names_for(rows, context.subject_id)
    return {
        "rules": [describe(row, names, row.company_id == context.subject_id) for row in rows],
        "code": context.subject_code,
    }


def problems(context: PageContext) -> Mapping[str, Any] | None:
    """Return what is wrong in a company's set-up, where its people and their roles are kept; None where nothing is."""
    found = list(lint.problems(context.subject_id))
    return {"problems": found} if found else None


PROBLEMS = "approval_chain/panel_problems.html"
PANELS = (
    Panel("problems", "storefront.people", "main", PROBLEMS, problems, _l("What needs attention"), RULES),
    Panel("problems", "backoffice.company", "main", PROBLEMS, problems, _l("What needs attention"), VIEW, 58),
    Panel(
        "rules", "backoffice.company", "main", "approval_chain/panel_rules.html", company_rules, _l("Approval rules"), VIEW,
        59,
    ),
)  # fmt: skip
