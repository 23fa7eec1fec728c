"""Prices and discounts agreed by hand for a line: the step that applies them, after contracts and campaigns.

The order is: the price set by hand, else the price that was found; less the amount, or else the percents. A discount keeps
up to four decimals, so that the sum of a line of many is exact to the cent. What was agreed wins over contract and
campaign; floors are told to whoever sets the price (core.orders.manual).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.i18n import _, _l
from core.pricing.money import STORED_PLACES, decimals_of, minor_digits, round_to
from core.spec.errors import Invalid
from core.spec.pricing import ManualTerms, PriceBatch, PriceLine, PriceStage, PriceStep
from core.ui import formats
from core.ui.formats import plain

STEP = SOURCE = "manual"
ZERO, HUNDRED, LIMIT = Decimal(0), Decimal(100), Decimal(1_000_000_000)
MOST_PERCENTS = 5
#: A discounted price keeps so many decimals, those of the price it was taken off, and never more than are stored.
PLACES = 4


def manual_step() -> PriceStep:
    """Return the step that applies what was agreed by hand; batches without such terms pay nothing for it."""
    return PriceStep(STEP, PriceStage.MANUAL, _apply, title=_l("Agreed by hand"))


def _apply(batch: PriceBatch, _facts: None) -> None:
    if not batch.manual:
        return
    for line in batch.lines:
        terms = batch.manual.get(line.key)
        if terms is not None and line.known:
            _agree(batch, line, terms)


def _agree(batch: PriceBatch, line: PriceLine, terms: ManualTerms) -> None:
    before = line.price
    if line.quantity < terms.least:
        if batch.explain:
            line.note(STEP, before, _l("What was agreed by hand holds from %(quantity)s on.", quantity=plain(terms.least)))
        return
    if terms.base is not None:
        line.set_price(terms.base, terms.per, line.places)
    line.found = line.price
    start, per = (line.price, line.per) if terms.price is None else (terms.price, terms.per)
    if start is None:
        return  # a discount on what has no price
    if line.found is not None and per != line.per:
        line.found = line.found * per / line.per
    places = None
    if terms.amount is not None or terms.percents:
        places = min(STORED_PLACES, max(PLACES, minor_digits(batch.context.currency), decimals_of(start)))
    price = max(ZERO, start - off(terms, start, per))
    line.set_price(price, per, places, source=SOURCE, reason=said(terms, batch.context.currency), reference=terms.by)
    line.locked_by = SOURCE
    if batch.explain:
        line.note(STEP, before, line.reason, terms.by)


def off(terms: ManualTerms, start: Decimal, per: Decimal) -> Decimal:
    """Return how much the terms take off ``start``, a price for ``per`` units."""
    if terms.amount is not None:
        return terms.amount * per / terms.per
    return start - _less(terms, start)


def _less(terms: ManualTerms, start: Decimal) -> Decimal:
    if terms.added:
        return start * (HUNDRED - sum(terms.percents, ZERO)) / HUNDRED
    for percent in terms.percents:
        start = start * (HUNDRED - percent) / HUNDRED
    return start


def checked(terms: ManualTerms, found: PriceLine) -> ManualTerms:
    """Return the terms as they may be kept for the line that was priced without them; Invalid says what is wrong.

    Amount and percents are two ways to say one discount: both are taken where they say the same, the amount is kept.
    """
    for check in (_sane_price, _sane_amount, _sane_percents):
        check(terms)
    start, per = (found.price, found.per) if terms.price is None else (terms.price, terms.per)
    if terms.base is not None and terms.price is None:
        start, per = terms.base, terms.per
    if start is None:
        raise _invalid("price", _("There is no price to take a discount off: set a price."))
    less = off(terms, start, per)
    if less > start:
        raise _invalid("amount", _("The discount is larger than the price."))
    if terms.amount is not None and terms.percents:
        by_percent = start - _less(terms, start)
        if round_to(by_percent, 2) != round_to(less, 2):
            raise _invalid(
                "percents",
                _("The discount by amount and the one by percent are not the same; write one of them."),
            )
        return replace(terms, percents=())
    return terms


def _sane_price(terms: ManualTerms) -> None:
    if terms.price is None:
        if terms.amount is None and not terms.percents:
            raise _invalid("price", _("Write a price or a discount."))
        return
    if not (terms.price.is_finite() and ZERO <= terms.price < LIMIT) or decimals_of(terms.price) > STORED_PLACES:
        raise _invalid("price", _("A price is zero or more, with at most %(count)s decimals.", count=STORED_PLACES))


def _sane_amount(terms: ManualTerms) -> None:
    amount = terms.amount
    if amount is None:
        return
    if not (amount.is_finite() and ZERO <= amount < LIMIT) or decimals_of(amount) > STORED_PLACES:
        raise _invalid("amount", _("A discount is zero or more, with at most %(count)s decimals.", count=STORED_PLACES))


def _sane_percents(terms: ManualTerms) -> None:
    if len(terms.percents) > MOST_PERCENTS:
        raise _invalid("percents", _("Write at most %(count)s percents.", count=MOST_PERCENTS))
    if any(not (p.is_finite() and ZERO <= p <= HUNDRED) or decimals_of(p) > PLACES for p in terms.percents):
        raise _invalid("percents", _("A percent lies between 0 and 100."))
    if terms.added and sum(terms.percents, ZERO) > HUNDRED:
        raise _invalid("percents", _("Added up the percents are more than 100."))


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("MANUAL-PRICE", message, details={"field": field})


def said(terms: ManualTerms, currency: str) -> object:
    """Return the terms in words for buyer and staff; the reason is for staff alone."""
    less = discount_text(terms, currency)
    if terms.price is None:
        return _l("%(discount)s off, agreed with our sales", discount=less)
    return _l("Price agreed with our sales, less %(discount)s", discount=less) if less else _l("Price agreed with our sales")


def discount_text(terms: ManualTerms, currency: str) -> str:
    """Return the discount alone: an amount for its units, or percents joined by the sign that says how they go together."""
    if terms.amount is not None:
        amount = formats.price(terms.amount, currency)
        return amount if terms.per == 1 else f"{amount} / {formats.qty(terms.per)}"
    return (" + " if terms.added else ", ").join(formats.percent(p) for p in terms.percents)


def stored(terms: ManualTerms) -> dict[str, Any]:
    """Return the terms as a line of an order keeps them: figures as text, what is empty left out."""
    figures = {name: getattr(terms, name) for name in ("price", "amount", "per", "least", "base")}
    return {
        **{name: plain(value) for name, value in figures.items() if value is not None},
        "percents": [plain(percent) for percent in terms.percents],
        "added": terms.added,
        "reason": terms.reason,
        "by": terms.by,
    }


def read(kept: Mapping[str, Any] | None) -> ManualTerms | None:
    """Return the terms that a line keeps, None where it has none."""
    if not kept:
        return None
    figures = {name: Decimal(kept[name]) for name in ("price", "amount", "per", "least", "base") if name in kept}
    percents = tuple(Decimal(percent) for percent in kept["percents"])
    return ManualTerms(**figures, percents=percents, added=kept["added"], reason=kept["reason"], by=kept["by"])
