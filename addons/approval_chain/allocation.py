"""On which cost centres the lines of carts and orders are: chosen, by default, or as they were placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select

from core.api.data import db, once
from core.api.hooks import OrderDraft
from core.api.orders import Order, OrderLine, discounts_of_orders
from core.api.pricing import minor_digits

from . import basis, kept
from .centre_models import CentreDefault, CostCentre, LineCentre, OrderCentre
from .shares import shares

ZERO = Decimal(0)
#: In ``extra`` of an order that is only thought of: the Centre on which all of it would go.
THOUGHT = "approval_chain.cost_centre"
Centres = Mapping[int, "Centre"]


@dataclass(frozen=True, slots=True)
class Centre:
    """A cost centre as an order names it."""

    id: int
    code: str
    name: str


def of_orders(order_ids: Iterable[int]) -> dict[int, dict[int, Centre]]:
    """Return the cost centre of every line that has one, by order and line; statements do not grow with either."""
    ids = tuple(dict.fromkeys(order_ids))
    if not ids:
        return {}
    return once(("approval_chain.of_orders", ids), lambda: _of_orders(ids))


def _of_orders(ids: Sequence[int]) -> dict[int, dict[int, Centre]]:
    columns = (Order.id, Order.company_id, Order.user_id)
    return _found(ids, db.session.execute(select(*columns).where(Order.id.in_(ids), Order.state == "cart")).all())


def _found(ids: Sequence[int], carts: Sequence[Any]) -> dict[int, dict[int, Centre]]:
    found: dict[int, dict[int, Centre]] = {order_id: {} for order_id in ids}
    for row in db.session.scalars(select(LineCentre).where(LineCentre.order_id.in_(ids))):
        if row.line_id is not None:
            found[row.order_id][row.line_id] = Centre(row.cost_centre_id, row.code, row.name)
    if carts:
        _of_carts(carts, found)
    return found


def _of_carts(carts: Sequence[Any], found: dict[int, dict[int, Centre]]) -> None:
    """Put in what holds for lines for which nothing was chosen; what is not active any more was not chosen."""
    ids = [cart.id for cart in carts]
    usable = active({cart.company_id for cart in carts})
    for_all = {cart.id: choice(cart, usable) for cart in carts}
    for line_id, order_id in db.session.execute(select(OrderLine.id, OrderLine.order_id).where(OrderLine.order_id.in_(ids))):
        chosen = found[order_id].get(line_id)
        here = usable.get(chosen.id) if chosen else None
        centre = here or for_all[order_id]
        if centre is None:
            found[order_id].pop(line_id, None)
        else:
            found[order_id][line_id] = centre


def active(company_ids: Iterable[int]) -> dict[int, Centre]:
    """Return the cost centres in use of the companies, by id, in the order of their codes."""
    ids = tuple(sorted(company_ids))
    return once(("approval_chain.active", ids), lambda: _active(ids))


def _active(company_ids: Sequence[int]) -> dict[int, Centre]:
    query = select(CostCentre).where(CostCentre.company_id.in_(company_ids), CostCentre.active)
    return {c.id: Centre(c.id, c.code, c.name) for c in db.session.scalars(query.order_by(CostCentre.code))}


def choice(cart: Any, usable: Centres) -> Centre | None:
    """Return what holds for the whole cart: chosen, else the person's own, else the only one that the company has.

    ``cart`` has id, company_id and user_id.
    """
    return once(("approval_chain.choice", cart.id, tuple(usable)), lambda: _choice(cart, usable))


def _choice(cart: Any, usable: Centres) -> Centre | None:
    chosen = db.session.execute(select(OrderCentre.cost_centre_id).where(OrderCentre.order_id == cart.id)).first()
    if chosen is not None and (chosen[0] is None or chosen[0] in usable):
        return usable[chosen[0]] if chosen[0] else None
    own = select(CentreDefault.cost_centre_id).where(CentreDefault.company_id == cart.company_id)
    default = db.session.scalar(own.where(CentreDefault.user_id == cart.user_id))
    if default in usable:
        return usable[default]
    return next(iter(usable.values())) if len(usable) == 1 else None


def freeze(order_id: int) -> None:
    """Keep the cost centre of every line of an order that is being placed, with code and name; inside ``write()``."""
    order = db.session.scalars(select(Order).where(Order.id == order_id)).one()
    found = _found([order_id], [order])[order_id] if active({order.company_id}) else {}  # it was a cart until now
    lines = db.session.scalars(select(OrderLine).where(OrderLine.order_id == order_id)).all() if found else []
    rows = [
        {
            "order_id": order_id, "line_id": line.id, "position": line.position, "company_id": line.company_id,
            "cost_centre_id": c.id, "code": c.code, "name": c.name,
        }
        for line in lines
        if (c := found.get(line.id))
    ]  # fmt: skip
    db.session.execute(delete(LineCentre).where(LineCentre.order_id == order_id))
    db.session.execute(delete(OrderCentre).where(OrderCentre.order_id == order_id))
    if rows:
        db.session.execute(insert(LineCentre), rows)


def of_drafts(drafts: Sequence[OrderDraft]) -> list[dict[Centre, Decimal]]:
    """Return what each cost centre bears of what counts of carts or orders as rules see them, in the order's currency."""
    bases = basis.of_each(draft.company_id for draft in drafts)
    return [
        _borne(draft, amount, bases[draft.company_id], found)
        for draft, amount, found in zip(drafts, basis.amounts(drafts, bases), on_lines(drafts), strict=True)
    ]


def on_lines(drafts: Sequence[OrderDraft]) -> list[Mapping[int, Centre]]:
    """Return for each order as rules see it the cost centres of its lines by their id; those of a thought one have 0."""
    found = of_orders(draft.order_id for draft in drafts if draft.order_id)
    thought = ({0: draft.extra[THOUGHT]} if THOUGHT in draft.extra else {} for draft in drafts)
    return [found[draft.order_id] if draft.order_id else mine for draft, mine in zip(drafts, thought, strict=True)]


def _borne(draft: OrderDraft, counts: Decimal, how: str, found: Mapping[int, Centre]) -> dict[Centre, Decimal]:
    lines = [(found.get(line.id), basis.of_line(how, line.net or ZERO, line.tax_rate)) for line in draft.lines]
    return {c: amount for c, amount in shares(lines, counts, minor_digits(draft.currency)).items() if c is not None}


def borne_by(
    order_ids: Iterable[int], entered: Mapping[int, str] = {}, *, left: bool = False
) -> dict[int, dict[Centre, Decimal]]:
    """Return what each cost centre bears of what counts of placed orders; ``left``: less what was cancelled or returned.

    ``entered`` says on which basis an order counts; others count as the settings say.
    """
    ids = list(order_ids)
    found = of_orders(ids)
    lines: dict[int, list[tuple[int, Decimal, Decimal | None]]] = {}
    query = select(OrderLine.id, OrderLine.order_id, OrderLine.net, OrderLine.tax_rate).where(OrderLine.order_id.in_(ids))
    for line_id, order_id, net, tax_rate in db.session.execute(query.order_by(OrderLine.position)):
        lines.setdefault(order_id, []).append((line_id, net or ZERO, tax_rate))
    columns = (Order.id, Order.company_id, Order.net, Order.charges_net, Order.gross, Order.currency)
    heads = db.session.execute(select(*columns).where(Order.id.in_(ids))).all()
    bases = basis.of_each(head.company_id for head in heads)
    off = discounts_of_orders(ids) if {*bases.values(), *entered.values()} & {*basis.GOODS} else {}
    back = kept.taken_back(ids, bases, entered) if left else {}
    result: dict[int, dict[Centre, Decimal]] = {}
    for head in heads:
        how, on = entered.get(head.id) or bases[head.company_id], found[head.id]
        here = [(on.get(id_), basis.of_line(how, net, rate)) for id_, net, rate in lines.get(head.id, ())]
        borne = dict(shares(here, basis.part(how, head, off.get(head.id, ZERO)), minor_digits(head.currency)))
        for line_id, _net, _rate in lines.get(head.id, ()):
            if line_id in back:
                borne[on.get(line_id)] -= back[line_id].amount
        result[head.id] = {c: amount for c, amount in borne.items() if c is not None}
    return result


def facts(order_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return the positions of orders by the code of their cost centre: a part of what was decided on."""
    carts = set(db.session.scalars(select(Order.id).where(Order.id.in_(order_ids), Order.state == "cart")))
    said: dict[int, dict[str, list[int]]] = {}
    rows = select(LineCentre.order_id, LineCentre.code, LineCentre.position).where(
        LineCentre.order_id.in_([i for i in order_ids if i not in carts])
    )
    for order_id, code, position in db.session.execute(rows.order_by(LineCentre.position)):
        said.setdefault(order_id, {}).setdefault(code, []).append(position)
    if carts:
        found = of_orders(carts)
        lines = select(OrderLine.id, OrderLine.order_id, OrderLine.position).where(OrderLine.order_id.in_(carts))
        for line_id, order_id, position in db.session.execute(lines.order_by(OrderLine.position)):
            if centre := found[order_id].get(line_id):
                said.setdefault(order_id, {}).setdefault(centre.code, []).append(position)
    return said


def copy(source: int, target: int) -> None:
    """Put another cart on the cost centres of an order as far as they are in use; inside ``write()``."""
    order = db.session.scalars(select(Order).where(Order.id == source)).one()
    chosen = {c.id for c in of_orders([source])[source].values()} & set(active({order.company_id}))
    if len(chosen) == 1:
        db.session.merge(OrderCentre(order_id=target, company_id=order.company_id, cost_centre_id=chosen.pop()))
