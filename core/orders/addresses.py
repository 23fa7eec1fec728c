"""The addresses among which a buyer chooses: those of the company for which they buy."""

from __future__ import annotations

from typing import Literal

from core.companies.models import Address
from core.companies.services import addresses_of
from core.data.scope import current_actor

Use = Literal["bill_to", "ship_to"]
USES: tuple[Use, ...] = ("bill_to", "ship_to")


def choices(use: Use) -> list[Address]:
    """Return the active company's addresses for ``use``, the default first."""
    company_id = current_actor().company_id
    return [] if company_id is None else addresses_of(company_id, use)


def chosen(use: Use, address_id: int | None) -> Address | None:
    """Return the address with ``address_id`` if it may serve for ``use``, without an id the proposed one, else None."""
    found = choices(use)
    if address_id is None:
        return next(iter(found), None)
    return next((address for address in found if address.id == address_id), None)


def by_code(use: Use, code: str) -> Address | None:
    """Return the company's address with ``code`` for ``use``; another company's is None, whatever its code."""
    return next((address for address in choices(use) if address.code == code), None)
