"""What core says about orders to subscribers: ids, codes and a version, never whole documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from core.jobs.services import emit
from core.orders.models import Hold, Movement, Order
from core.registry.registry import HookFailed, registry


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """``order.submitted``, ``.amended``, ``.confirmed``, ``.completed``, ``.cancelled``, ``.rejected``."""

    order_id: int
    number: str
    company_id: int
    version: int


@dataclass(frozen=True, slots=True)
class HoldEvent:
    """``hold.added`` and ``hold.released``."""

    order_id: int
    number: str
    company_id: int
    hold_id: int
    owner: str
    code: str


@dataclass(frozen=True, slots=True)
class MovementEvent:
    """``movement.recorded``: the movements of one document, all of one kind."""

    order_id: int
    number: str
    company_id: int
    kind: str
    movement_ids: tuple[int, ...]
    document_owner: str
    document_label: str


def emit_order(event: str, order: Order) -> None:
    """Let followers write what belongs to it, and tell subscribers that ``order`` (flushed) changed its state."""
    _follow(order.id, event)
    emit(f"order.{event}", asdict(OrderEvent(order.id, order.number or "", order.company_id, order.version)))


def emit_hold(event: str, order: Order, hold: Hold) -> None:
    """Tell subscribers that ``hold`` (flushed) was added or released."""
    payload = HoldEvent(order.id, order.number or "", order.company_id, hold.id, hold.owner, hold.code)
    emit(f"hold.{event}", asdict(payload))


def emit_movements(order: Order, kind: str, movements: Sequence[Movement]) -> None:
    """Let followers write what belongs to it, and tell subscribers; ``movements`` are flushed and of one document."""
    _follow(order.id, "moved")
    first = movements[0]
    payload = asdict(
        MovementEvent(
            order.id,
            order.number or "",
            order.company_id,
            kind,
            tuple(m.id for m in movements),
            first.document_owner,
            first.document_label,
        )
    )
    emit("movement.recorded", {**payload, "movement_ids": list(payload["movement_ids"])})


def _follow(order_id: int, change: str) -> None:
    """Ask every follower within the transaction; one that fails stops the change, which is rolled back."""
    for follower in registry().contributions("order_followers"):
        if registry().attempt(follower.owner, "order_followers", follower.value.follow, order_id, change).failed:
            raise HookFailed(follower.owner, "order_followers")
