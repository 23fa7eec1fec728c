"""Ask the database once in a request for what several parts of a page ask: rules, panels, steps of the checkout.

What was found is forgotten with the transaction in which it was read, and with its actor. Nothing is kept inside
``write()``, which must see its own changes, or outside of requests, where it may be long between two questions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import has_request_context
from sqlalchemy import event
from sqlalchemy.orm import SessionTransaction

from core.data.db import WRITING, Session, db
from core.data.scope import ONCE

T = TypeVar("T")


def once(key: Hashable, make: Callable[[], T]) -> T:
    """Return ``make()``, or what it returned for ``key`` before; ``key`` says whose question it is and all it depends on."""
    info = db.session().info
    if info.get(WRITING) or not has_request_context():
        return make()
    found: dict[Hashable, Any] = info.setdefault(ONCE, {})
    if key not in found:
        found[key] = make()
    return cast("T", found[key])


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(ONCE, None)
