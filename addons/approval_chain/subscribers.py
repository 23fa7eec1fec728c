"""What follows events, as jobs: people are told, budgets watched, approvals closed and those who approve looked at anew."""

from __future__ import annotations

from core.api.hooks import Subscriber
from core.api.i18n import translations

from . import budget_notices, clockwork, notices, recheck
from .permissions import SELLER_SETUP, SETUP

_, _l, ngettext, _p = translations(__name__)
_CLOSES = _l("Close the approval of an order that ended")
_LOOKS = _l("Look again at who approves, after a change of people or rules")

_TOLD = (
    ("hold.added", "tell_approvers", notices.tell_approvers, _l("Tell whoever approves of an order")),
    ("approval.decided", "tell_of_decision", notices.tell_of_decision, _l("Tell what was decided on an order")),
    ("approval.sent_again", "tell_again", notices.tell_again, _l("Tell that an order was sent again")),
    ("approval.seller_decided", "tell_sellers", notices.tell_sellers_again, _l("Tell staff that an order waits for them")),
    ("approval.timed", "tell_of_time", notices.tell_of_time, _l("Remind of approvals, and tell of those that expired")),
    ("budget.changed", "tell_of_budget", budget_notices.tell, _l("Tell how far a budget is used")),
)
_CHANGES = (
    ("member.changed", recheck.of_member),
    ("user.changed", recheck.of_person),
    ("company.changed", recheck.of_member),
    (SETUP, recheck.of_member),
    (SELLER_SETUP, recheck.of_seller),
)
SUBSCRIBERS = (
    *(Subscriber(event, name, handler, title=title) for event, name, handler, title in _TOLD),
    *(
        Subscriber(event, "close_approval", clockwork.close, title=_CLOSES)
        for event in ("order.cancelled", "order.rejected", "hold.released")
    ),
    *(Subscriber(event, "recheck_approvals", handler, title=_LOOKS) for event, handler in _CHANGES),
)
