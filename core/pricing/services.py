"""The way to a price: a context for whom and when, a batch of requests, ladders, and explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import g, has_request_context
from sqlalchemy import select

from core.catalog.models import Product, ProductUnit
from core.companies import services as companies
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _, _l
from core.i18n.currencies import checked_currency
from core.pricing import pipeline
from core.registry.registry import registry
from core.spec.errors import Forbidden, Invalid, NotFound
from core.spec.pricing import Break, ManualTerms, PriceBatch, PriceContext, PriceLine, PriceRequest

VIEW = "pricing.price.view"
ZERO, ONE, LIMIT = Decimal(0), Decimal(1), Decimal(10**12)
_OWN = object()
_HIDDEN = _l("Sign in to see prices.")
_CACHE = "tukku_price_contexts"


def context(
    currency: str | None = None, at: datetime | None = None, company_id: Any = _OWN, wished: date | None = None
) -> PriceContext:
    """Return for whom prices are asked: by default the current actor's company, now; loaded once per request.

    ``wished`` is the day of delivery for which an order asks.
    ``company_id`` None asks for a visitor's prices. A buyer may ask only for companies within its scope.
    """
    actor = current_actor()
    wanted = actor.company_id if company_id is _OWN else company_id
    if wanted is not None and not actor.scope.unlimited and wanted not in (*actor.scope.own, *actor.scope.subtree):
        raise Forbidden("PRICE-OTHER-COMPANY", _("Prices of another company are not shown to you."))
    key = (actor, currency, at, wanted, wished)
    cache: dict[Any, PriceContext] = g.setdefault(_CACHE, {}) if has_request_context() else {}
    if key not in cache:
        found = _context(currency, at or clock.now(), wanted)
        cache[key] = replace(found, wished=clock.start_of_day(wished, found.zone)) if wished else found
    return cache[key]


def _context(currency: str | None, at: datetime, company_id: int | None) -> PriceContext:
    seller = companies.seller_facts()
    if company_id is None:
        visitors = companies.visitor_segment_ids()
        return PriceContext(_currency(currency, seller.currency), at, segment_ids=visitors, zone=seller.zone)
    buyer = companies.standing_of(company_id)
    own, country = (
        (buyer.currency, buyer.country)
        if buyer is not None
        else db.session.execute(select(Company.currency, Company.country).where(Company.id == company_id)).one_or_none()
        or _no_company(company_id)
    )
    ids = tuple(companies.ancestors(company_id))
    segments = tuple(sorted(companies.segment_ids(ids)))
    return PriceContext(_currency(currency, own), at, company_id, ids, segments, country, seller.zone)


def _currency(asked: str | None, default: str) -> str:
    return default if asked is None else checked_currency(asked)


def _no_company(company_id: int) -> Any:
    raise NotFound("COMPANY-UNKNOWN", _("There is no company %(id)s.", id=company_id))


def price(
    where: PriceContext,
    requests: Sequence[PriceRequest],
    explain: bool = False,
    manual: Mapping[str, ManualTerms] | None = None,
    together: bool = False,
    order_id: int | None = None,
) -> PriceBatch:
    """Price the requests in the order asked; the statements are one per querying step, whatever the number of lines.

    ``manual`` is what staff agreed by hand, by key; ``together`` and ``order_id`` as in PriceBatch. Lines without an
    applicable price have None ("ask for a quote").
    Who may not see prices gets none.
    """
    if not may_see():
        return hidden(where, requests)
    _check(requests)
    return pipeline.run(where, requests, explain=explain, manual=manual, together=together, order_id=order_id)


def may_see() -> bool:
    """Tell whether the current actor may see prices."""
    return current_actor().may(VIEW)


def hidden(where: PriceContext, requests: Sequence[PriceRequest]) -> PriceBatch:
    """Return the lines without prices, for those who may not see them."""
    lines = tuple(PriceLine(*request) for request in requests)
    for line in lines:
        line.reason = _HIDDEN
    return PriceBatch(where, lines)


def _check(requests: Sequence[PriceRequest]) -> None:
    try:
        bad = next((r for r in requests if not ZERO < r.quantity < LIMIT), None)
    except InvalidOperation:  # not a number
        bad = next(r for r in requests if r.quantity.is_nan())
    if bad is not None:
        raise Invalid(
            "PRICE-QUANTITY",
            _("%(quantity)s is not a quantity that has a price: ask for more than zero.", quantity=bad.quantity),
            details={"key": bad.key},
        )


Pair = tuple[int, str]
#: Least quantity and step of each (product, unit).
Steps = Mapping[Pair, tuple[Decimal, Decimal]]


def ladders(where: PriceContext, pairs: Sequence[Pair], limit: int = 12) -> dict[Pair, tuple[Break, ...]]:
    """Return for each (product, unit) the quantities from which its price changes, with their prices.

    Addons name the quantities (``price_breaks``, asked of lines that know their product), the pipeline prices them,
    and steps that change nothing go.
    A ladder of one rung is a price that does not depend on the quantity.
    """
    wanted = list(dict.fromkeys(pairs))
    if not wanted or not may_see():
        return {}
    return _with_ladders(where, [PriceRequest(str(i), *pair) for i, pair in enumerate(wanted)], None, limit)[1]


def price_and_ladders(
    where: PriceContext, requests: Sequence[PriceRequest], steps: Steps | None = None, limit: int = 12
) -> tuple[PriceBatch, dict[Pair, tuple[Break, ...]]]:
    """Return what ``price`` and ``ladders`` say, for requests of different (product, unit), with fewer statements.

    Who knows least quantity and step of every (product, unit) hands them over in ``steps``.
    """
    if not may_see():
        return hidden(where, requests), {}
    _check(requests)
    found, rungs = _with_ladders(where, requests, steps, limit)
    return PriceBatch(where, tuple(found)), rungs


def _with_ladders(
    where: PriceContext, requests: Sequence[PriceRequest], known: Steps | None, limit: int
) -> tuple[list[PriceLine], dict[Pair, tuple[Break, ...]]]:
    """Price each request at its own quantity and at every rung, in one run that goes on from what BASE said."""
    described = pipeline.describe(where, requests)
    pairs = [(request.product_id, request.unit) for request in requests]
    steps = _steps(pairs) if known is None else known
    quantities: dict[Pair, set[Decimal]] = {pair: {steps[pair][0]} for pair in pairs}
    for _owner, found in registry().batch("price_breaks", batch=described):
        for item in found:
            reached = quantities.get((item.product_id, item.unit))
            if reached is not None:
                first, step = steps[item.product_id, item.unit]
                reached.update(_orderable(quantity, first, step) for quantity in item.quantities if quantity > first)
    lines: list[PriceLine] = []
    asked: list[PriceLine] = []
    ladder: dict[Pair, list[PriceLine]] = {}
    for pair, request, line in zip(pairs, requests, described.lines, strict=True):
        on_it = [line.at(quantity) for quantity in sorted(quantities[pair])[:limit]]
        mine = next((rung for rung in on_it if rung.quantity == request.quantity), None) or line.at(request.quantity)
        lines += on_it if mine in on_it else (*on_it, mine)
        asked.append(mine)
        ladder[pair] = on_it
    pipeline.go_on(where, lines)
    rungs: dict[Pair, list[Break]] = {pair: [] for pair in pairs}
    for pair, on_it in ladder.items():
        parts = _parts(on_it[-1]) if on_it else []
        rungs[pair] += parts
        for line in () if parts else on_it:
            _add_rung(rungs[pair], line)
    return asked, {pair: tuple(found) for pair, found in rungs.items()}


def _add_rung(rungs: list[Break], line: PriceLine) -> None:
    if line.price is None:
        return
    if rungs and rungs[-1].price * line.per == line.price * rungs[-1].per:
        return
    rungs.append(Break(line.quantity, line.price, line.per))


def _parts(line: PriceLine) -> list[Break]:
    """Return the rungs of a ladder of which each price is for its own units, as its deepest line has them."""
    found: list[Break] = []
    start = ZERO
    for band in line.bands:
        end = start + band.quantity
        found.append(Break(start, band.price, band.per, True, None if len(found) == len(line.bands) - 1 else end))
        start = end
    return found


def _steps(pairs: Sequence[Pair]) -> dict[Pair, tuple[Decimal, Decimal]]:
    """Return the least quantity of each product and unit, where a ladder begins, and the step counted from it."""
    statement = select(ProductUnit.product_id, ProductUnit.unit, ProductUnit.minimum, ProductUnit.step).where(
        ProductUnit.product_id.in_({product_id for product_id, _unit in pairs})
    )
    known = {(row[0], row[1]): (row[2], row[3]) for row in db.session.execute(statement)}
    return {pair: known.get(pair) or (ONE, ONE) for pair in pairs}


def _orderable(quantity: Decimal, first: Decimal, step: Decimal) -> Decimal:
    """Return the least quantity that can be ordered and reaches ``quantity``: 500 pieces begin with the third box of 200."""
    whole, rest = divmod(quantity - first, step)
    return first + (whole + (1 if rest else 0)) * step


def price_one(where: PriceContext, sku: str, quantity: Decimal, unit: str = "", explain: bool = False) -> PriceLine:
    """Price one product by SKU, in its base unit by default."""
    row = db.session.execute(select(Product.id, Product.base_unit).where(Product.sku == sku)).one_or_none()
    if row is None:
        raise NotFound("PRODUCT-UNKNOWN", _('There is no product with the code "%(sku)s".', sku=sku))
    batch = price(where, [PriceRequest("1", row.id, unit or row.base_unit, quantity)], explain)
    return batch.lines[0]
