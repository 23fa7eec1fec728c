"""Companies, their addresses and segments, for reading and foreign keys."""

from core.companies.models import Address, Company, CompanySegment, Segment, Seller

__all__ = ["Address", "Company", "CompanySegment", "Segment", "Seller"]
