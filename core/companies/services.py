"""What other domains ask about companies: the seller, the active company, the tree, segments, locks, addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

from flask import g, has_request_context
from sqlalchemy import select

from core.accounts import identity
from core.accounts.identity import Buyer
from core.companies.editing import company_by_code, create_company, update_company
from core.companies.memberships import set_memberships
from core.companies.models import Address, Company, CompanySegment, Segment, Seller
from core.companies.tree import ancestors, descendants, lock_company
from core.data import stamps
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import writing
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
    "seller_facts",
    "set_memberships",
    "standing_of",
    "update_company",
    "visitor_segment_ids",
]
#: The segment that visitors belong to, where the merchant has made it: price lists and assortments for them alone.
GUESTS = "guests"


def seller() -> Seller:
    """Return the merchant's legal entity; one statement per request at most. NotFound before ``tukku init``."""
    return _kept("tukku_seller", _seller)


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """What every page and price asks of the seller."""

    name: str
    business_id: str
    street: str
    postal_code: str
    city: str
    country: str
    currency: str
    zone: str


def seller_facts() -> SellerFacts:
    """Return the seller's plain values, read when they have changed. NotFound before ``tukku init``."""
    return stamps.kept("seller", "facts", lambda: SellerFacts(*(getattr(seller(), f.name) for f in fields(SellerFacts))))


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


def standing_of(company_id: int) -> Buyer | None:
    """Return what the request's first look said of the company for which it buys; None of any other, or while writing."""
    buyer = identity.current().buyer if has_request_context() else None
    return buyer if buyer is not None and buyer.company.id == company_id and not writing() else None


T = TypeVar("T")


def country_of(company_id: int) -> str:
    """Return the country of a company; no statement for the one that the actor buys for."""
    buyer = standing_of(company_id)
    if buyer is not None:
        return buyer.country
    return db.session.scalar(select(Company.country).where(Company.id == company_id)) or ""


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
    buyer = standing_of(wanted[0])
    if buyer is not None and wanted == buyer.ancestors:
        return buyer.segments
    found = select(CompanySegment.segment_id).where(CompanySegment.company_id.in_(wanted)).distinct()
    return tuple(sorted(db.session.scalars(found)))


def visitor_segment_ids() -> tuple[int, ...]:
    """Return the segment that visitors belong to, read when a segment has changed; nothing where there is none."""
    query = select(Segment.id).where(Segment.code == GUESTS)
    return stamps.kept("segments", "visitors", lambda: tuple(db.session.scalars(query)))


def addresses_of(company_id: int, use: str = "") -> list[Address]:
    """Return the company's active addresses for ``use`` (bill_to, ship_to, '' for all), the default first."""
    return [address for address in _addresses(company_id) if not use or address.use in (use, "both")]


def _addresses(company_id: int) -> list[Address]:
    """Read the addresses once in a transaction of an actor: a page asks for those of several uses."""
    if writing():
        return _read_addresses(company_id)
    now = (db.session.connection().get_transaction(), current_actor())
    then, kept = g.get("tukku_addresses", (None, {}))
    if then != now:
        kept = {}
        g.tukku_addresses = (now, kept)
    if company_id not in kept:
        kept[company_id] = _read_addresses(company_id)
    return cast(list[Address], kept[company_id])


def _read_addresses(company_id: int) -> list[Address]:
    statement = select(Address).where(Address.company_id == company_id, Address.active)
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
