"""A visitor's cart: a few codes and quantities in the session, priced as visitors see prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from flask import session

from core.data.scope import current_actor
from core.i18n import _
from core.orders import articles, cart, merging
from core.orders.draft import Priced, Wanted, check_quantities, price_lines
from core.orders.merging import Added, NewItem
from core.spec.errors import Invalid
from core.ui.formats import plain

KEY = cart.SESSION_KEY
MAX_LINES = 100


def is_guest() -> bool:
    """Tell whether the cart of the present actor is one in the session."""
    actor = current_actor()
    return actor.user_id is None and actor.company_id is None


def items() -> list[NewItem]:
    """Return what the visitor has chosen."""
    return [NewItem(sku, Decimal(quantity), unit) for sku, unit, quantity in session.get(KEY, [])]


def add(chosen: Sequence[NewItem]) -> tuple[Added, ...]:
    """Put items into the session's cart, with the outcomes of ``cart.add``."""
    known = articles.by_sku(item.sku for item in chosen)
    kept = {(item.sku, item.unit): item.quantity for item in items()}
    outcomes = []
    for item in chosen:
        outcome, unit = merging.accept(item, known.get(item.sku))
        if unit is not None:
            key = (item.sku, unit.unit)
            wanted = Wanted("1", known[item.sku].id, unit.unit, kept.get(key, Decimal(0)) + item.quantity)
            check = check_quantities([wanted], {"1": unit})["1"]
            outcome, quantity = merging.judged(outcome, wanted.quantity, check)
            if quantity is not None:
                kept[key] = quantity
        outcomes.append(outcome)
    _keep(kept)
    return tuple(outcomes)


def held() -> dict[int, str]:
    """Return the code at each position, counted from one."""
    return {at: item.sku for at, item in enumerate(items(), start=1)}


def change(quantities: Mapping[int, Decimal]) -> None:
    """Set quantities by position, counted from one."""
    chosen = items()
    for position, quantity in quantities.items():
        if 1 <= position <= len(chosen):
            chosen[position - 1] = NewItem(chosen[position - 1].sku, quantity, chosen[position - 1].unit)
    _keep({(item.sku, item.unit): item.quantity for item in chosen})


def remove(positions: Sequence[int]) -> None:
    """Take lines out by position, counted from one."""
    _keep({(i.sku, i.unit): i.quantity for at, i in enumerate(items(), start=1) if at not in positions})


def priced() -> tuple[list[NewItem], Priced]:
    """Return the visitor's items and what they cost."""
    chosen = items()
    known = articles.by_sku(item.sku for item in chosen)
    wanted = [
        Wanted(str(at), known[item.sku].id if item.sku in known else None, item.unit, item.quantity)
        for at, item in enumerate(chosen, start=1)
    ]
    return chosen, price_lines(wanted)


def hand_over() -> tuple[Added, ...]:
    """Put the visitor's items into the cart of the person who has signed in, and forget them here."""
    chosen = items()
    outcomes = cart.add(chosen) if chosen else ()
    session.pop(KEY, None)
    return outcomes


def _keep(kept: Mapping[tuple[str, str], Decimal]) -> None:
    if len(kept) > MAX_LINES:
        raise Invalid("CART-FULL", _("Sign in to put more than %(count)s articles into the cart.", count=MAX_LINES))
    session[KEY] = [[sku, unit, plain(quantity)] for (sku, unit), quantity in kept.items()]
