"""List prices in the seller's currency that hold in others too, at the rate of the day, where the merchant wants that.

A list price in the asked currency comes first. Without a rate there is no price: buyers ask for a quote, and the set-up
checks say which rate is missing. The amount is rounded last, after what contracts compute from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.companies.services import seller_facts
from core.i18n import _l
from core.pricing import base
from core.pricing.currency import Rate, RateMissing, rates
from core.pricing.money import decimals_of, minor_digits, round_to
from core.settings.services import get
from core.spec.pricing import PriceBatch, PriceLine, PriceStage, PriceStep
from core.ui.formats import day, plain

STEP, SETTING = "converted_list_price", "convert_list_prices"
#: Rates are shown to people with so many digits.
SHOWN = 6


class Facts(NamedTuple):
    """Pairs of a line without a price and the same one in ``home``, and the rate (None: there is none)."""

    pairs: Sequence[tuple[PriceLine, PriceLine]]
    home: str
    rate: Rate | None


def wanted() -> bool:
    """Tell whether the merchant wants list prices converted."""
    return bool(get("pricing", SETTING))


def converted_step(wanted: Callable[[], bool] = wanted) -> PriceStep:
    """Return the step that converts list prices for the lines that have none in their currency."""

    def prepare(batch: PriceBatch) -> Facts | None:
        lines = [line for line in batch.lines if line.known and line.price is None]
        home = seller_facts().currency if lines else batch.context.currency
        return _facts(batch, lines, home) if home != batch.context.currency and wanted() else None

    return PriceStep(STEP, PriceStage.BASE, _apply, prepare, order=200, title=_l("List price converted"))


def _facts(batch: PriceBatch, lines: Sequence[PriceLine], home: str) -> Facts:
    where = batch.context
    same = tuple(PriceLine(line.key, line.product_id, line.unit, line.quantity) for line in lines)
    inner = PriceBatch(replace(where, currency=home), same)
    base.apply(inner, base.prepare(inner))
    try:
        rate = rates([(home, where.currency)], where.instant.astimezone(ZoneInfo(where.zone)).date())[home, where.currency]
    except RateMissing:
        rate = None
    pairs = [(line, priced) for line, priced in zip(lines, same, strict=True) if priced.price is not None]
    return Facts(pairs, home, rate)


def _apply(batch: PriceBatch, facts: Facts) -> None:
    currency, digits = batch.context.currency, minor_digits(batch.context.currency)
    if facts.rate is None:
        for line, _priced in facts.pairs:
            line.reason = _l(
                "There is no rate from %(home)s to %(currency)s: ask for a quote.", home=facts.home, currency=currency
            )
        return
    reason = _l(
        "List price, converted at 1 %(home)s = %(rate)s %(currency)s of %(day)s",
        home=facts.home,
        rate=plain(round_to(facts.rate.value, SHOWN)),
        currency=currency,
        day=day(facts.rate.day),
    )
    for line, priced in facts.pairs:
        assert priced.price is not None
        fine = max(decimals_of(round_to(priced.price, SHOWN)), priced.list_places)
        places = fine if fine > minor_digits(facts.home) else digits
        line.per = priced.per
        line.set_price(priced.price * facts.rate.value, None, places, source=base.LIST, reason=reason, derived=True)
        line.list_price = round_to(line.price, places) if line.price is not None else None
        if batch.explain:
            line.note(STEP, priced.price, reason, facts.rate.origin)
