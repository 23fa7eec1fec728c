"""Bill-to and ship-to addresses: add, change, retire; one default for each use."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select

from core.companies.editing import checked_country, checked_text
from core.companies.models import Address, Company
from core.data import audit
from core.data.db import db
from core.i18n import _
from core.spec.errors import Conflict, Invalid, NotFound

USES = ("both", "bill_to", "ship_to")
_LENGTHS = {
    "code": 40, "name": 200, "street": 200, "street2": 200, "postal_code": 20, "city": 100, "region": 100,
    "contact": 200, "phone": 50, "instructions": 2000,
}  # fmt: skip
_REQUIRED = ("name", "street", "city")
FIELDS = (*_LENGTHS, "use", "country", "zone", "is_default", "active", "extra")


def address_by_code(company_id: int, code: str) -> Address:
    """Return the address of a company that the actor may see; NotFound otherwise."""
    found = db.session.scalar(select(Address).where(Address.company_id == company_id, Address.code == code))
    if found is None:
        raise NotFound("ADDRESS-UNKNOWN", _("There is no address with the code “%(code)s”.", code=code))
    return found


def all_addresses(company_id: int) -> list[Address]:
    """Return every address of a company, retired ones last."""
    statement = select(Address).where(Address.company_id == company_id)
    return list(db.session.scalars(statement.order_by(Address.active.desc(), Address.is_default.desc(), Address.code)))


def save_address(company: Company, address: Address | None, **values: Any) -> Address:
    """Add an address (None) or change one; returns it flushed. Call inside ``write()``; Invalid names the field."""
    clean = {name: _checked(name, value) for name, value in values.items() if name in FIELDS}
    if address is None:
        clean["code"] = clean.get("code") or free_code(company.id)
        address = Address(company_id=company.id, country=company.country)
        _refuse_taken(company.id, clean["code"])
        action = "created"
    else:
        clean.pop("code", None)  # documents and imports know the address by it
        action = "changed"
    changed = [name for name, value in clean.items() if getattr(address, name) != value]
    for name in changed:
        setattr(address, name, clean[name])
    _require(address)
    db.session.add(address)
    db.session.flush()
    if address.is_default:
        _only_default(address)
    if changed:
        after = {name: clean[name] for name in changed if name != "extra"}
        audit.record("address", f"{company.code}/{address.code}", action, company_id=company.id, after=after)
    return address


def retire_address(company: Company, address: Address) -> None:
    """Take an address out of use; documents keep their copies. Call inside ``write()``."""
    address.active, address.is_default = False, False
    audit.record("address", f"{company.code}/{address.code}", "retired", company_id=company.id)


def restore_address(company: Company, address: Address) -> None:
    """Take a retired address into use again; the undo of ``retire_address``. Call inside ``write()``."""
    address.active = True
    audit.record("address", f"{company.code}/{address.code}", "restored", company_id=company.id)


def _checked(name: str, value: Any) -> Any:
    if name in _LENGTHS:
        return checked_text(name, value, _LENGTHS[name])
    if name == "country":
        return checked_country(value)
    if name == "use" and value not in USES:
        raise Invalid("ADDRESS-USE", _("Choose what the address is used for."), details={"field": "use"})
    if name == "zone" and value and value not in available_timezones():
        raise Invalid(
            "ZONE", _("“%(zone)s” is not a time zone. Example: Europe/Helsinki", zone=value), details={"field": "zone"}
        )
    return value


def _require(address: Address) -> None:
    for name in _REQUIRED:
        if not getattr(address, name):
            message = _("An address needs a name, a street and a city.")
            raise Invalid("ADDRESS-INCOMPLETE", message, details={"field": name})


def _refuse_taken(company_id: int, code: str) -> None:
    if code in _codes(company_id):
        raise Conflict(
            "ADDRESS-EXISTS",
            _("The company already has an address with the code “%(code)s”.", code=code),
            details={"field": "code"},
        )


def free_code(company_id: int) -> str:
    """Return the code that a new address of the company gets: the least number that none has."""
    taken = _codes(company_id)
    return next(code for number in range(1, len(taken) + 2) if (code := str(number)) not in taken)


def _codes(company_id: int) -> set[str]:
    return set(db.session.scalars(select(Address.code).where(Address.company_id == company_id)))


def _only_default(address: Address) -> None:
    """Let no other address be the default for what this one is the default for."""
    rows = db.session.scalars(
        select(Address).where(Address.company_id == address.company_id, Address.id != address.id, Address.is_default)
    )
    for other in rows:
        if "both" in (other.use, address.use) or other.use == address.use:
            other.is_default = False
    db.session.flush()
