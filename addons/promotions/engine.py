"""What a promotion takes off an order, or adds to it: pure figures, the same for cart, order, tests and explanations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.api.pricing import distribute, round_money

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
FREE_GOODS = "free_goods"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which lines are meant: a product, a category (by its path) with what lies below it, or all."""

    product_id: int | None = None
    path: str | None = None

    def takes(self, item: Item) -> bool:
        """Tell whether the line is one of them."""
        if self.product_id is not None:
            return item.product_id == self.product_id
        return self.path is None or item.path.startswith(self.path)


@dataclass(frozen=True, slots=True)
class Item:
    """A line: its net (what is left of it), and whether its price was agreed, by contract or by hand.

    ``base`` is its quantity in base units of the product, None where that is ``quantity``.
    """

    key: str
    product_id: int | None
    quantity: Decimal
    net: Decimal
    path: str = ""
    agreed: bool = False
    base: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A promotion as the engine sees it; see models.Promotion."""

    code: str
    name: str
    kind: str
    value: Decimal = ZERO
    min_value: Decimal | None = None
    min_quantity: Decimal | None = None
    max_units: Decimal | None = None
    free_quantity: Decimal | None = None
    for_every: Decimal | None = None
    counted: Selector = field(default_factory=Selector)
    reduced: Selector = field(default_factory=Selector)
    with_charges: bool = False
    on_agreed: bool = False
    voucher: str = ""


@dataclass(frozen=True, slots=True)
class Gift:
    """What a promotion gives: so many base units of a product."""

    rule: Rule
    product_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Saving:
    """What a promotion takes off: by line, and off the charges."""

    rule: Rule
    lines: Mapping[str, Decimal]
    charges: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(self.lines.values(), ZERO) + self.charges


def savings(rules: Iterable[Rule], items: Sequence[Item], charges: Decimal, currency: str) -> list[Saving]:
    """Return what counts: the best of the promotions without a code, and the voucher on what that left."""
    given = sorted((rule for rule in rules if rule.kind != FREE_GOODS), key=lambda rule: rule.code)
    found: list[Saving] = []
    own = [saving for rule in given if not rule.voucher and (saving := saving_of(rule, items, charges, currency))]
    if own:
        best = max(own, key=lambda saving: saving.total)  # the first of equals
        found.append(best)
        charges -= best.charges
    for rule in given:
        if rule.voucher:
            left = _less(items, found)
            saving = saving_of(rule, left, charges, currency, counted=items)
            found += [saving] if saving else []
    return found


def saving_of(
    rule: Rule, items: Sequence[Item], charges: Decimal, currency: str, counted: Sequence[Item] | None = None
) -> Saving | None:
    """Return what one promotion takes off, None where it does not hold; thresholds look at ``counted`` (the lines)."""
    if missing(rule, items if counted is None else counted) is not None:
        return None
    reduced = [x for x in items if rule.reduced.takes(x) and x.net > 0 and (rule.on_agreed or not x.agreed)]
    parts = _most(reduced, rule.max_units)
    base = sum((part.net for part in parts), ZERO)
    if rule.kind in ("amount_each", "cheapest_free"):
        units = sum((x.quantity for x in (items if counted is None else counted) if rule.counted.takes(x)), ZERO)
        lines = _each(rule, parts, earned(rule, units), currency)
        return Saving(rule, lines) if any(lines.values()) else None
    beside = charges if rule.with_charges and charges > 0 else ZERO
    whole = base + beside
    if not whole:
        return None
    total = min(rule.value, whole) if rule.kind == "amount" else round_money(whole * rule.value / HUNDRED, currency)
    if not total:
        return None
    goods = round_money(total * base / whole, currency)
    amounts = distribute(goods, [part.net for part in parts], currency)
    return Saving(rule, {part.key: amount for part, amount in zip(parts, amounts, strict=True)}, total - goods)


def gifts(rules: Iterable[Rule], items: Sequence[Item]) -> list[Gift]:
    """Return what comes with the lines; of each product what the promotion gives that gives most of it.

    Lines that cost nothing do not count, nor lines at an agreed price where the promotion leaves those alone.
    """
    best: dict[int, Gift] = {}
    for rule in sorted((rule for rule in rules if rule.kind == FREE_GOODS), key=lambda rule: rule.code):
        for gift in _given(rule, items):
            if gift.product_id not in best or gift.quantity > best[gift.product_id].quantity:  # the first of equals
                best[gift.product_id] = gift
    return [best[product_id] for product_id in sorted(best)]


def earned(rule: Rule, units: Decimal) -> Decimal:
    """Return how many units are free for so many that count: whole times ``for_every``, once where nothing is said."""
    if units <= 0 or units < (rule.min_quantity or ZERO):
        return ZERO
    times = ONE if rule.for_every is None else units // rule.for_every
    free = times * (ONE if rule.free_quantity is None else rule.free_quantity)
    return free if rule.max_units is None else min(free, rule.max_units)


def _given(rule: Rule, items: Sequence[Item]) -> list[Gift]:
    counted = _that_count(rule, items)
    if sum((item.net for item in counted), ZERO) < (rule.min_value or ZERO):
        return []
    free = {product_id: earned(rule, units) for product_id, units in _units(rule, items).items()}
    return [Gift(rule, product_id, quantity) for product_id, quantity in free.items() if quantity > 0]


def _units(rule: Rule, items: Sequence[Item]) -> dict[int, Decimal]:
    """Return the base units that count by the product that they earn: a named one, or each product itself."""
    found: dict[int, Decimal] = {}
    for item in _that_count(rule, items):
        earns = item.product_id if rule.reduced.product_id is None else rule.reduced.product_id
        if earns is not None:
            found[earns] = found.get(earns, ZERO) + (item.quantity if item.base is None else item.base)
    return found


def _that_count(rule: Rule, items: Sequence[Item]) -> list[Item]:
    return [x for x in items if x.net > 0 and rule.counted.takes(x) and (rule.on_agreed or not x.agreed)]


def missing(rule: Rule, items: Sequence[Item]) -> tuple[Decimal, Decimal] | None:
    """Return how much value and quantity the counted lines lack, None where they lack nothing."""
    if rule.kind == FREE_GOODS:
        return None if _given(rule, items) else _short_of(rule, items)
    counted = [item for item in items if rule.counted.takes(item)]
    value = (rule.min_value or ZERO) - sum((item.net for item in counted), ZERO)
    quantity = (rule.min_quantity or ZERO) - sum((item.quantity for item in counted), ZERO)
    if not counted or value > 0 or quantity > 0:
        return max(value, ZERO), max(quantity, ZERO)
    return None


def _short_of(rule: Rule, items: Sequence[Item]) -> tuple[Decimal, Decimal]:
    """Return how much value, and how many base units of one article, the first free goods lack."""
    value = (rule.min_value or ZERO) - sum((item.net for item in _that_count(rule, items)), ZERO)
    wanted = max(rule.min_quantity or ZERO, rule.for_every or ZERO)
    return max(value, ZERO), max(wanted - max(_units(rule, items).values(), default=ZERO), ZERO)


def begun(rule: Rule, items: Sequence[Item]) -> bool:
    """Tell whether something that counts for the promotion's free goods is there."""
    return rule.kind == FREE_GOODS and bool(_units(rule, items))


def _most(items: Sequence[Item], units: Decimal | None) -> list[Item]:
    """Return the lines, or of each as much as makes the cheapest ``units``."""
    if units is None:
        return list(items)
    found, left = [], units
    for item in sorted(items, key=lambda item: (item.net / item.quantity, item.key)):
        taken = min(item.quantity, left)
        if taken > 0:
            found.append(replace(item, quantity=taken, net=item.net * taken / item.quantity))
        left -= taken
    return found


def _each(rule: Rule, parts: Sequence[Item], free: Decimal, currency: str) -> dict[str, Decimal]:
    if rule.kind == "amount_each":
        return {x.key: round_money(min(rule.value * x.quantity, x.net), currency) for x in parts}
    cheapest = _most(parts, free)
    return {x.key: round_money(x.net, currency) for x in cheapest}


def _less(items: Sequence[Item], taken: Sequence[Saving]) -> list[Item]:
    return [replace(x, net=x.net - sum((saving.lines.get(x.key, ZERO) for saving in taken), ZERO)) for x in items]
