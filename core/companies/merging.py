"""What staff do with the company that a visitor's order made: hand what it has to the customer that it really is."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from core.companies.addresses import all_addresses, free_code
from core.companies.editing import update_company
from core.companies.models import Address, Company, Membership
from core.companies.tree import lock_company
from core.data import audit
from core.data.db import db
from core.i18n import _
from core.jobs.services import emit
from core.spec.errors import Conflict, Invalid

GUEST = "guest"
_PROPOSED = 5


def check_visitor(visitor: Company) -> None:
    """Raise Conflict unless ``visitor`` is still the company of a visitor: open, and without people of its own."""
    people = select(func.count(Membership.id)).where(Membership.company_id == visitor.id)
    if visitor.source != GUEST or visitor.status == "closed" or db.session.scalar(people):
        raise Conflict(
            "NOT-A-VISITOR", _("%(company)s is not the company of a visitor, or is no longer.", company=visitor.name)
        )


def check_customer(visitor: Company, customer: Company) -> None:
    """Raise Invalid unless ``customer`` can take in what ``visitor`` has."""
    if customer.id == visitor.id or customer.status == "closed":
        raise Invalid("MERGE-TARGET", _("Choose another company, one that is not closed."), details={"field": "into"})


def proposals(visitor: Company) -> list[Company]:
    """Return companies that the visitor may be: the same identifiers or the same address of mail; at most five."""
    same = [
        getattr(Company, name) == value for name in ("business_id", "vat_id", "email") if (value := getattr(visitor, name))
    ]
    if not same:
        return []
    others = select(Company).where(or_(*same), Company.id != visitor.id, Company.status != "closed")
    return list(db.session.scalars(others.order_by(Company.source == GUEST, Company.name, Company.id).limit(_PROPOSED)))


def hand_over(visitor: Company, customer: Company, orders: int) -> None:
    """Give the visitor's addresses to the customer, close the visitor's company and keep both on record.

    Call inside ``write()``, after ``lock_pair`` and the checks, once ``orders`` of them have moved.
    """
    known = {_place(address) for address in all_addresses(customer.id) if address.active}
    for address in all_addresses(visitor.id):
        address.company_id, address.code, address.is_default = customer.id, free_code(customer.id), False
        address.active = address.active and _place(address) not in known  # orders go on pointing to it
        db.session.flush()
        audit.record("address", f"{customer.code}/{address.code}", "created", company_id=customer.id)
    update_company(visitor, status="closed")
    told = {"orders": orders}
    audit.record("company", visitor.code, "merged", company_id=visitor.id, after={**told, "into": customer.code})
    audit.record("company", customer.code, "merged", company_id=customer.id, after={**told, "from": visitor.code})
    emit("company.merged", {"company_id": visitor.id, "code": visitor.code, "into_id": customer.id, "into": customer.code})


def lock_pair(visitor: Company, customer: Company) -> None:
    """Lock both companies, the older first, so that nobody waits for each other."""
    for company_id in sorted((visitor.id, customer.id)):
        lock_company(company_id)


def _place(address: Address) -> tuple[str, ...]:
    parts = (address.street, address.street2, address.postal_code, address.city, address.country)
    return tuple(part.casefold() for part in parts)
