"""Staff at work for a buyer: what the session says of it, and its end. It is begun in core.companies.lending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import request, session

from core.accounts import identity, sessions
from core.data import audit, clock
from core.data.write import write

LONGEST = timedelta(minutes=60)
KEY = "acting"


def begin(*, user_id: int, user_code: str, name: str, company_id: int, reason: str) -> None:
    """Note in the session for whom the member of staff acts, for at most ``LONGEST``; the session gets a new token."""
    session[KEY] = {
        "user_id": user_id,
        "user_code": user_code,
        "name": name,
        "company_id": company_id,
        "reason": reason,
        "until": (clock.now() + LONGEST).isoformat(),
    }
    sessions.rotate()


def stop() -> bool:
    """End acting for a buyer, or clear away what ran out; returns whether there was anything to end."""
    acting: dict[str, Any] | None = session.pop(KEY, None)
    if acting is None:
        return False
    action = "acting_ended" if identity.running(acting) else "acting_ran_out"
    with write():
        audit.record("user", acting["user_code"], action, company_id=acting["company_id"])
    sessions.rotate()
    return True


def clear_away() -> None:
    """End what ran out, at the next request that may write."""
    acting = session.get(KEY)
    if acting and request.method == "POST" and identity.running(acting) is None:
        stop()
