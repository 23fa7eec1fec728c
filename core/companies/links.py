"""Where the rows of tables about a company lead: the same tables stand in the shop and in the back-office."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for

Maker = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Links:
    """Makers of addresses: of an address, a person and an invitation, by their code or reference."""

    address: Maker
    address_active: Maker
    person: Maker
    resend: Maker
    withdraw: Maker
    act: Maker | None = None


def shop_links() -> Links:
    """Return the links of the shop, where the company is the active one."""
    return Links(
        address=lambda code: url_for("companies.address", code=code),
        address_active=lambda code: url_for("companies.set_address_active", code=code),
        person=lambda code: url_for("companies.member", code=code),
        resend=lambda reference: url_for("companies.resend_invitation", reference=reference),
        withdraw=lambda reference: url_for("companies.withdraw_invitation", reference=reference),
    )


def office_links(company: str) -> Links:
    """Return the links of the back-office for the company with the code."""
    return Links(
        address=lambda code: url_for("companies_admin.address", code=company, address=code),
        address_active=lambda code: url_for("companies_admin.set_address_active", code=company, address=code),
        person=lambda code: url_for("companies_admin.member", code=company, person=code),
        resend=lambda reference: url_for("companies_admin.resend_invitation", code=company, reference=reference),
        withdraw=lambda reference: url_for("companies_admin.withdraw_invitation", code=company, reference=reference),
        act=lambda code: url_for("companies_admin.act_for", code=company, person=code),
    )
