"""The one sum of a document: carts, orders and invoices show the figures computed here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from core.pricing.money import distribute, round_money
from core.pricing.tax import Treatment

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TotalLine:
    """A line of a document: its net, rounded already (None while it has no price), and how it is taxed."""

    net: Decimal | None
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class TaxLine:
    """VAT of one category: ``tax`` on ``base``, rounded once. ``rate`` in percent, ``code`` by EN 16931."""

    category: str
    code: str
    rate: Decimal
    base: Decimal
    tax: Decimal
    note: object = ""

    def stored(self) -> dict[str, str]:
        """Return the values as text, as an order keeps them."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Totals:
    """Net of the lines, tax and gross of a document in its currency; ``unpriced`` counts the lines without a price.

    ``charges`` is the net of freight and other charges: gross = net + charges + tax.
    """

    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_lines: tuple[TaxLine, ...]
    unpriced: int = 0
    charges: Decimal = ZERO

    @property
    def without_tax(self) -> Decimal:
        """Lines and charges, without tax."""
        return self.net + self.charges


def totals(lines: Iterable[TotalLine], currency: str, charges: Iterable[TotalLine] = ()) -> Totals:
    """Sum the rounded nets; VAT is computed on the sum of each category, charges included, and rounded once."""
    bases: dict[Treatment, Decimal] = defaultdict(lambda: ZERO)
    unpriced, charged = 0, ZERO
    for line in lines:
        if line.net is None:
            unpriced += 1
        else:
            bases[line.treatment] += line.net
    net = sum(bases.values(), ZERO)
    for charge in charges:
        bases[charge.treatment] += charge.net or ZERO
        charged += charge.net or ZERO
    taxed = [
        TaxLine(t.category, t.code, t.rate, base, round_money(base * t.rate / 100, currency), t.note)
        for t, base in bases.items()
    ]
    taxed.sort(key=lambda line: (-line.rate, line.code, line.category))
    tax = sum((line.tax for line in taxed), ZERO)
    return Totals(net, tax, net + charged + tax, tuple(taxed), unpriced, charged)


def discounted(lines: Iterable[TotalLine], percent: Decimal, currency: str) -> tuple[TotalLine, ...]:
    """Take ``percent`` off the document: the discount is rounded once and spread over the lines by largest remainder."""
    given = tuple(lines)
    nets = [line.net or ZERO for line in given]
    discount = round_money(sum(nets, ZERO) * percent / 100, currency)
    parts = distribute(discount, nets, currency)
    return tuple(
        line if line.net is None else replace(line, net=line.net - part) for line, part in zip(given, parts, strict=True)
    )
