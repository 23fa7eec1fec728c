"""What may be wrong with contracts, and how they are right now: counts, never a row at a time."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from core.api.data import clock, db
from core.api.hooks import ConfigCheck, ConfigFinding, HealthCheck
from core.api.i18n import translations

from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
CONTRACTS = "pricing_contract_admin.contracts"
SHOWN = 5  # contracts named in a finding


def overlapping_rows() -> Iterator[ConfigFinding]:
    """Find rows of one contract for the same product, unit and quantity that hold at the same time."""
    later = aliased(ContractPrice)
    same = and_(
        later.contract_id == ContractPrice.contract_id,
        later.target == ContractPrice.target,
        later.unit == ContractPrice.unit,
        later.min_quantity == ContractPrice.min_quantity,
        later.valid_from > ContractPrice.valid_from,
        or_(ContractPrice.valid_until.is_(None), ContractPrice.valid_until > later.valid_from),
    )
    codes = (
        select(Contract.code, func.count())
        .select_from(ContractPrice)
        .join(later, same)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .where(Contract.status == "active", ContractPrice.valid_until.is_not(None))
        .group_by(Contract.code)
        .order_by(Contract.code)
    )
    found = list(db.session.execute(codes.limit(SHOWN)))
    for code, count in found:
        text = ngettext(
            "%(count)s row of the contract %(code)s overlaps in time with a later one; the later one holds.",
            "%(count)s rows of the contract %(code)s overlap in time with later ones; the later ones hold.",
            count,
            code=code,
        )
        yield ConfigFinding(
            "CONTRACT-OVERLAP", "warning", text, _("Open the contract"), "pricing_contract_admin.contract", {"code": code}
        )


def ended_contracts() -> Iterator[ConfigFinding]:
    """Count contracts that are still marked active though their time is over, and those without any row."""
    ended = _count(Contract.status == "active", Contract.valid_until <= clock.now())
    if ended:
        text = ngettext(
            "%(count)s contract has ended by its date and is still marked active.",
            "%(count)s contracts have ended by their dates and are still marked active.",
            ended,
        )
        yield ConfigFinding("CONTRACT-ENDED", "info", text, _("Open the contracts"), CONTRACTS)
    rows = select(ContractPrice.target).where(ContractPrice.contract_id == Contract.id)
    empty = _count(Contract.status == "active", ~rows.exists())
    if empty:
        text = ngettext(
            "%(count)s active contract has no price row, so it changes nothing.",
            "%(count)s active contracts have no price rows, so they change nothing.",
            empty,
        )
        yield ConfigFinding("CONTRACT-EMPTY", "warning", text, _("Open the contracts"), CONTRACTS)


CHECKS = (
    ConfigCheck("overlap", _l("Rows of contracts that overlap in time"), overlapping_rows, order=10),
    ConfigCheck("ended", _l("Contracts that ended or are empty"), ended_contracts, order=20),
)


def health() -> Iterator[HealthCheck]:
    """Say how many contracts hold right now."""
    now = clock.now()
    holding = _count(
        Contract.status == "active",
        Contract.valid_from <= now,
        or_(Contract.valid_until.is_(None), Contract.valid_until > now),
    )
    text = ngettext("%(count)s contract or price list holds now.", "%(count)s contracts and price lists hold now.", holding)
    yield HealthCheck("holding", _l("Contracts in force"), "ok", text)


def _count(*conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(Contract).where(*conditions)) or 0  # type: ignore[arg-type]
