"""Holds: the one way to stop an order without losing it. Each owner releases its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import select

from core.data import audit, clock
from core.data.db import db
from core.i18n import _, speaking
from core.orders.events import emit_hold
from core.orders.models import Hold, Order
from core.spec.errors import Invalid
from core.spec.orders import HoldRequest

Blocked = Literal["confirm", "ship", "invoice"]
BLOCKABLE = ("confirm", "ship", "invoice")


def open_holds(order_id: int) -> tuple[Hold, ...]:
    """Return the holds of an order that nobody released yet."""
    rows = db.session.scalars(select(Hold).where(Hold.order_id == order_id, Hold.released_at.is_(None)).order_by(Hold.id))
    return tuple(rows)


def blocking(holds: Sequence[Hold], what: Blocked) -> tuple[Hold, ...]:
    """Return those of ``holds`` that are open and block ``what``."""
    return tuple(hold for hold in holds if hold.released_at is None and what in hold.blocks)


def add_hold(order: Order, owner: str, code: str, wanted: HoldRequest, release_permission: str) -> Hold:
    """Hold ``order`` (numbered, locked) and tell subscribers; call inside ``write()``."""
    unknown = set(wanted.blocks) - set(BLOCKABLE)
    if unknown or not wanted.blocks:
        raise ValueError(f"hold {owner}.{code} blocks {sorted(wanted.blocks)}; it may block {', '.join(BLOCKABLE)}")
    with speaking("en"):  # kept in the language of catalogues, so that each reader has it in their own
        label = str(wanted.label)
    hold = Hold(
        order_id=order.id,
        company_id=order.company_id,
        owner=owner,
        code=code,
        label=label,
        blocks=list(wanted.blocks),
        since=clock.now(),
        release_permission=release_permission,
    )
    db.session.add(hold)
    db.session.flush()
    audit.record(
        "order",
        order.number,
        "held",
        company_id=order.company_id,
        after={"hold": f"{owner}.{code}", "label": label, "blocks": ", ".join(wanted.blocks)},
        addon=owner,
    )
    emit_hold("added", order, hold)
    return hold


def mark_released(order: Order, hold: Hold, by: str, reason: str, forced: bool) -> None:
    """Release ``hold`` of ``order`` (locked), once; call inside ``write()``."""
    if hold.released_at is not None:
        raise Invalid(
            "HOLD-RELEASED",
            _("The hold “%(label)s” was already released by %(who)s.", label=hold.told, who=hold.released_by),
        )
    hold.released_at = clock.now()
    hold.released_by = by
    hold.release_reason = reason
    db.session.flush()
    audit.record(
        "order",
        order.number,
        "hold released by force" if forced else "hold released",
        company_id=order.company_id,
        after={"hold": f"{hold.owner}.{hold.code}", "label": hold.label},
        reason=reason,
        addon=hold.owner,
    )
    emit_hold("released", order, hold)
