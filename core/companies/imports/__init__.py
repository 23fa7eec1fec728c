"""The kinds of import about companies and people, contributed by the domain's plugin."""

from core.companies.imports.addresses import ADDRESSES
from core.companies.imports.companies import COMPANIES
from core.companies.imports.users import USERS
from core.spec.imports import DataImport

IMPORTS: tuple[DataImport, ...] = (USERS, COMPANIES, ADDRESSES)
