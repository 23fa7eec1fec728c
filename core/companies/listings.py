"""What the back-office lists about companies: companies, and the people who buy for them."""

from __future__ import annotations

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from core.accounts.models import User
from core.companies.editing import STATUSES
from core.companies.forms import countries
from core.companies.identifiers import country_name
from core.companies.models import Company, Membership
from core.i18n import _l, ngettext
from core.ui.resource import Field, Resource, View
from core.ui.states import state_of

Parent = aliased(Company)
Rep = aliased(User)


def _companies(statement: Select) -> Select:  # type: ignore[type-arg]
    return statement.outerjoin(Parent, Parent.id == Company.parent_id).outerjoin(Rep, Rep.id == Company.sales_rep_id)


COMPANIES = Resource(
    key="companies.companies",
    title=_l("Companies"),
    id=Company.id,
    code="code",
    source=_companies,
    fields=(
        Field("code", _l("Code"), Company.code, "code", search=True),
        Field("name", _l("Name"), Company.name, search=True),
        Field("country", _l("Country"), Company.country, choices=countries, show=country_name),
        Field("status", _l("Status"), Company.status, "state", choices=lambda: [(s, state_of(s).label) for s in STATUSES]),
        Field("parent", _l("Parent company"), Parent.name, on_card=False),
        Field("sales_rep", _l("Looked after by"), Rep.name, on_card=False),
        Field("currency", _l("Currency"), Company.currency, shown=False),
        Field("business_id", _l("Business ID"), Company.business_id, search=True, shown=False),
        Field("vat_id", _l("VAT ID"), Company.vat_id, search=True, shown=False),
        Field("email", _l("E-mail"), Company.email, shown=False),
        Field("created", _l("Customer since"), Company.created_at, "day", shown=False),
    ),
    order="name",
    endpoint="companies_admin.company",
    search_label=_l("Find by name, code or ID"),
    count=lambda number: ngettext("%(count)s company", "%(count)s companies", number),
    views=(
        View("all", _l("All")),
        View("blocked", _l("Blocked"), {"status": "blocked"}),
        View("closed", _l("Closed"), {"status": "closed"}),
    ),
)

_BELONGS = exists().where(Membership.company_id == Company.id, Membership.user_id == User.id).correlate(User, Company)
_COMPANY_NAMES = select(func.aggregate_strings(Company.name, ", ")).where(_BELONGS).correlate(User).scalar_subquery()

BUYERS = Resource(
    key="accounts.buyers",
    title=_l("Buyers"),
    id=User.id,
    code="code",
    where=lambda: [exists(select(Membership.id).where(Membership.user_id == User.id).correlate(User))],
    fields=(
        Field("name", _l("Name"), User.name, search=True),
        Field("email", _l("E-mail"), User.email, search=True),
        Field("companies", _l("Companies"), _COMPANY_NAMES, sort=False),
        Field("active", _l("Active"), User.active, "bool", filter=False),
        Field("last_login", _l("Signed in last"), User.last_login_at, "instant"),
        Field("code", _l("Code"), User.code, "code", shown=False, sort=False, filter=False, column=False),
    ),
    order="name",
    endpoint="companies_admin.buyer",
    search_label=_l("Find by name or e-mail"),
    count=lambda number: ngettext("%(count)s person", "%(count)s people", number),
)
