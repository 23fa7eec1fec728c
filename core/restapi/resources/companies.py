"""Companies: read with addresses and people, changed one by one or by the thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.accounts.models import User
from core.companies.imports.companies import COMPANIES as IMPORT
from core.companies.listings import COMPANIES
from core.companies.models import Address, Company, CompanySegment, Membership, Segment
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import locked, write
from core.i18n import _
from core.restapi import batch, lists
from core.restapi.document import resource
from core.restapi.fields import Schema
from core.restapi.replies import not_modified_since, tagged
from core.spec.errors import NotFound
from core.ui.access import requires

bp = resource("restapi_companies", __name__, "Customer companies with their addresses and people.")
READ, VIEW, EDIT = "companies.company.read", "companies.company.view", IMPORT.permission
_PLAIN = (
    "code", "name", "country", "currency", "business_id", "vat_id", "email", "phone", "status", "source", "external_id",
    "version",
)  # fmt: skip
_ADDRESS = ("code", "use", "name", "street", "street2", "postal_code", "city", "region", "country", "contact", "phone")


def _visible() -> list[Any]:
    """Return which companies are listed: of buyers their own and its subsidiaries, not the parents."""
    scope = current_actor().scope
    return [] if scope.unlimited else [Company.id.in_(scope.subtree)]


RESOURCE = replace(
    COMPANIES,
    key="api.companies",
    fields=tuple(f for f in COMPANIES.fields if f.name not in ("parent", "sales_rep")),
    order="code",
    where=_visible,
)


class CompanyAddress(Schema):
    """An address of a company; ``code`` names it in orders."""

    code, use, name = fields.String(), fields.String(), fields.String()
    street, street2, postal_code = fields.String(), fields.String(), fields.String()
    city, region, country = fields.String(), fields.String(), fields.String()
    contact, phone, is_default = fields.String(), fields.String(), fields.Boolean()


class CompanyUser(Schema):
    """A person who buys for the company, with the roles."""

    email, name, active = fields.String(), fields.String(), fields.Boolean()
    roles = fields.List(fields.String())


class CompanyItem(Schema):
    """A company; ``users`` and ``segments`` only for keys that may see them."""

    code, name, country, currency = fields.String(), fields.String(), fields.String(), fields.String()
    business_id, vat_id, email, phone = fields.String(), fields.String(), fields.String(), fields.String()
    status, language, parent = fields.String(), fields.String(), fields.String(allow_none=True)
    source, external_id, version = fields.String(), fields.String(), fields.Integer()
    segments = fields.List(fields.String())
    addresses = fields.List(fields.Nested(CompanyAddress))
    users = fields.List(fields.Nested(CompanyUser))
    extensions = fields.Dict(keys=fields.String(), values=fields.Dict())


Query = lists.query_schema(RESOURCE)
Page = lists.page_schema(CompanyItem, "CompanyPage")
RowIn = batch.row_schema(IMPORT, "CompanyRow")
Rows = batch.rows_schema(RowIn, "CompanyRows")
Change = batch.row_schema(IMPORT, "CompanyChange", without=("code",))


@bp.route("", methods=["GET"])
@requires(READ, VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def company_list(asked: dict[str, Any]) -> Any:
    """List companies: of the merchant's keys all, of a company's key its own and, where allowed, its subsidiaries."""
    return lists.page(RESOURCE, asked, details)


@bp.route("/<code>", methods=["GET"])
@requires(READ, VIEW)
@bp.response(200, CompanyItem)
def company_read(code: str) -> Any:
    """Read a company."""
    company_id, version = _find(code)
    return tagged(CompanyItem, details([company_id])[company_id], version)


@bp.route("/<code>", methods=["PATCH"])
@requires(EDIT)
@bp.arguments(Change)
@bp.response(200, CompanyItem)
def company_change(changed: dict[str, Any], code: str) -> Any:
    """Change a company; with If-Match only if nobody else changed it meanwhile."""
    with write():
        not_modified_since(_find(code, lock=True)[1])
        batch.change_one("companies", {**changed, "code": code})
    return company_read(code)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, batch.Outcomes)
def company_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 companies, each named by code, or by source and external_id."""
    return batch.upsert_known("companies", body["rows"], Company, Company.code)


def _find(code: str, *, lock: bool = False) -> tuple[int, int]:
    statement = select(Company.id, Company.version).where(Company.code == code, *_visible())
    row = db.session.execute(locked(statement) if lock else statement).first()
    if row is None:
        raise NotFound("COMPANY-UNKNOWN", _("There is no company %(code)s.", code=code[:40]))
    return row.id, row.version


def details(ids: Sequence[int]) -> Any:
    """Return the companies with what belongs to them; the number of statements does not depend on their number."""
    above = aliased(Company)
    query = select(Company, above.code).outerjoin(above, above.id == Company.parent_id).where(Company.id.in_(ids))
    found = {}
    for company, parent in db.session.execute(query):
        plain = {name: getattr(company, name) for name in _PLAIN}
        found[company.id] = {**plain, "language": company.locale, "parent": parent, "addresses": []}
    chosen = select(Address).where(Address.company_id.in_(ids), Address.active).order_by(Address.code)
    for address in db.session.scalars(chosen):
        values = {name: getattr(address, name) for name in _ADDRESS}
        found[address.company_id]["addresses"].append({**values, "is_default": address.is_default})
    actor = current_actor()
    if actor.may(VIEW):
        _add_segments(found)
    if actor.may("companies.buyer.view") or actor.may("companies.member.view"):
        _add_users(found)
    return lists.extend("company", found)


def _add_segments(found: dict[int, dict[str, Any]]) -> None:
    query = select(CompanySegment.company_id, Segment.code).join(Segment, Segment.id == CompanySegment.segment_id)
    for company in found.values():
        company["segments"] = []
    for company_id, code in db.session.execute(query.where(CompanySegment.company_id.in_(found)).order_by(Segment.code)):
        found[company_id]["segments"].append(code)


def _add_users(found: dict[int, dict[str, Any]]) -> None:
    query = (
        select(Membership.company_id, Membership.role, User.email, User.name, User.active)
        .join(User, User.id == Membership.user_id)
        .where(Membership.company_id.in_(found))
        .order_by(User.email, Membership.role)
    )
    people: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for company_id, role, email, name, active in db.session.execute(query):
        person = people[company_id].setdefault(email, {"email": email, "name": name, "active": active, "roles": []})
        person["roles"].append(role)
    for company_id, company in found.items():
        company["users"] = list(people[company_id].values())
