"""What contracts and costs say of an order, for the rules of other addons: the share off contract, lines below the floor."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select

from core.api.companies import seller
from core.api.data import db, today, unscoped
from core.api.hooks import DraftLine, OrderDraft, OrderFact
from core.api.i18n import translations
from core.api.orders import discounts_of
from core.api.pricing import known_rates
from core.api.settings import get

from .models import Contract, ProductValue

_, _l, ngettext, _p = translations(__name__)
#: Prices of contracts, and those of agreements on a quantity: whoever has one has it with the company or a parent.
PREFIX, VOLUME = "contract:", "volume:"
_REASON = "whoever decides on an order may not see the contract from which its prices come; only whose it is matters"
_COSTS = "whether an order is sold below its cost is for the seller's rules; no buyer reads the figure"


def off_contract(drafts: Sequence[OrderDraft]) -> list[Decimal | None]:
    """Return what percent of the goods' value has no price of a contract with the company or a parent; None: no value."""
    sources = {line.price_source for draft in drafts for line in draft.lines if line.price_source.startswith(PREFIX)}
    query = select(Contract.code).where(
        Contract.code.in_([source.removeprefix(PREFIX) for source in sources]), Contract.audience == "company"
    )
    agreed = {f"{PREFIX}{code}" for code in db.session.scalars(unscoped(query, _REASON))} if sources else set()

    def outside(source: str) -> bool:
        return source not in agreed and not source.startswith(VOLUME)

    def share(draft: OrderDraft) -> Decimal | None:
        value = sum((line.net or Decimal(0) for line in draft.lines), Decimal(0))
        without = sum((line.net or Decimal(0) for line in draft.lines if outside(line.price_source)), Decimal(0))
        return 100 * without / value if value else None

    return [share(draft) for draft in drafts]


def below_floor(drafts: Sequence[OrderDraft]) -> list[Decimal]:
    """Return how many lines of each order cost less than the product's cost and the least margin on it.

    What comes off the whole order comes off its lines in proportion. A product without a cost, or with one in a currency
    without a rate, has no floor.
    """
    floors = _floors(drafts)

    def below(draft: OrderDraft, off: Decimal) -> Decimal:
        part = 1 + off / draft.net if draft.net else Decimal(1)
        costs = ((line, floors.get((line.product_id or 0, draft.currency))) for line in draft.lines)
        found = [line for line, floor in costs if floor is not None and _net(line) * part < floor * line.base_quantity]
        return Decimal(len(found))

    return [below(draft, off) for draft, off in zip(drafts, discounts_of(drafts), strict=True)]


def _net(line: DraftLine) -> Decimal:
    """Return what the line costs before it is rounded; a line without a price cannot be ordered."""
    return (line.unit_price or Decimal(0)) * line.quantity / line.per


def _floors(drafts: Sequence[OrderDraft]) -> dict[tuple[int, str], Decimal]:
    """Return the floor of a base unit by product and currency."""
    products = sorted({line.product_id for draft in drafts for line in draft.lines if line.product_id is not None})
    query = select(ProductValue.product_id, ProductValue.currency, ProductValue.amount).where(
        ProductValue.product_id.in_(products), ProductValue.kind == "cost"
    )
    rows = db.session.execute(unscoped(query, _COSTS)).all() if products else ()
    share = 1 + Decimal(get("pricing_contract", "least_margin")) / 100
    wanted = {draft.currency for draft in drafts}
    pairs = {(row.currency, target) for row in rows for target in wanted}
    factors = known_rates(pairs, today(seller().zone)) if pairs else {}
    return {
        (row.product_id, target): row.amount * share * factors[row.currency, target].value
        for row in rows
        for target in wanted
        if (row.currency, target) in factors
    }


FACTS = (
    OrderFact("off_contract", _l("Percent of the goods outside our contracts"), "percent", off_contract, order=35),
    OrderFact(
        "below_floor", _l("Lines below the floor (cost and least margin)"), "number", below_floor, order=36, internal=True
    ),
)
