"""The explanation of the agreement step: every candidate, and why it lost. Only explained batches come here.

The engine decides; these functions only put its decisions into words, and name the filters that a row did not pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.api.i18n import translations
from core.api.pricing import Candidate, PriceBatch, PriceLine, bands_text, from_micro
from core.api.ui import quantity_text, unit_text

from . import query
from .describe import rule_text, selector_text
from .kinds import per_of
from .sources import instant_of

if TYPE_CHECKING:
    from .engine import Facts
    from .kinds import Offer
    from .sources import Source

_, _l, ngettext, _p = translations(__name__)
Row = Any
#: The step as the trace names it, and as staff read it.
STEP, TITLE = "agreement", _l("Contracts and price lists")


def closing(batch: PriceBatch, facts: Facts) -> Source | None:
    """Return the first contract in force after which nothing follows."""
    sources, headers = facts.agreed.sources, facts.agreed.headers
    return next((s for s in sources.values() if s.closes and not _of_contract(batch, headers[s.id])), None)


def tell_behind(line: PriceLine, rows: Sequence[Row], last: Source, facts: Facts) -> None:
    """Tell the rows that a contract closes off."""
    reason = _l("Nothing follows the contract %(code)s.", code=last.code)
    for row in rows:
        line.consider(_candidate(line, row, facts.agreed.sources[row[0]], reason))


def in_force(batch: PriceBatch, line: PriceLine, row: Row, facts: Facts, *, below: bool = False) -> bool:
    """Tell whether the row takes part; if not, say why: status, currency, validity, unit, quantity.

    ``below``: it stands for a quantity below its own.
    """
    reason = filtered(batch, row, facts) or ("" if below else _unreached(line, row, facts))
    if reason:
        line.consider(_candidate(line, row, facts.agreed.sources[row[0]], reason))
    return not reason


def filtered(batch: PriceBatch, row: Row, facts: Facts) -> object:
    """Return why the row is not in force for this question, '' if it is."""
    contract = facts.agreed.headers[row[0]]
    return _of_contract(batch, contract) or _of_time(_asked(batch, contract), row[query.ROW_FROM], row[query.ROW_UNTIL])


def _asked(batch: PriceBatch, contract: Row) -> datetime:
    """Return the instant at which the contract is looked at."""
    where = batch.context
    return where.wished if contract[query.DATE_BASIS] == "wished" and where.wished is not None else where.instant


def _of_contract(batch: PriceBatch, contract: Row) -> object:
    """Return why the contract itself is not in force, '' if it is."""
    currency = batch.context.currency
    if contract[query.STATUS] == "draft":
        return _l("The contract is a draft.")
    if contract[query.STATUS] == "ended":
        return _l("The contract has ended.")
    if contract[query.CURRENCY] not in ("", currency):
        return _l("The contract is in %(currency)s.", currency=contract[query.CURRENCY])
    return _of_time(_asked(batch, contract), contract[query.CONTRACT_FROM], contract[query.CONTRACT_UNTIL], whole=True)


def _of_time(instant: datetime, since: Any, until: Any, *, whole: bool = False) -> object:
    begins, ends = _instant(since), _instant(until)
    if begins is not None and begins > instant:
        return _l("The contract is not valid yet.") if whole else _l("The row is not valid yet.")
    if ends is not None and ends <= instant:
        return _l("The contract was valid until then.") if whole else _l("The row was valid until then.")
    return ""


def _instant(value: Any) -> datetime | None:
    return None if value is None else instant_of(value)


def _unreached(line: PriceLine, row: Row, facts: Facts) -> object:
    unit, quantity = row[query.UNIT], from_micro(row[query.MIN_QUANTITY])
    if unit == line.unit:
        reached = line.quantity
    elif unit == "" or (unit == line.base_unit and line.price_from_base):
        reached = line.base_quantity
    else:
        return _l("It is a price for another unit (%(unit)s).", unit=unit_text(unit))
    if facts.counting is not None:
        reached = from_micro(facts.counting.reached(line, row))
    if quantity <= reached:
        return ""
    least = quantity_text(quantity, unit or line.base_unit)
    if facts.counting is not None and facts.agreed.sources[row[0]].counts != "line":
        return _l("It holds from %(quantity)s; %(counted)s count.", quantity=least, counted=quantity_text(reached))
    return _l("It holds from %(quantity)s.", quantity=least)


def tell_bands(batch: PriceBatch, line: PriceLine) -> None:
    """Add how the price is made of those of several breaks."""
    if line.bands:
        line.note(STEP, line.price, bands_text(line.bands, batch.context.currency, line.unit))


def tell(line: PriceLine, rows: Sequence[Row], offers: Sequence[Offer], winner: Offer | None, facts: Facts) -> None:
    """Tell the rows that were compared: those behind their contract's own best row, then the contracts' offers."""
    chosen = [id(one.row) for one in offers]
    for row in rows:
        if id(row) not in chosen:
            reason = _l("Another row of the same contract fits better.")
            line.consider(_candidate(line, row, facts.agreed.sources[row[0]], reason))
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
    fixed = row[query.KIND] is query.FIXED
    return Candidate(
        source=source.key,
        label=source.name,
        price=one.price if one else from_micro(row[query.VALUE]) if fixed else None,
        per=one.per if one else per_of(row),
        unit=line.unit if one else row[query.UNIT],
        min_quantity=from_micro(row[query.MIN_QUANTITY]),
        lost=lost,
        selector=selector_text(row),
        rule=rule_text(row),
    )
