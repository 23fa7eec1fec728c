"""Items on their way into a cart: which line each belongs to, which quantity that makes, and what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from core.catalog.units import QuantityCheck, UnitInfo
from core.i18n import _
from core.orders.articles import Article
from core.orders.draft import Wanted, check_quantities
from core.orders.models import OrderLine
from core.registry.registry import registry
from core.ui.formats import qty

AddOutcome = Literal["added", "merged", "rounded", "not_allowed", "unknown", "bad_unit", "bad_quantity"]
AS_ASKED = ("added", "merged")
TAKEN = (*AS_ASKED, "rounded")


@dataclass(frozen=True, slots=True)
class NewItem:
    """What somebody wants in the cart: a SKU, a unit ('' for the one it is sold in first) and a quantity.

    ``parts`` are addons' values of the line, from which its split key is made.
    """

    sku: str
    quantity: Decimal
    unit: str = ""
    note: str = ""
    reference: str = ""
    configuration: str = ""
    parts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an item; ``quantity`` is what went into the cart, ``message`` says what was changed or why not.

    ``refusal`` is the message for whoever takes all items as they are or none.
    """

    sku: str
    outcome: AddOutcome
    message: str = ""
    quantity: Decimal = Decimal(0)
    name: str = ""
    refusal: str = ""

    @property
    def refused(self) -> str:
        """Why the item cannot be taken as it is; '' where it can."""
        return "" if self.outcome in AS_ASKED else self.refusal or self.message

    @property
    def taken(self) -> bool:
        """True where the item is in the cart."""
        return self.outcome in TAKEN


Identity = tuple[int | None, str, str, str]


def identity(line: OrderLine) -> Identity:
    """Return what makes a line the same as another when carts are merged."""
    return line.product_id, line.unit, line.configuration, line.split_key


def split_key(parts: Mapping[str, Any] | None) -> str:
    """Return the digest of what addons say keeps lines apart; '' where they say nothing."""
    if not parts:
        return ""
    said = [
        f"{found.owner}.{found.value.name}={key}"
        for found in registry().contributions("order_parts")
        if found.value.split_key and (key := found.value.split_key(parts))
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest() if said else ""


def accept(item: NewItem, article: Article | None) -> tuple[Added, UnitInfo | None]:
    """Return the outcome of an item by itself, and its unit where it can go into a cart."""
    if article is None:
        return Added(item.sku, "unknown", _("There is no article %(sku)s.", sku=item.sku[:80])), None
    if article.availability != "ok":
        return Added(item.sku, "not_allowed", article.refusal, name=article.name), None
    unit = article.unit(item.unit)
    if unit is None:
        known = ", ".join(article.units) or "–"
        message = _(
            "%(sku)s is not sold in %(unit)s; it is sold in %(units)s.", sku=item.sku, unit=item.unit[:20], units=known
        )
        return Added(item.sku, "bad_unit", message, name=article.name), None
    if not item.quantity.is_finite() or item.quantity <= 0:
        return Added(item.sku, "bad_quantity", _("The quantity must be more than zero."), name=article.name), None
    return Added(item.sku, "added", name=article.name, quantity=item.quantity), unit


def judged(outcome: Added, quantity: Decimal, check: QuantityCheck) -> tuple[Added, Decimal | None]:
    """Return the outcome after the check of the whole quantity, and the quantity to keep (None: as it was)."""
    if check.ok:
        return outcome, quantity
    if check.rounded is None:
        return replace(outcome, outcome="bad_quantity", message=check.reason, quantity=Decimal(0)), None
    message = _(
        "%(name)s: the quantity was changed from %(asked)s to %(rounded)s. %(reason)s",
        name=outcome.name,
        asked=qty(quantity),
        rounded=qty(check.rounded),
        reason=check.reason,
    )
    refusal = _(
        "%(name)s cannot be ordered in the quantity %(asked)s. %(reason)s The nearest quantity is %(rounded)s.",
        name=outcome.name,
        asked=qty(quantity),
        rounded=qty(check.rounded),
        reason=check.reason,
    )
    return replace(outcome, outcome="rounded", message=message, quantity=check.rounded, refusal=refusal), check.rounded


@dataclass(frozen=True, slots=True)
class Touched:
    """A line that gets a new quantity: what was asked for, and the article."""

    item: NewItem
    article: Article
    quantity: Decimal


def merge(
    items: Sequence[NewItem], known: Mapping[str, Article], lines: Sequence[OrderLine]
) -> tuple[tuple[Added, ...], dict[Identity, Touched]]:
    """Return an outcome for each item, and the quantity that each touched line shall have."""
    outcomes: list[Added] = []
    keys: list[Identity | None] = []
    touched: dict[Identity, Touched] = {}
    before = {identity(line): line.quantity for line in lines}
    for item in items:
        outcome, unit = accept(item, known.get(item.sku))
        key = None
        if unit is not None:
            article = known[item.sku]
            key = (article.id, unit.unit, item.configuration[:64], split_key(item.parts))
            already = touched[key].quantity if key in touched else before.get(key, Decimal(0))
            touched[key] = Touched(item, article, already + item.quantity)
            outcome = replace(outcome, outcome="merged") if already else outcome
        outcomes.append(outcome)
        keys.append(key)
    _check(touched, keys, outcomes)
    return tuple(outcomes), touched


def _check(touched: dict[Identity, Touched], keys: Sequence[Identity | None], outcomes: list[Added]) -> None:
    """Check the merged quantities in one go; round what can be rounded, refuse the rest."""
    names = {key: str(index) for index, key in enumerate(touched)}
    wanted = [Wanted(names[key], t.article.id, key[1], t.quantity) for key, t in touched.items()]
    checks = check_quantities(wanted, {names[key]: t.article.unit(key[1]) for key, t in touched.items()})
    asked = {key: t.quantity for key, t in touched.items()}
    for index, key in enumerate(keys):
        if key is None:
            continue
        outcomes[index], quantity = judged(outcomes[index], asked[key], checks[names[key]])
        if quantity is None:
            touched.pop(key, None)
        elif key in touched:
            touched[key] = replace(touched[key], quantity=quantity)
