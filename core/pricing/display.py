"""What pages show of a price: figures, ladder and the short reason, for a whole list at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.pricing import services
from core.pricing.money import round_to
from core.spec.pricing import Break, PriceContext, PriceLine, PriceRequest

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceView:
    """A price for the macros of components/price.html: ``amount`` for ``per`` of ``unit``, None to ask for a quote.

    ``list_price`` is set only where it is to be shown struck through. ``hidden``: prices are not for this reader.
    """

    amount: Decimal | None
    currency: str
    unit: str
    per: Decimal = ONE
    list_price: Decimal | None = None
    reason: object = ""
    source: str = ""
    ladder: tuple[Break, ...] = ()
    hidden: bool = False
    #: how much less than the list price, for ``per`` units, and in percent to two decimals; None where it is not less
    discount: Decimal | None = None
    discount_percent: Decimal | None = None


def price_views(
    asked: Iterable[tuple[int, str]],
    *,
    where: PriceContext | None = None,
    quantities: Mapping[tuple[int, str], Decimal] | None = None,
    ladder: bool = False,
    steps: services.Steps | None = None,
) -> dict[tuple[int, str], PriceView]:
    """Return the views of (product, unit) pairs for the current actor; the statements do not grow with their number.

    ``quantities`` default to one; ``ladder`` adds the prices by quantity, for which ``steps`` are known or looked up.
    """
    wanted = list(dict.fromkeys(asked))
    context = where or services.context()
    given = quantities or {}
    requests = [PriceRequest(str(i), *pair, given.get(pair, ONE)) for i, pair in enumerate(wanted)]
    batch, rungs = (
        services.price_and_ladders(context, requests, steps) if ladder else (services.price(context, requests), {})
    )
    hidden = not services.may_see()
    return {
        (line.product_id, line.unit): view(
            line, context.currency, rungs.get((line.product_id, line.unit), ()), hidden=hidden
        )
        for line in batch.lines
    }


def view(line: PriceLine, currency: str, ladder: tuple[Break, ...] = (), *, hidden: bool = False) -> PriceView:
    """Return what pages show of a priced line."""
    less = _less(line)
    return PriceView(
        amount=line.price,
        currency=currency,
        unit=line.unit,
        per=line.per,
        list_price=line.list_price if line.show_list else None,
        reason=line.reason,
        source=line.source,
        ladder=ladder,
        hidden=hidden,
        discount=less,
        discount_percent=None if less is None else round_to(less * 100 / (line.list_price or ONE), 2),
    )


def _less(line: PriceLine) -> Decimal | None:
    if line.price is None or line.list_price is None or line.price >= line.list_price:
        return None
    return line.list_price - line.price
