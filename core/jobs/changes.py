"""Prepared changes: what waits beside a thing until somebody has seen whom it touches; published at once or on its day.

Price contracts and assortments keep theirs as rows of their own, with what the change is of and what it does; what all have
in common, and what may be done with one when, is here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import String, Text, inspect
from sqlalchemy.orm import Mapped, mapped_column

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.types import Json
from core.i18n import _
from core.jobs.services import enqueue
from core.spec.errors import Conflict


class PreparedChange:
    """The columns of a prepared change, for a mapped class that adds ``id``, ``version`` and what the change does.

    ``number`` counts within what is changed. ``state`` is open, scheduled (until ``starts``), published, undone or
    withdrawn; a class may have more. ``effect``: whom it touches, as worked out last. ``refused``: why a job could not do
    its part.
    """

    id: Any
    version: Any
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="open")
    starts: Mapped[datetime | None]
    effect: Mapped[dict[str, Any] | None] = mapped_column(Json)
    refused: Mapped[str] = mapped_column(Text, default="")
    prepared_by: Mapped[str] = mapped_column(String(200))
    prepared_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(200), default="")
    published_at: Mapped[datetime | None]


Of = TypeVar("Of", bound=PreparedChange)


def open_(change: Of) -> Of:
    """Return the change; Conflict where it is not open any more."""
    if change.state != "open":
        raise Conflict("CHANGE-STATE", _("This change is no longer open."))
    return change


def published(change: Of) -> Of:
    """Return the change; Conflict where it is not published, so that there is nothing to undo."""
    if change.state != "published":
        raise Conflict("CHANGE-STATE", _("Only a published change can be undone."))
    return change


def current(change: Of, version: int) -> Of:
    """Return the change as it is now; Conflict where somebody has worked on it since ``version``. Inside ``write()``."""
    key: Any = inspect(change)  # its columns cannot be read any more where somebody deleted it
    found = db.session.get(type(change), key.identity, populate_existing=True)
    if found is None or found.version != version:
        raise Conflict("CHANGE-CHANGED", _("Somebody else has worked on this change meanwhile. Look at it again."))
    return found


def schedule(change: PreparedChange, starts: datetime, job: str) -> None:
    """Let a job publish the change on its day: it is called with ``{"change": id}`` and asks `due`. Inside ``write()``."""
    change.state, change.starts = "scheduled", starts
    change.published_by, change.published_at = current_actor().name, clock.now()
    enqueue(job, {"change": change.id}, run_at=starts)


def due(model: type[Of], change_id: int) -> Of | None:
    """Return a scheduled change whose time has come; None where it was withdrawn or moved, or the job runs once more."""
    change = db.session.get(model, change_id, populate_existing=True)
    if change is None or change.state != "scheduled" or (change.starts and change.starts > clock.now()):
        return None
    return change


def done(change: PreparedChange) -> None:
    """Note that the change holds now; of a scheduled one whoever scheduled it published it. Inside ``write()``."""
    by = change.published_by if change.state == "scheduled" else current_actor().name
    change.state, change.published_by, change.published_at, change.refused = "published", by, clock.now(), ""


def reopen(change: PreparedChange, why: str) -> None:
    """Let the change be open again, and say why it could not be published. Inside ``write()``."""
    change.state, change.published_at, change.published_by, change.starts, change.refused = "open", None, "", None, why


def withdraw(change: Of, version: int) -> Of:
    """Give up an open or scheduled change; it stays in the list. Inside ``write()``."""
    found = current(change, version)
    if found.state != "scheduled":
        open_(found)
    found.state = "withdrawn"
    return found
