"""Limits on guessing, kept as rows, so that they hold across processes and restarts."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from core.accounts.models import Attempt
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.i18n import ngettext
from core.spec.errors import TukkuError

WINDOW = timedelta(minutes=5)
LIMITS = {"login": 10, "second": 5, "reset": 5, "password": 5, "invitation": 20, "guest_order": 10}
#: What is counted for a person as well; the address of a network, which a whole office shares, gets so many times the limit.
_PERSONAL, _SHARED = frozenset({"login", "second", "reset"}), 5
_KEPT = timedelta(days=1)


class TooMany(TukkuError):
    """Too many attempts; nothing was tried."""

    status = 429

    def __init__(self) -> None:
        minutes = int(WINDOW.total_seconds() // 60)
        super().__init__(
            "TOO-MANY-ATTEMPTS",
            ngettext(
                "Too many attempts. Wait %(count)s minute and try again.",
                "Too many attempts. Wait %(count)s minutes and try again.",
                minutes,
            ),
        )


def check(kind: str, *keys: str) -> None:
    """Raise TooMany when one of ``keys`` has used up the limit of ``kind`` within the window."""
    wanted = [key[:120] for key in keys if key]
    counts = db.session.execute(
        select(Attempt.key, func.count())
        .where(Attempt.kind == kind, Attempt.key.in_(wanted), Attempt.at > clock.now() - WINDOW)
        .group_by(Attempt.key)
    )
    if any(count >= _limit(kind, key) for key, count in counts):
        raise TooMany


def _limit(kind: str, key: str) -> int:
    shared = kind in _PERSONAL and key.startswith("address:")
    return LIMITS[kind] * (_SHARED if shared else 1)


def count(kind: str, *keys: str) -> None:
    """Note an attempt under each of ``keys``."""
    with write():
        db.session.add_all(Attempt(kind=kind, key=key[:120], at=clock.now()) for key in keys if key)


def forget(kind: str, key: str) -> None:
    """Start the count of ``key`` again, after a success."""
    with write():
        db.session.execute(delete(Attempt).where(Attempt.kind == kind, Attempt.key == key[:120]))


def prune() -> None:
    """Remove attempts that no limit looks at any more."""
    with write():
        db.session.execute(delete(Attempt).where(Attempt.at < clock.now() - _KEPT))
