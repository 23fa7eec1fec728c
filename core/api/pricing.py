"""Prices, as addons may use them: the pipeline's types and services, exact arithmetic, tax and currency rates."""

from core.i18n.currencies import checked_currency
from core.pricing.asked import InOrder, id_table, id_values, instant_value, prepared, quantity_table, quantity_values
from core.pricing.bands import bands_text
from core.pricing.base import by_factor
from core.pricing.currency import known_rates, rate, rates
from core.pricing.display import PriceView, price_views
from core.pricing.explain import explain
from core.pricing.models import ListPrice
from core.pricing.money import (
    MICROS,
    STORED_PLACES,
    computed_places,
    decimals_of,
    distribute,
    finer,
    from_micro,
    line_net,
    minor_digits,
    round_money,
    round_to,
    to_micro,
)
from core.pricing.services import VIEW as SEE_PRICES
from core.pricing.services import context, ladders, may_see, price, price_one
from core.pricing.tax import Treatment, treatments
from core.pricing.totals import TaxLine, TotalLine, Totals, discounted, totals
from core.spec.pricing import (
    BEGINNING,
    ONE,
    Band,
    Break,
    BreakQuantities,
    Candidate,
    ManualTerms,
    PriceBatch,
    PriceContext,
    PriceLine,
    PriceRequest,
    PriceStage,
    PriceStep,
    TraceEntry,
)

__all__ = [
    # the pipeline's types
    "PriceBatch", "PriceContext", "PriceLine", "PriceRequest", "PriceStage", "PriceStep", "TraceEntry", "Candidate",
    "ManualTerms",
    "Band", "Break", "BreakQuantities", "BEGINNING",
    # asking for prices
    "context", "price", "price_one", "ladders", "explain", "may_see", "SEE_PRICES", "PriceView", "price_views",
    # for steps: lines as parameters, stored integers, units
    "InOrder", "prepared", "instant_value", "quantity_table", "quantity_values", "id_table", "id_values",
    "MICROS", "ONE", "STORED_PLACES", "from_micro", "to_micro", "by_factor", "computed_places", "finer", "bands_text",
    # money, tax, currency
    "line_net", "distribute", "minor_digits", "decimals_of", "round_money", "round_to", "checked_currency", "rate", "rates",
    "known_rates", "Treatment",
    "treatments", "TaxLine", "TotalLine", "Totals", "totals", "discounted",
    # for reading and foreign keys
    "ListPrice",
]  # fmt: skip
