"""What the terms of a contract may say, the same for the form, for files and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import exists, select

from core.api.data import db
from core.api.hooks import Invalid
from core.api.i18n import translations

from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
#: A code stands in the addresses of pages, so it has no slash.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}", re.ASCII)


def checked_code(code: str) -> str:
    """Return the code of a new contract; Invalid where it could not stand in an address."""
    if not _CODE.fullmatch(code):
        raise Invalid("CONTRACT-CODE", _("Use letters, digits and . _ + - in the code, at most 40 of them."))
    return code


def bound_to_currency(codes: Iterable[str]) -> set[str]:
    """Return which of these contracts have prices in their currency, so that it has to stay; one statement at most."""
    wanted = set(codes)
    priced = exists().where(ContractPrice.contract_id == Contract.id, ContractPrice.kind != "percent")
    return set(db.session.scalars(select(Contract.code).where(Contract.code.in_(wanted), priced))) if wanted else set()


def currency_stays(currency: str) -> str:
    """Return the sentence for a contract whose currency cannot change any more."""
    return _("The contract has prices in %(currency)s. Copy it, and give the copy the other currency.", currency=currency)
