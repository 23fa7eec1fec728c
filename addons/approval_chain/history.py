"""The history of an approval as a document: who decided what, when, on what, and in whose place."""

from __future__ import annotations

from pathlib import Path

from core.api.data import clock, db
from core.api.documents import PDF, Document, compile_pdf
from core.api.i18n import current_locale, translations
from core.api.ui import instant_text, money_text

from . import amounts, panels, reasons, story, versions
from .engine import Requirement
from .services import Pending

_, _l, ngettext, _p = translations(__name__)
TEMPLATE = Path(__file__).parent / "typst" / "history.typ"


def document(one: Pending) -> Document:
    """Return the history as PDF in the reader's language; never inside ``write()``."""
    order = one.order
    kept = versions.of([one.approval.id])
    events = [
        [instant_text(e["at"]), str(e["text"]), str(e["who"]), str(e["note"] or ""), e["digest"][:12]] for e in story.of(one)
    ]
    data = {
        "lang": current_locale(),
        "title": _("Approval of the order %(number)s", number=order.number),
        "facts": [
            [_("Ordered by"), order.user_name],
            [_("Ordered"), instant_text(order.submitted_at) if order.submitted_at else "–"],
            *([[_("Without tax"), money_text(order.without_tax, order.currency)]] if amounts.shown() else []),
            [_("State"), str(panels.STATES[_state(one)])],
            [_("Digest"), order.digest],
            *([_("Asked when it was placed"), said] for said in _asked(one)),
        ],
        "columns": [_("When"), _("Decision"), _("Who"), _("Comment"), _("Version")],
        "rows": events,
        "versions_title": _("Versions"),
        "versions": [[instant_text(v.at), digest[:12], _total(v, order.currency)] for (_id, digest), v in kept.items()],
        "nothing": _("Nobody has decided yet."),
    }
    name = _("Approval-%(number)s.pdf", number=order.number)
    db.session.rollback()  # the read is over: no transaction stays open while the document is set
    return Document(name, PDF, compile_pdf(TEMPLATE, data, at=clock.now()))


def _total(version: versions.Version, currency: str) -> str:
    return money_text(versions.without_tax(version.content), currency) if amounts.shown() else ""


def _state(one: Pending) -> str:
    """Return how the approval ended: an order that waits no more was released or cancelled while nobody could note it."""
    if one.approval.state not in ("waiting", "returned") or one.order.state == "submitted":
        return one.approval.state
    return "released" if one.order.state in ("confirmed", "completed") else "withdrawn"


def _asked(one: Pending) -> list[str]:
    """Return who was asked when the order was placed, and why, a sentence for each turn."""
    found = reasons.turns([Requirement(**{**row, "people": tuple(row["people"])}) for row in one.approval.plan])
    return [f"{turn.who} ({turn.why})" for turn in found]
