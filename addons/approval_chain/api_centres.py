"""Cost centres with their budgets, limits and rules for programs: read, and written by the same importers as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate
from sqlalchemy import case, select

from core.api.companies import Company, User
from core.api.data import db, write
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.restapi import (
    DecimalText,
    Outcomes,
    Schema,
    day_field,
    for_company,
    page,
    page_schema,
    query_schema,
    resource,
    row_schema,
    rows_schema,
    text,
    upsert,
)
from core.api.ui import Field, Resource, requires

from . import budget_import, budgets, centre_import, cost_centres, limit_import, rule_import
from .api_views import person_named
from .centre_list import CENTRES_OF_ALL
from .centre_models import CostCentre
from .ledger_models import CARRY, MODES, PERIODS
from .permissions import CENTRES, CENTRES_VIEW, LIMITS, SELLER_RULES

_, _l, ngettext, _p = translations(__name__)

# ---- cost centres and budgets ----

centres = resource("approval_chain_centres_api", __name__, "Cost centres with what is left of their budgets.")


class BudgetItem(Schema):
    """A budget in the present period: ``available`` is the amount and what was carried over."""

    period, currency, mode, carry_over = fields.String(), fields.String(), fields.String(), fields.String()
    since, until = fields.Date(), fields.Date()
    amount, carried, available = DecimalText(), DecimalText(), DecimalText()
    reserved, used, left = DecimalText(), DecimalText(), DecimalText()


class CentreItem(Schema):
    """A cost centre; ``owner`` is an e-mail address."""

    company, code, name = fields.String(), fields.String(), fields.String()
    owner, active = fields.String(), fields.Boolean()
    source, external_id = fields.String(), fields.String()
    budget = fields.Nested(BudgetItem, allow_none=True)


class CentreAsked(Schema):
    """A cost centre as it is to be; ``owner`` is the e-mail address of somebody who may approve, '' for nobody."""

    company, name, owner = text(40), text(120, required=True), text(255)
    active = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class BudgetAsked(Schema):
    """A budget as it is to be; a changed amount holds from the present period on."""

    company = text(40)
    amount = DecimalText(required=True)
    period = fields.String(load_default="month", validate=validate.OneOf(PERIODS))
    mode = fields.String(load_default="require", validate=validate.OneOf(MODES))
    carry_over = fields.String(load_default="none", validate=validate.OneOf(CARRY))
    starts = day_field(allow_none=True, load_default=None)


class Whose(Schema):
    """Of which company; a company's key may leave it out."""

    company = text(40)


CENTRES_API = Resource(
    key="api.cost_centres",
    title=CENTRES_OF_ALL.title,
    id=CostCentre.id,
    code="code",
    order="code",
    source=lambda s: s.join(Company, Company.id == CostCentre.company_id).outerjoin(User, User.id == CostCentre.owner_id),
    fields=(
        Field("code", _l("Code"), CostCentre.code, "code", search=True),
        Field("name", _l("Name"), CostCentre.name, search=True),
        Field("company", _l("Company"), Company.code, "code"),
        Field("owner", _l("Who answers for it"), User.email),
        Field(
            "active", _l("In use"), case((CostCentre.active, "yes"), else_="no"),
            choices=lambda: (("yes", "yes"), ("no", "no")),
        ),
    ),
)  # fmt: skip
CentreQuery = query_schema(CENTRES_API)
CentrePage = page_schema(CentreItem, "CostCentrePage")
CentreRows = rows_schema(row_schema(centre_import.COST_CENTRES, "CostCentreRow"), "CostCentreRows")
BudgetRows = rows_schema(row_schema(budget_import.BUDGETS, "BudgetRow"), "BudgetRows")


@centres.route("", methods=["GET"])
@requires(CENTRES_VIEW, LIMITS)
@centres.arguments(CentreQuery, location="query")
@centres.response(200, CentrePage)
def centre_listing(asked: dict[str, Any]) -> Any:
    """List cost centres with what is left of their budgets."""
    return page(CENTRES_API, asked, _centres)


@centres.route("/batch", methods=["POST"])
@requires(LIMITS)
@centres.arguments(CentreRows)
@centres.response(200, Outcomes)
def centre_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 cost centres by company and code, or by company, source and external_id."""
    return upsert("cost_centres", centre_import.with_codes(body["rows"]))


@centres.route("/budgets/batch", methods=["POST"])
@requires(LIMITS)
@centres.arguments(BudgetRows)
@centres.response(200, Outcomes)
def budget_batch(body: dict[str, Any]) -> Any:
    """Set up to 1,000 budgets by company and cost centre."""
    return upsert("budgets", body["rows"])


@centres.route("/<path:code>/budget", methods=["PUT"])
@requires(CENTRES, LIMITS)
@centres.arguments(BudgetAsked)
@centres.response(200, CentreItem)
def budget_put(asked: dict[str, Any], code: str) -> Any:
    """Set the budget of a cost centre."""
    with for_company(asked["company"]) as company:
        budgets.save(cost_centres.by_code(company.id, code), company, asked)
        return _centre(company.id, code)


@centres.route("/<path:code>/budget", methods=["DELETE"])
@requires(CENTRES, LIMITS)
@centres.arguments(Whose, location="query")
@centres.response(200, CentreItem)
def budget_delete(asked: dict[str, Any], code: str) -> Any:
    """Switch the budget of a cost centre off; its ledger stays."""
    with for_company(asked["company"]) as company:
        budgets.switch_off(cost_centres.by_code(company.id, code))
        return _centre(company.id, code)


@centres.route("/<path:code>", methods=["GET"])
@requires(CENTRES_VIEW, LIMITS)
@centres.arguments(Whose, location="query")
@centres.response(200, CentreItem)
def centre_read(asked: dict[str, Any], code: str) -> Any:
    """Read a cost centre."""
    with for_company(asked["company"]) as company:
        return _centre(company.id, code)


@centres.route("/<path:code>", methods=["PUT"])
@requires(CENTRES, LIMITS)
@centres.arguments(CentreAsked)
@centres.response(200, CentreItem)
def centre_put(asked: dict[str, Any], code: str) -> Any:
    """Create a cost centre or change it."""
    with for_company(asked["company"]) as company, write():
        owner = person_named(asked["owner"], company.id).code if asked["owner"] else ""
        values = {"code": code, "name": asked["name"], "owner": owner, "active": asked["active"]}
        try:
            found = cost_centres.by_code(company.id, code)
        except NotFound:
            found = cost_centres.add(company.id, values)
        cost_centres.change(found, values)
        return _centre(company.id, code)


def _centre(company_id: int, code: str) -> dict[str, Any]:
    found = cost_centres.by_code(company_id, code)
    return dict(_centres([found.id])[found.id])


def _centres(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return cost centres by id; the number of statements is constant."""
    query = select(CostCentre, Company.code, User.email).join(Company, Company.id == CostCentre.company_id)
    query = query.outerjoin(User, User.id == CostCentre.owner_id).where(CostCentre.id.in_(ids))
    standing = budgets.in_force(ids)
    names = ("code", "name", "active", "source", "external_id")
    return {
        row.id: {
            **{name: getattr(row, name) for name in names}, "company": company, "owner": email or "",
            "budget": _budget(standing[row.id]) if row.id in standing else None,
        }
        for row, company, email in db.session.execute(query)
    }  # fmt: skip


def _budget(shown: budgets.Shown) -> dict[str, Any]:
    budget, standing = shown.budget, shown.standing
    return {
        **{name: getattr(budget, name) for name in ("period", "currency", "mode", "carry_over")},
        **{name: getattr(standing, name) for name in ("amount", "carried", "available", "reserved", "left")},
        "used": standing.committed, "since": shown.period.first, "until": shown.period.last,
    }  # fmt: skip


# ---- limits and rules, as the imports have them ----

limits = resource("approval_chain_limits_api", __name__, "Limits of people and roles.")
rules = resource("approval_chain_rules_api", __name__, "Approval rules of companies and of the seller.")
LimitRow = row_schema(limit_import.APPROVAL_LIMITS, "ApprovalLimitRow")
SpendingRow = row_schema(limit_import.SPENDING_LIMITS, "SpendingLimitRow")
RuleRow = row_schema(rule_import.RULES, "ApprovalRuleRow")


@limits.route("", methods=["GET"])
@requires(LIMITS)
@limits.arguments(Whose, location="query")
@limits.response(200, rows_schema(LimitRow, "ApprovalLimits"))
def limit_list(asked: dict[str, Any]) -> Any:
    """List what people and roles may order alone and approve; of one company, or of all."""
    return {"rows": _of(limit_import.export_limits(), asked["company"])}


@limits.route("/batch", methods=["POST"])
@requires(LIMITS)
@limits.arguments(rows_schema(LimitRow, "ApprovalLimitRows"))
@limits.response(200, Outcomes)
def limit_batch(body: dict[str, Any]) -> Any:
    """Set up to 1,000 limits by company and person or role."""
    return upsert("approval_limits", body["rows"])


@limits.route("/spending", methods=["GET"])
@requires(LIMITS)
@limits.arguments(Whose, location="query")
@limits.response(200, rows_schema(SpendingRow, "SpendingLimits"))
def spending_list(asked: dict[str, Any]) -> Any:
    """List what people and roles may order by the period; of one company, or of all."""
    return {"rows": _of(limit_import.export_spending(), asked["company"])}


@limits.route("/spending/batch", methods=["POST"])
@requires(LIMITS)
@limits.arguments(rows_schema(SpendingRow, "SpendingLimitRows"))
@limits.response(200, Outcomes)
def spending_batch(body: dict[str, Any]) -> Any:
    """Set up to 1,000 limits by the period by company, person or role, and period."""
    return upsert("spending_limits", body["rows"])


@rules.route("", methods=["GET"])
@requires(SELLER_RULES)
@rules.arguments(Whose, location="query")
@rules.response(200, rows_schema(RuleRow, "ApprovalRules"))
def rule_list(asked: dict[str, Any]) -> Any:
    """List the rules that have a name; of one company, or all with those of the seller (company '')."""
    return {"rows": _of(rule_import.export(), asked["company"])}


@rules.route("/batch", methods=["POST"])
@requires(SELLER_RULES)
@rules.arguments(rows_schema(RuleRow, "ApprovalRuleRows"))
@rules.response(200, Outcomes)
def rule_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 rules by company and name."""
    return upsert("approval_rules", body["rows"])


def _of(rows: Any, company: str) -> list[dict[str, Any]]:
    return [row for row in rows if company in ("", row["company"])]
