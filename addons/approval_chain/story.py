"""What happened to an approval, oldest first: decisions, and what time and who ordered did in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from core.api.data import AuditEntry, db
from core.api.i18n import translations

from . import services, voluntary
from .models import Decision
from .services import OWNER, Pending

_, _l, ngettext, _p = translations(__name__)
DECIDED = {
    "approved": (_l("Approved"), "check-circle"),
    "rejected": (_l("Rejected"), "x-circle"),
    "returned": (_l("Sent back"), "arrow-right"),
}
#: By the action that the audit keeps.
HAPPENED = {
    "approval reminded": (_l("Reminded"), "bell"),
    "approval escalated": (_l("Passed on to the administrators above"), "arrow-right"),
    "approval expired": (_l("Nobody decided in time"), "clock"),
    "approval asked again": (_l("Asked again"), "send"),
    "approval taken over": (_l("Taken over"), "person-badge"),
    "approval request withdrawn": (_l("Asked no more for an approval"), "x-circle"),
}
BY_SOMEBODY = ("approval asked again", "approval taken over", "approval request withdrawn")


def of(one: Pending) -> list[dict[str, Any]]:
    """Return what happened, the oldest first; ``digest`` is that of the version that was decided on."""
    found = [*_wished(one), *_decisions(services.decisions_of([one.approval.id])), *_between(one.order.number or "")]
    return sorted(found, key=lambda event: event["at"])


def _wished(one: Pending) -> list[dict[str, Any]]:
    """Return that who ordered asked for an approval that no rule requires, and what they said."""
    wish = voluntary.of_orders([one.order.id]).get(one.order.id)
    if wish is None:
        return []
    return [
        {
            "text": _("Asked for approval"), "icon": "send", "who": one.order.user_name, "note": wish.message,
            "at": one.approval.created_at, "digest": "",
        }
    ]  # fmt: skip


def _decisions(rows: Sequence[Decision]) -> list[dict[str, Any]]:
    return [
        {
            "text": _("Smaller order proposed") if d.proposed and d.outcome == "returned" else str(DECIDED[d.outcome][0]),
            "icon": DECIDED[d.outcome][1],
            "who": _("%(other)s for %(name)s", other=d.user_name, name=d.for_name) if d.for_name else d.user_name,
            "at": d.at,
            "note": _note(d),
            "digest": d.digest,
        }
        for d in rows
    ]


def _note(decision: Decision) -> str:
    """Return what goes with a decision: its comment, or how it came about."""
    how = {"proposal": _("As proposed"), "mail": _("By mail")}.get(decision.through, "")
    return " · ".join(filter(None, (how, decision.comment if decision.through != "proposal" else "")))


def _between(number: str) -> list[dict[str, Any]]:
    """Return reminders, passing on and the end, which the clock did, and that who ordered asked again."""
    query = select(AuditEntry).where(AuditEntry.entity == "order", AuditEntry.entity_id == number, AuditEntry.addon == OWNER)
    rows = db.session.scalars(query.where(AuditEntry.action.in_(HAPPENED)).order_by(AuditEntry.id))
    return [
        {
            "text": str(HAPPENED[row.action][0]),
            "icon": HAPPENED[row.action][1],
            "who": row.actor if row.action in BY_SOMEBODY else "",
            "at": row.at,
            "note": "",
            "digest": "",
        }
        for row in rows
    ]
