"""Freight and other charges of a document: who asks for them, how they are taxed, and their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, insert, select

from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.data.scope import unscoped
from core.i18n import _l
from core.orders.models import Order, OrderCharge, OrderLine
from core.pricing import currency as rates
from core.pricing.money import distribute, round_money
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine
from core.registry.registry import registry
from core.settings.services import get
from core.spec.orders import Charge, ChargeRequest, DiscountRequest, OrderDraft

ZERO = Decimal(0)
_REASON = "who decides on an order, or whose limit it counts on, may belong to another company of the tree"
OWNER = "orders"
FREIGHT, SURCHARGE, OTHER = "freight", "surcharge", "other"
#: Core's own charges are named in the language of whoever reads.
LABELS = {FREIGHT: _l("Freight"), SURCHARGE: _l("Surcharge for small orders"), OTHER: _l("Other charges")}
#: What makes two rows of charges the same.
CHARGE_FIELDS = ("owner", "code", "label", "net", "tax_category", "tax_rate")


@dataclass(frozen=True, slots=True)
class TaxedCharge:
    """A row of a document: the part of a charge that is taxed in one way."""

    owner: str
    code: str
    label: str
    net: Decimal
    treatment: Treatment

    def values(self) -> dict[str, Any]:
        """Return the columns of its row."""
        return {
            "owner": self.owner,
            "code": self.code,
            "label": self.label,
            "net": self.net,
            "tax_category": self.treatment.category,
            "tax_rate": self.treatment.rate,
        }


def of(
    request: ChargeRequest, goods: Sequence[TotalLine], treatments: Callable[[set[str]], Mapping[str, Treatment]]
) -> tuple[TaxedCharge, ...]:
    """Return what domains and addons charge on the document, in order; zeros are left out."""
    asked = [(owner, charge) for owner, found in registry().batch("order_charges", request=request) for charge in found]
    asked = sorted((pair for pair in asked if pair[1].net), key=lambda pair: (pair[1].order, pair[0], pair[1].code))
    classes = {charge.tax_class for _owner, charge in asked if charge.tax_class}
    taxed = treatments(classes) if classes else {}
    rows: list[TaxedCharge] = []
    for owner, charge in asked:
        net = round_money(charge.net, request.currency)
        parts = [(taxed[charge.tax_class], net)] if charge.tax_class else as_goods(net, goods, request.currency)
        rows += [TaxedCharge(owner, charge.code, str(charge.label), part, how) for how, part in parts]
    return (*rows, *_discounts(request, goods, rows))


def _discounts(request: ChargeRequest, goods: Sequence[TotalLine], rows: Sequence[TaxedCharge]) -> Iterator[TaxedCharge]:
    """Yield what addons take off lines and charges, a row for each way in which that is taxed."""
    asked = DiscountRequest(request, sum((row.net for row in rows), ZERO))
    found = [(owner, one) for owner, answer in registry().batch("order_discounts", request=asked) for one in answer]
    left = {line.key: line.net or ZERO for line in request.lines}
    taxed = {line.key: total.treatment for line, total in zip(request.lines, goods, strict=True)}
    beside = max(asked.charges, ZERO)
    for owner, one in sorted(found, key=lambda pair: (pair[1].order, pair[0], pair[1].code)):
        parts: dict[Treatment, Decimal] = defaultdict(lambda: ZERO)
        for key, amount in one.lines.items():
            off = min(round_money(amount, request.currency), left[key])
            left[key] -= off
            parts[taxed[key]] += off
        off = min(round_money(one.charges, request.currency), beside)
        beside -= off
        for row, part in zip(rows, distribute(off, [row.net for row in rows], request.currency), strict=True):
            parts[row.treatment] += part
        for how, part in parts.items():
            if part:
                yield TaxedCharge(owner, one.code, str(one.label), -part, how)


def as_goods(amount: Decimal, goods: Iterable[TotalLine], currency: str) -> list[tuple[Treatment, Decimal]]:
    """Split ``amount`` over the ways in which the goods are taxed, by their nets: freight shares the fate of the goods."""
    bases: dict[Treatment, Decimal] = defaultdict(lambda: ZERO)
    for line in goods:
        if line.net is not None:
            bases[line.treatment] += line.net
    hows = sorted(bases, key=lambda how: (-how.rate, how.code, how.category))
    parts = list(distribute(round_money(amount, currency), [bases[how] for how in hows], currency))
    if parts:
        parts[0] += amount - sum(parts, ZERO)  # an imported amount may be finer than the currency
    return [(how, part) for how, part in zip(hows, parts, strict=True) if part]


def own(request: ChargeRequest) -> Iterable[Charge]:
    """Yield freight and the surcharge for small orders as the settings say, for the company or in general."""

    def setting(key: str) -> Decimal:
        return Decimal(get("orders", key, company=request.company_id))

    freight, surcharge = setting("freight"), setting("small_order_surcharge")
    if not freight and not surcharge:
        return
    home = seller()
    factor = rates.rate(home.currency, request.currency, clock.today(home.zone))

    def here(amount: Decimal) -> Decimal:
        return round_money(amount * factor, request.currency)

    free_from = here(setting("freight_free_from"))
    if freight and not (free_from and request.net >= free_from):
        yield Charge(FREIGHT, LABELS[FREIGHT], here(freight), order=10)
    if surcharge and request.net < here(setting("small_order_below")):
        yield Charge(SURCHARGE, LABELS[SURCHARGE], here(surcharge), order=20)


def label_of(charge: Any) -> str:
    """Return a charge's name for the reader: of core's own in the language of now, of others as it was written."""
    return str(LABELS.get(charge.code, charge.label)) if charge.owner == OWNER else str(charge.label)


def rows_of(order_id: int) -> list[OrderCharge]:
    """Return the charges of an order, in order."""
    query = select(OrderCharge).where(OrderCharge.order_id == order_id).order_by(OrderCharge.id)
    with db.session.no_autoflush:  # rows are written in bulk: a digest may be asked of an order that was changed to compare
        return list(db.session.scalars(query.execution_options(populate_existing=True)))


def discounts_of(drafts: Sequence[OrderDraft]) -> list[Decimal]:
    """Return what comes off each order or cart as a whole, 0 or less, in its currency; one statement for all of them."""
    known = discounts_of_orders({draft.order_id for draft in drafts if draft.order_id})
    return [known.get(draft.order_id, ZERO) if draft.order_id else draft.discounts_net for draft in drafts]


def discounts_of_orders(order_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return what comes off each order that has a discount as a whole, below 0; one statement."""
    ids = sorted(set(order_ids))
    query = select(OrderCharge.order_id, func.sum(OrderCharge.net)).where(OrderCharge.order_id.in_(ids), OrderCharge.net < 0)
    asked = unscoped(query.group_by(OrderCharge.order_id), _REASON)
    return {row[0]: row[1] for row in db.session.execute(asked)} if ids else {}


def discounts_by_line(order_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return by line id what discounts on the whole of its order take off its net, in the order's currency, never negative.

    The parts of an order's lines sum to its discount to the last digit, at most to the net of its lines. Lines of orders
    without a discount are left out; two statements at most.
    """
    off = discounts_of_orders(order_ids)
    query = select(OrderLine.id, OrderLine.order_id, OrderLine.net, Order.currency).join(
        Order, Order.id == OrderLine.order_id
    )
    query = query.where(OrderLine.order_id.in_(list(off)), OrderLine.net.is_not(None)).order_by(
        OrderLine.order_id, OrderLine.position
    )
    lines: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(unscoped(query, _REASON)) if off else ():
        lines[row.order_id].append(row)
    found: dict[int, Decimal] = {}
    for order_id, own in lines.items():
        nets = [row.net for row in own]
        parts = distribute(min(-off[order_id], sum(nets, ZERO)), nets, own[0].currency)
        found |= {row.id: part for row, part in zip(own, parts, strict=True)}
    return found


def store(order: Order, charges: Sequence[TaxedCharge]) -> None:
    """Make ``charges`` those of the order, which is locked; call inside ``write()``."""
    wanted = [charge.values() for charge in charges]
    if [{name: getattr(row, name) for name in CHARGE_FIELDS} for row in rows_of(order.id)] == wanted:
        return
    db.session.execute(delete(OrderCharge).where(OrderCharge.order_id == order.id))
    if wanted:
        head = {"order_id": order.id, "company_id": order.company_id}
        db.session.execute(insert(OrderCharge), [{**head, **values} for values in wanted])
