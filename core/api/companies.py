"""Companies, their addresses and segments: for reading and foreign keys, and what is asked about them."""

from core.companies.models import Address, Company, CompanySegment, Segment, Seller
from core.companies.services import ancestors, company_by_code, current_company, descendants, segment_ids, seller
from core.companies.tree import descendants_of

__all__ = [
    # for reading and foreign keys
    "Address", "Company", "CompanySegment", "Segment", "Seller",
    # questions
    "ancestors", "company_by_code", "current_company", "descendants", "descendants_of", "segment_ids", "seller",
]  # fmt: skip
