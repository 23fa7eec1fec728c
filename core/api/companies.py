"""Companies, their addresses and segments: for reading and foreign keys, and what is asked about them."""

from core.accounts.models import User
from core.accounts.roles import TITLES as ROLE_TITLES
from core.accounts.roles import permissions_of
from core.companies.editing import checked_country
from core.companies.identifiers import country_name
from core.companies.memberships import holders
from core.companies.models import Address, Company, CompanySegment, Membership, Segment, Seller
from core.companies.segments import segment_by_code
from core.companies.services import (
    GUESTS,
    ancestors,
    company_by_code,
    country_of,
    current_company,
    descendants,
    segment_ids,
    seller,
    visitor_segment_ids,
)
from core.companies.tree import descendants_of, lock_company

__all__ = [
    # for reading and foreign keys
    "Address", "Company", "CompanySegment", "Membership", "Segment", "Seller", "User",
    # questions
    "ancestors", "checked_country", "company_by_code", "country_name", "country_of", "current_company", "descendants",
    "descendants_of", "holders", "permissions_of", "segment_by_code", "segment_ids", "seller", "visitor_segment_ids",
    # the code of the segment that visitors belong to
    "GUESTS",
    # roles of people, and the lock under which a company's orders change
    "ROLE_TITLES", "lock_company",
]  # fmt: skip
