"""The addresses among which a buyer chooses: those of the company for which they buy."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select

from core.companies.models import Address
from core.data.db import db
from core.data.scope import current_actor

Use = Literal["bill_to", "ship_to"]


def choices(use: Use) -> list[Address]:
    """Return the active company's addresses for ``use``, the default first."""
    return [address for address in _of_company() if address.use in (use, "both")]


def chosen(use: Use, address_id: int | None) -> Address | None:
    """Return the address with ``address_id`` if it may serve for ``use``, without an id the default, else None."""
    found = choices(use)
    if address_id is None:
        return next((a for a in found if a.is_default), found[0] if len(found) == 1 else None)
    return next((a for a in found if a.id == address_id), None)


def by_code(use: Use, code: str) -> Address | None:
    """Return the company's address with ``code`` for ``use``; another company's is None, whatever its code."""
    return next((address for address in choices(use) if address.code == code), None)


def _of_company() -> list[Address]:
    actor = current_actor()
    if actor.company_id is None:
        return []
    query = select(Address).where(Address.company_id == actor.company_id, Address.active.is_(True))
    return list(db.session.scalars(query.order_by(Address.is_default.desc(), Address.name, Address.code)))
