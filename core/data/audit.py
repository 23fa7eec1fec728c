"""Write the audit trail: who did what to which thing, in the same transaction as the deed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import g, has_app_context
from sqlalchemy import insert

from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import current_actor


def record(
    entity: str,
    entity_id: object,
    action: str,
    *,
    company_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    addon: str = "",
) -> None:
    """Add one audit row to the current ``write()`` block.

    ``entity`` is a noun ("order"), ``entity_id`` its public code, ``action`` a past participle ("confirmed").
    ``before`` and ``after`` hold only the fields that the caller allows to be kept.
    """
    db.session.add(AuditEntry(**_values(entity, entity_id, action, company_id, before, after, reason, addon)))


def record_all(
    entity: str,
    entries: Iterable[tuple[object, str, int | None, Mapping[str, Any] | None]],
    *,
    reason: str = "",
    addon: str = "",
) -> None:
    """Add a row for each (id, action, company, after) in one statement, however many there are."""
    rows = [_values(entity, i, action, company_id, None, after, reason, addon) for i, action, company_id, after in entries]
    if rows:
        db.session.execute(insert(AuditEntry), rows)


def _values(
    entity: str,
    entity_id: object,
    action: str,
    company_id: int | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    reason: str,
    addon: str,
) -> dict[str, Any]:
    actor = current_actor()
    return {
        "at": clock.now(),
        "actor_id": actor.user_id,
        "actor": actor.name,
        "on_behalf_of": actor.on_behalf_of,
        "company_id": company_id if company_id is not None else actor.company_id,
        "entity": entity,
        "entity_id": str(entity_id),
        "action": action,
        "reason": reason,
        "before": plain(before),
        "after": plain(after),
        "request_id": g.get("request_id", "") if has_app_context() else "",
        "addon": addon,
    }


def plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return ``values`` with decimals and dates as strings, fit for JSON."""
    if values is None:
        return None
    return {k: str(v) if isinstance(v, Decimal | date | datetime) else v for k, v in values.items()}
