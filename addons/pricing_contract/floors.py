"""The floor of prices that are set by hand: the product's cost and the least margin on it.

The step tells the floor and changes no price: whoever sets one below it needs the permission for that. A product without
a cost, or with one in a currency without a rate, has no floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from core.api.hooks import SettingSpec
from core.api.i18n import translations
from core.api.pricing import PriceBatch, PriceStage, PriceStep
from core.api.settings import get

from .bases import Worth, worth_of

_, _l, ngettext, _p = translations(__name__)
STEP = "floor"
HUNDRED = Decimal(100)

SETTINGS = (
    SettingSpec(
        "least_margin",
        Decimal,
        Decimal(0),
        _l("Least margin of prices set by hand"),
        _l("In percent on the product's cost. Below it only those sell who may sell below the floor."),
        unit="%",
        minimum=Decimal(0),
        maximum=Decimal(1000),
        group=_l("Contracts"),
        order=10,
    ),
)


def floor_step() -> PriceStep:
    """Return the step that tells the floor of lines with terms agreed by hand."""
    return PriceStep(STEP, PriceStage.GUARD, _apply, _costs, title=_l("Floor"))


def _costs(batch: PriceBatch) -> Mapping[tuple[int, str], Worth] | None:
    """Return the costs of the lines with terms, for a base unit in the batch's currency; None where none is known."""
    products = {line.product_id for line in batch.lines if line.key in batch.manual} if batch.manual else set()
    return worth_of(batch, products, {"cost"}) or None if products else None


def _apply(batch: PriceBatch, costs: Mapping[tuple[int, str], Worth]) -> None:
    share = (HUNDRED + Decimal(get("pricing_contract", "least_margin"))) / HUNDRED
    for line in batch.lines:
        cost = costs.get((line.product_id, "cost"))
        if cost is None or line.key not in batch.manual:
            continue
        line.floor = cost.amount * share * line.per * line.factor[0] / line.factor[1]
        if batch.explain and line.price is not None and line.price < line.floor:
            line.note(STEP, line.price, _l("Below the floor of cost and least margin"))
