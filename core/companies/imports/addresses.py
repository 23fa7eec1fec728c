"""Import and export of companies' addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from core.companies.editing import checked_country
from core.companies.models import Address, Company
from core.data.db import db
from core.i18n import _, _l
from core.imports.batch import Batch
from core.imports.upsert import Upsert
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

USES = ("bill_to", "ship_to", "both")
_PLAIN = (
    "use", "name", "street", "street2", "postal_code", "city", "region", "country", "contact", "phone", "instructions",
)  # fmt: skip
_NEW = {
    "use": "both", "street2": "", "postal_code": "", "region": "", "contact": "", "phone": "", "instructions": "",
    "zone": "", "is_default": False, "active": True,
}  # fmt: skip


def load_addresses(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert addresses; name and country are the company's where a new row leaves them empty."""
    batch = Batch(rows, "company", "code")
    query = select(Company.code, Company.id, Company.name, Company.country).where(Company.code.in_(batch.all("company")))
    companies = {row.code: row for row in db.session.execute(query)}
    table = Upsert(Address, ("company_id", "code")).read(
        Address.company_id.in_([company.id for company in companies.values()])
    )
    for row in batch:
        company = companies.get(row.values["company"])
        if company is None:
            batch.unknown(row, "company", _("company"))
            continue
        key = (company.id, row.values["code"])
        if table.get(*key) is None and not batch.require(row, "street", "city"):
            continue
        try:
            wanted = _wanted(row)
        except Invalid as error:
            batch.fail(row, "country", error.message)
            continue
        new = {**_NEW, "extra": {}, "name": company.name, "country": company.country}
        batch.done(row, table.put(key, wanted, new=new))
    table.flush()
    return batch.results()


def _wanted(row: ImportRow) -> dict[str, Any]:
    wanted = {name: row.values[name] for name in _PLAIN if name in row.values}
    if "country" in wanted:
        wanted["country"] = checked_country(wanted["country"])
    if "default" in row.values:
        wanted["is_default"] = row.values["default"]
    return wanted


def export_addresses() -> Iterator[dict[str, Any]]:
    """Yield the addresses in use by company."""
    query = select(Address, Company.code).join(Company, Company.id == Address.company_id).where(Address.active)
    for address, company in db.session.execute(query.order_by(Company.code, Address.code)):
        plain = {name: getattr(address, name) for name in _PLAIN}
        yield {"company": company, "code": address.code, **plain, "default": address.is_default}


ADDRESSES = DataImport(
    kind="addresses",
    title=_l("Addresses"),
    key=("company", "code"),
    fields=(
        ImportField("company", required=True, max_length=40),
        ImportField("code", required=True, max_length=40),
        ImportField("use", "choice", choices=USES),
        ImportField("name", max_length=200),
        ImportField("street", max_length=200),
        ImportField("street2", max_length=200),
        ImportField("postal_code", max_length=20),
        ImportField("city", max_length=100),
        ImportField("region", max_length=100),
        ImportField("country", "country"),
        ImportField("contact", max_length=200),
        ImportField("phone", max_length=50),
        ImportField("instructions", max_length=2000, lines=True),
        ImportField("default", "boolean"),
    ),
    load=load_addresses,
    permission="companies.company.edit",
    export=export_addresses,
    order=70,
)
