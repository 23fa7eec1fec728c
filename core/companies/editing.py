"""Create and change companies and the seller: checked values, audit, events. Usable row by row in imports."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from babel.core import get_global
from babel.numbers import get_territory_currencies
from sqlalchemy import select

from core.companies import identifiers, tree
from core.companies.models import Company, Seller
from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import LOCALES, _
from core.i18n.currencies import checked_currency
from core.jobs.services import emit
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound

STATUSES = ("active", "blocked", "closed")
FIELDS = (
    "name", "country", "business_id", "vat_id", "locale", "currency", "email", "phone", "status", "sales_rep_id",
    "source", "external_id", "extra",
)  # fmt: skip
#: What a company code looks like.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}", re.ASCII)
_LENGTHS = {"name": 200, "email": 255, "phone": 50, "source": 40, "external_id": 80}
COUNTRIES = frozenset(
    code
    for code, uses in get_global("territory_currencies").items()
    if len(code) == 2 and code not in ("EU", "UN", "ZZ") and any(end is None and tender for _c, _start, end, tender in uses)
)


def company_by_code(code: str) -> Company:
    """Return the company with ``code`` that the actor may see; NotFound otherwise."""
    found = db.session.scalar(select(Company).where(Company.code == code))
    if found is None:
        raise NotFound("COMPANY-UNKNOWN", _("There is no company with the code “%(code)s”.", code=code))
    return found


def create_company(code: str, *, parent: Company | None = None, **values: Any) -> Company:
    """Add a company (flushed) with ``values`` of ``FIELDS``; name, country and currency are required.

    Call inside ``write()``. Raises Invalid naming the field, Conflict when the code is taken.
    """
    if not current_actor().scope.unlimited:
        raise Forbidden("COMPANY-OUTSIDE", _("Only staff who see all companies may add one."))
    if not CODE.fullmatch(code):
        raise _invalid("code", "COMPANY-CODE", _("Use letters, digits and . _ + - in the code, at most 40 of them."))
    if db.session.scalar(select(Company.id).where(Company.code == code)) is not None:
        raise Conflict("COMPANY-EXISTS", _("There is already a company with the code “%(code)s”.", code=code))
    company = Company(code=code, created_at=clock.now(), parent_id=parent.id if parent else None)
    _set(company, {"business_id": "", "vat_id": "", **values})
    for name in ("name", "country", "currency"):
        if not getattr(company, name):
            raise _invalid(name, "COMPANY-INCOMPLETE", _("The company needs a name, a country and a currency."))
    db.session.add(company)
    db.session.flush()
    audit.record("company", code, "created", company_id=company.id, after=_kept(values))
    emit("company.created", {"company_id": company.id, "code": code, "version": company.version})
    return company


def update_company(company: Company, **values: Any) -> bool:
    """Change what ``values`` (of ``FIELDS``) say; returns whether anything differed. Call inside ``write()``."""
    before = {name: getattr(company, name) for name in values if name in FIELDS}
    changed = _set(company, values)
    if not changed:
        return False
    db.session.flush()
    audit.record(
        "company",
        company.code,
        "changed",
        company_id=company.id,
        before=_kept({name: before[name] for name in changed if name in before}),
        after=_kept({name: getattr(company, name) for name in changed}),
    )
    emit("company.changed", {"company_id": company.id, "code": company.code, "version": company.version})
    return True


def move_company(company: Company, parent: Company | None) -> bool:
    """Hang the company elsewhere in the tree; returns whether it moved. Call inside ``write()``."""
    before = company.parent_id
    if not tree.move(company, parent):
        return False
    audit.record(
        "company", company.code, "moved", company_id=company.id,
        before={"parent_id": before}, after={"parent": parent.code if parent else None},
    )  # fmt: skip
    emit("company.changed", {"company_id": company.id, "code": company.code, "version": company.version})
    return True


def _set(company: Company, values: dict[str, Any]) -> list[str]:
    """Check and set the values; returns the names of those that differ."""
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise TypeError(f"a company has no field {sorted(unknown)[0]}")
    country = values.get("country", company.country)
    wanted = {name: _checked(name, value, country or "") for name, value in values.items()}
    if "country" in wanted and wanted["country"] != company.country and company.country:
        for name in ("business_id", "vat_id"):  # the ids have to be right in the new country too
            wanted.setdefault(name, _checked(name, getattr(company, name), wanted["country"]))
    changed = [name for name, value in wanted.items() if getattr(company, name) != value]
    for name in changed:
        setattr(company, name, wanted[name])
    return changed


def _checked(name: str, value: Any, country: str) -> Any:
    if name == "business_id":
        return identifiers.business_id(country, value or "")
    if name == "vat_id":
        return identifiers.vat_id(country, value or "")
    if name == "country":
        return checked_country(value)
    if name == "currency":
        return checked_currency(value)
    if name == "locale":
        return value if value in LOCALES else "en"
    if name == "status" and value not in STATUSES:
        raise _invalid(name, "COMPANY-STATUS", _("The status is one of: %(list)s.", list=", ".join(STATUSES)))
    return checked_text(name, value, _LENGTHS[name]) if name in _LENGTHS else value


def checked_text(name: str, value: Any, longest: int) -> str:
    """Return ``value`` trimmed; Invalid when it is too long for field ``name``."""
    text = str(value or "").strip()
    if len(text) > longest:
        raise _invalid(name, "TOO-LONG", _("Use at most %(count)s characters.", count=longest))
    return text


def checked_country(value: Any, field: str = "country") -> str:
    """Return a country code of two letters; Invalid otherwise."""
    code = str(value or "").strip().upper()
    if code not in COUNTRIES:
        raise _invalid(field, "COUNTRY", _("“%(code)s” is not a country code. Use two letters, such as FI.", code=code))
    return code


def _invalid(field: str, code: str, message: str) -> Invalid:
    return Invalid(code, message, details={"field": field})


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "extra"}


def make_seller(name: str, country: str, *, currency: str = "", zone: str = "") -> Seller | None:
    """Make the merchant's legal entity where there is none yet, and return it then; Invalid names what cannot be.

    Currency and time zone are those of the country, UTC where it has several zones.
    """
    country = checked_country(country)
    currency = checked_currency(currency or get_territory_currencies(country)[0])
    zones = sorted(zone for zone, home in get_global("zone_territories").items() if home == country)
    zone = zone or (zones[0] if len(zones) == 1 else "UTC")
    if zone not in available_timezones():
        raise _invalid("zone", "ZONE", _("“%(zone)s” is not a time zone. Example: Europe/Helsinki", zone=zone))
    with write() as session:
        if session.scalar(select(Seller.id).limit(1)) is not None:
            return None
        made = Seller(code="main", name=checked_text("name", name, 200), country=country, currency=currency, zone=zone)
        session.add(made)
        audit.record("seller", made.code, "created", after={"name": made.name, "country": country, "currency": currency})
    return made


def update_seller(seller: Seller, **values: Any) -> bool:
    """Change the merchant's own data; returns whether anything differed."""
    country = values.get("country", seller.country)
    if "country" in values:
        country = values["country"] = checked_country(country)
    if "currency" in values:
        values["currency"] = checked_currency(values["currency"])
    for name, check in (("business_id", identifiers.business_id), ("vat_id", identifiers.vat_id)):
        if name in values:
            values[name] = check(country, values[name] or "")
    with write():
        changed = [name for name, value in values.items() if getattr(seller, name) != value]
        before = {name: getattr(seller, name) for name in changed}
        for name in changed:
            setattr(seller, name, values[name])
        if changed:
            audit.record("seller", seller.code, "changed", before=before, after={n: values[n] for n in changed})
    return bool(changed)
