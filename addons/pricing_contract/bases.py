"""What formulas compute from besides the list price: costs, makers' prices, and the prices of other contracts.

Nothing is read unless a row in play asks for it: then one statement for costs, one for each generation of other lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.api.data import db, unscoped
from core.api.pricing import PriceBatch, decimals_of, known_rates, minor_digits

from . import query
from .formulas import parsed
from .models import ProductValue

DEPTH = 5
Row = Any


class Worth(NamedTuple):
    """What one base unit is worth in the batch's currency, unrounded, and the decimals of what is computed from it."""

    amount: Decimal
    places: int


@dataclass(slots=True)
class Bases:
    """The currency's digits, worth of products by (id, kind) in the batch's currency, and the rows of other contracts."""

    digits: int
    worth: Mapping[tuple[int, str], Worth] = field(default_factory=dict)
    #: by code the contracts that formulas compute from, each an `engine.Other`
    contracts: dict[str, Any] = field(default_factory=dict)


def asked_codes(rows: Iterable[Row]) -> set[str]:
    """Return the codes of the contracts that formulas refer to."""
    terms = (_terms(row) for row in rows if row[query.KIND] == "formula")
    return {found.contract for found in terms if found.contract}


def asked_measures(rows: Iterable[Row]) -> set[str]:
    """Return the measures (cost, msrp) that rows compute from."""
    found = {_terms(row).base for row in rows if row[query.KIND] in ("formula", "cost_plus")}
    return found & {"cost", "msrp"}


def _terms(row: Row) -> Any:
    return parsed(row[query.KIND], row[query.VALUE], row[query.TERMS])


def worth_of(batch: PriceBatch, products: Iterable[int], measures: set[str]) -> dict[tuple[int, str], Worth]:
    """Return what the products are worth, converted at the rate of the day; one statement, two where currencies differ.

    What is worth something in a currency without a rate is left out, as if nothing were known of it.
    """
    statement = select(ProductValue.product_id, ProductValue.kind, ProductValue.currency, ProductValue.amount).where(
        ProductValue.product_id.in_(sorted(set(products))), ProductValue.kind.in_(sorted(measures))
    )
    rows = db.session.execute(unscoped(statement, "a price may be made from a cost that its buyer never sees")).all()
    where = batch.context
    day = where.instant.astimezone(ZoneInfo(where.zone)).date()
    found = known_rates({(row.currency, where.currency) for row in rows}, day) if rows else {}
    return {
        (row.product_id, row.kind): Worth(
            row.amount * found[row.currency, where.currency].value, _places(row.amount, row.currency, where.currency)
        )
        for row in rows
        if (row.currency, where.currency) in found
    }


def _places(amount: Decimal, currency: str, target: str) -> int:
    """Return the currency's decimals, or those of the amount where it has more than its own currency."""
    fine = decimals_of(amount)
    return fine if fine > minor_digits(currency) else minor_digits(target)
