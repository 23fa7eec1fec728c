"""The explanation of the agreement step: every candidate, and why it lost. Only explained batches come here.

The engine decides; these functions only put its decisions into words, and name the filters that a row did not pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.api.i18n import translations
from core.api.pricing import Candidate, PriceBatch, PriceLine, from_micro

from . import query
from .describe import rule_text, selector_text

if TYPE_CHECKING:
    from .engine import Facts
    from .kinds import Offer

_, _l, ngettext, _p = translations(__name__)
Row = Any


def in_force(batch: PriceBatch, line: PriceLine, row: Row, facts: Facts) -> bool:
    """Tell whether the row takes part; if not, say why: status, currency, validity, unit, quantity."""
    reason = filtered(batch, row, facts) or _unreached(line, row)
    if reason:
        line.consider(_candidate(line, row, facts.sources[row[0]], reason))
    return not reason


def filtered(batch: PriceBatch, row: Row, facts: Facts) -> object:
    """Return why the row is not in force for this question, '' if it is."""
    contract = facts.headers[row[0]]
    instant, currency = batch.context.instant, batch.context.currency
    if contract[query.STATUS] == "draft":
        return _l("The contract is a draft.")
    if contract[query.STATUS] == "ended":
        return _l("The contract has ended.")
    if contract[query.CURRENCY] not in ("", currency):
        return _l("The contract is in %(currency)s.", currency=contract[query.CURRENCY])
    for begins, ends, whole in (
        (_instant(contract[query.CONTRACT_FROM]), _instant(contract[query.CONTRACT_UNTIL]), True),
        (_instant(row[query.ROW_FROM]), _instant(row[query.ROW_UNTIL]), False),
    ):
        if begins is not None and begins > instant:
            return _l("The contract is not valid yet.") if whole else _l("The row is not valid yet.")
        if ends is not None and ends <= instant:
            return _l("The contract was valid until then.") if whole else _l("The row was valid until then.")
    return ""


def _instant(value: Any) -> datetime | None:
    """Return the instant that the driver gave: a text on SQLite, a datetime on PostgreSQL."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _unreached(line: PriceLine, row: Row) -> object:
    unit, quantity = row[query.UNIT], from_micro(row[query.MIN_QUANTITY])
    if unit == line.unit:
        reached = line.quantity
    elif unit == "" or (unit == line.base_unit and line.price_from_base):
        reached = line.base_quantity
    else:
        return _l("It is a price for another unit (%(unit)s).", unit=unit)
    if quantity > reached:
        return _l("It holds from %(quantity)s %(unit)s.", quantity=f"{quantity.normalize():f}", unit=unit or line.base_unit)
    return ""


def tell(line: PriceLine, rows: Sequence[Row], offers: Sequence[Offer], winner: Offer | None, facts: Facts) -> None:
    """Tell the rows that were compared: those behind their contract's own best row, then the contracts' offers."""
    chosen = [id(one.row) for one in offers]
    for row in rows:
        if id(row) not in chosen:
            reason = _l("Another row of the same contract fits better.")
            line.consider(_candidate(line, row, facts.sources[row[0]], reason))
    final = next((one for one in offers if one.source.policy == "override" and one.price is not None), None)
    for one in offers:
        lost = "" if one is winner else one.failure or _why_lost(one, offers, winner, final)
        line.consider(_candidate(line, one.row, one.source, lost, one))


def _why_lost(one: Offer, offers: Sequence[Offer], winner: Offer | None, final: Offer | None) -> object:
    if final is not None and offers.index(one) > offers.index(final):
        return _l("The contract %(code)s comes first and is final.", code=final.source.code)
    if one.source.policy == "fallback":
        return _l("It only fills gaps, and there is another price.")
    if winner is None:
        return _l("The price without it is lower.")
    return _l("The price of %(code)s is lower.", code=winner.source.code)


def _candidate(line: PriceLine, row: Row, source: Any, lost: object, one: Offer | None = None) -> Candidate:
    fixed = row[query.KIND] == "fixed"
    return Candidate(
        source=source.key,
        label=source.name,
        price=one.price if one else from_micro(row[query.VALUE]) if fixed else None,
        per=one.per if one else from_micro(row[query.PER]),
        unit=line.unit if one else row[query.UNIT],
        min_quantity=from_micro(row[query.MIN_QUANTITY]),
        lost=lost,
        selector=selector_text(row),
        rule=rule_text(row),
    )
