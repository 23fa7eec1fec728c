"""What may be wrong with contracts, and how they are right now: counts, never a row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from core.api.companies import GUESTS, Company, CompanySegment, Segment
from core.api.data import clock, db
from core.api.hooks import ConfigCheck, ConfigFinding, DataCheck, HealthCheck
from core.api.i18n import translations

from .lint import LINTS
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
CONTRACTS, CONTRACT = "pricing_contract_admin.contracts", "pricing_contract_admin.contract"
SHOWN = 5  # contracts named in a finding


def rows_that(key: str, level: Literal["warning", "info"]) -> Iterator[ConfigFinding]:
    """Count the rows of active contracts of which a lint is true, the contracts with most of them; one statement."""
    count = func.count()
    query = (
        select(Contract.code, count)
        .select_from(ContractPrice)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .where(Contract.status == "active", LINTS[key].condition())
        .group_by(Contract.code)
        .order_by(count.desc(), Contract.code)
        .limit(SHOWN)
    )
    for code, found in db.session.execute(query):
        values = {"code": code, "only": key, "_anchor": "rows"}
        text = _said(key, code, found)
        yield ConfigFinding(f"CONTRACT-{key.upper()}", level, text, _("Open these rows"), CONTRACT, values)


def _said(key: str, code: str, count: int) -> str:
    match key:
        case "overlap":
            return ngettext(
                "%(count)s row of the contract %(code)s overlaps in time with a later one; the later one holds.",
                "%(count)s rows of the contract %(code)s overlap in time with later ones; the later ones hold.",
                count, code=code,
            )  # fmt: skip
        case "inverted":
            return ngettext(
                "%(count)s row of the contract %(code)s makes a larger quantity dearer.",
                "%(count)s rows of the contract %(code)s make a larger quantity dearer.",
                count, code=code,
            )  # fmt: skip
        case "floor":
            return ngettext(
                "%(count)s price of the contract %(code)s is below cost and the least margin.",
                "%(count)s prices of the contract %(code)s are below cost and the least margin.",
                count, code=code,
            )  # fmt: skip
        case "free":
            return ngettext(
                "%(count)s row of the contract %(code)s gives goods away: it sells for nothing.",
                "%(count)s rows of the contract %(code)s give goods away: they sell for nothing.",
                count, code=code,
            )  # fmt: skip
        case "baseless":
            return ngettext(
                "%(count)s row of the contract %(code)s has nothing to compute from: its cost or its list is missing.",
                "%(count)s rows of the contract %(code)s have nothing to compute from: costs or lists are missing.",
                count, code=code,
            )  # fmt: skip
        case "ended":
            return ngettext(
                "%(count)s row of the contract %(code)s has ended.",
                "%(count)s rows of the contract %(code)s have ended.",
                count, code=code,
            )  # fmt: skip
    return ngettext(
        "%(count)s row of the contract %(code)s never matches: the product is not sold any more, or not in this unit.",
        "%(count)s rows of the contract %(code)s never match: the products are not sold any more, or not in these units.",
        count, code=code,
    )  # fmt: skip


def concerning_nobody() -> Iterator[ConfigFinding]:
    """Find active contracts whose audience is empty: a closed company, a segment or a country without companies."""
    open_one = Company.status != "closed"
    company = select(Company.id).where(open_one, Company.id == Contract.company_id)
    members = (
        select(CompanySegment.company_id)
        .join(Company, Company.id == CompanySegment.company_id)
        .where(open_one, CompanySegment.segment_id == Contract.segment_id)
    )
    there = select(Company.id).where(open_one, Company.country == Contract.country)
    guests = select(Segment.id).where(Segment.id == Contract.segment_id, Segment.code == GUESTS)
    query = select(Contract.code).where(
        Contract.status == "active",
        or_(
            and_(Contract.audience == "company", _none(company)),
            and_(Contract.audience == "segment", _none(members), _none(guests)),
            and_(Contract.country != "", _none(there)),
        ),
    )
    for code in db.session.scalars(query.order_by(Contract.code).limit(SHOWN)):
        text = _(
            "The contract %(code)s concerns nobody: its company is closed, or its segment or country has none.", code=code
        )
        yield ConfigFinding("CONTRACT-NOBODY", "warning", text, _("Open the contract"), CONTRACT, {"code": code})


def _none(query: Select[Any]) -> ColumnElement[bool]:
    return ~query.correlate(Contract).exists()


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
    empty = _count(Contract.status == "active", Contract.closes.is_(False), ~rows.exists())
    if empty:
        text = ngettext(
            "%(count)s active contract has no price row, so it changes nothing.",
            "%(count)s active contracts have no price rows, so they change nothing.",
            empty,
        )
        yield ConfigFinding("CONTRACT-EMPTY", "warning", text, _("Open the contracts"), CONTRACTS)


CHECKS = (
    ConfigCheck("overlap", _l("Rows of contracts that overlap in time"), partial(rows_that, "overlap", "warning"), order=10),
    ConfigCheck("inverted", _l("Rows dearer at a larger quantity"), partial(rows_that, "inverted", "warning"), order=12),
    ConfigCheck("floor", _l("Contract prices below cost"), partial(rows_that, "floor", "warning"), order=14),
    ConfigCheck("free", _l("Rows that cost nothing"), partial(rows_that, "free", "info"), order=15),
    ConfigCheck("baseless", _l("Rows that compute from nothing"), partial(rows_that, "baseless", "warning"), order=15),
    ConfigCheck("unsold", _l("Rows for what is not sold so"), partial(rows_that, "unsold", "info"), order=16),
    ConfigCheck("ended_rows", _l("Rows of contracts that have ended"), partial(rows_that, "ended", "info"), order=18),
    ConfigCheck("ended", _l("Contracts that ended or are empty"), ended_contracts, order=20),
    ConfigCheck("nobody", _l("Contracts that concern nobody"), concerning_nobody, order=22),
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


def mistargeted() -> Iterator[str]:
    """Find rows whose key names another product or category than the row itself: prices are looked up by the key."""
    wanted = func.coalesce(ContractPrice.product_id, -ContractPrice.category_id, 0)
    query = select(Contract.code, ContractPrice.target).join(ContractPrice.contract).where(ContractPrice.target != wanted)
    return (f"{code} ({target})" for code, target in db.session.execute(query.order_by(Contract.code, ContractPrice.target)))


SWEEPS = (
    DataCheck(
        "PRICE-TARGET", "The key of a contract's row is its product, its category, or everything.", mistargeted,
        "Export the contract, take the rows out, and import them again.",
    ),
)  # fmt: skip
