"""What other domains ask about companies: the seller, the active company, the tree, segments, locks, addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import g
from sqlalchemy import select

from core.companies.editing import company_by_code, create_company, update_company
from core.companies.memberships import set_memberships
from core.companies.models import Address, Company, CompanySegment, Seller
from core.companies.tree import ancestors, descendants, lock_company
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _
from core.spec.errors import NotFound

__all__ = [
    "address_snapshot",
    "addresses_of",
    "ancestors",
    "company_by_code",
    "create_company",
    "current_company",
    "default_address",
    "descendants",
    "lock_company",
    "segment_ids",
    "seller",
    "set_memberships",
    "update_company",
]


def seller() -> Seller:
    """Return the merchant's legal entity; one statement per request at most. NotFound before ``tukku init``."""
    return _kept("tukku_seller", _seller)


def _seller() -> Seller:
    found = db.session.scalar(select(Seller).order_by(Seller.id).limit(1))
    if found is None:
        raise NotFound("NO-SELLER", _("The shop has no seller yet. Run `tukku init` to make one."))
    return found


def current_company() -> Company | None:
    """Return the company for which the actor buys; None for guests, staff and jobs. One statement per request at most."""
    company_id = current_actor().company_id
    if company_id is None:
        return None
    return _kept(f"tukku_company_{company_id}", lambda: db.session.get(Company, company_id))


T = TypeVar("T")


def _kept(name: str, load: Callable[[], T]) -> T:
    """Return what was loaded before in this request while the session still has it: alone, it holds objects weakly."""
    known = g.get(name)
    if known is None or known not in db.session:
        known = load()
        setattr(g, name, known)
    return known


def segment_ids(company_ids: Iterable[int]) -> tuple[int, ...]:
    """Return the ids of the segments to which any of the companies belongs, sorted."""
    wanted = tuple(company_ids)
    if not wanted:
        return ()
    found = select(CompanySegment.segment_id).where(CompanySegment.company_id.in_(wanted)).distinct()
    return tuple(sorted(db.session.scalars(found)))


def addresses_of(company_id: int, use: str = "") -> list[Address]:
    """Return the company's active addresses for ``use`` (bill_to, ship_to, '' for all), the default first."""
    statement = select(Address).where(Address.company_id == company_id, Address.active)
    if use:
        statement = statement.where(Address.use.in_((use, "both")))
    return list(db.session.scalars(statement.order_by(Address.is_default.desc(), Address.code)))


def default_address(company_id: int, use: str) -> Address | None:
    """Return the address that is proposed for ``use``."""
    return next(iter(addresses_of(company_id, use)), None)


def address_snapshot(address: Address) -> dict[str, Any]:
    """Return the plain values that a document keeps of an address."""
    names = (
        "code",
        "name",
        "street",
        "street2",
        "postal_code",
        "city",
        "region",
        "country",
        "contact",
        "phone",
        "instructions",
    )
    return {name: getattr(address, name) for name in names}
