"""Tell people: those whose turn it is, and always the person who ordered. Handlers of events, each may run twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import Company, User
from core.api.data import db, write
from core.api.hooks import NotificationKind
from core.api.i18n import translations
from core.api.notifications import Message, address_of, notify, path_of
from core.api.orders import Order
from core.api.ui import instant_text, money_text

from . import amounts, engine, links, reasons, seller, services, timing, voluntary
from .loading import company_for
from .models import Decision
from .services import Pending

_, _l, ngettext, _p = translations(__name__)
WAITS, HELD, BACK, PROGRESS, STUCK, OURS = (
    f"approval_chain.{name}" for name in ("waits", "held", "back", "progress", "stuck", "ours")
)
KINDS = (
    NotificationKind(
        "waits", _l("Order waits for my approval"),
        _l("Somebody of your company ordered, and you are among those who decide; the mail lets you decide at once."),
        "buyer", icon="check-circle", order=40,
    ),
    NotificationKind(
        "held", _l("My order waits for approval"), _l("Who approves what you have just ordered, by when, and why."),
        "buyer", icon="pause-circle", order=41,
    ),
    NotificationKind(
        "back", _l("My order came back"), _l("Who decides on your order asks for a change, or nobody decided in time."),
        "buyer", icon="arrow-right", order=42,
    ),
    NotificationKind(
        "progress", _l("My order gets on"), _l("Somebody approved it, was reminded, or it was passed on."),
        "buyer", mail="none", icon="check-circle", order=43,
    ),
    NotificationKind(
        "stuck", _l("Order that nobody of the company may approve"), _l("You look after the company; release the hold."),
        "staff", icon="person-badge", order=30,
    ),
    NotificationKind(
        "ours", _l("Order waits for the seller's approval"), _l("A rule of the seller asks you to approve it."),
        "staff", icon="check-circle", order=31,
    ),
)  # fmt: skip


def tell_approvers(payload: dict[str, Any]) -> None:
    """Tell those whose turn it is, and who ordered; for ``hold.added``."""
    if payload["owner"] != services.OWNER:
        return
    if payload.get("code") == seller.CODE:
        tell_sellers(payload["number"])
    else:
        tell(payload["number"])
        _tell_who_ordered(payload["number"])


def _tell_who_ordered(number: str) -> None:
    """Tell who ordered whom the order waits for, by when, and why: the words of the cart's preview."""
    one = _found(number)
    who = services.orderer(one.order, one.approval) if one else None
    if one is None or not who or one.approval.state != "waiting" or not services.held(one.order):
        return
    order, asked, approval = one.order, one.flow.plan.requirements, one.approval

    def compose() -> Message:
        turns = [
            _("Turn %(count)s: %(who)s", count=turn.number, who=turn.who) + f"\n{turn.why}"
            if turn.number
            else f"{turn.who}\n{turn.why}"
            for turn in reasons.turns(asked)
        ]
        parts = [_("This order waits for the approval of:"), *turns, timing.expected(approval)]
        subject = _("Your order %(number)s waits for approval", number=order.number)
        return Message(subject, "\n\n".join(filter(None, parts)), path_of("orders.order", number=order.number))

    with amounts.told_to(who, order.company_id):
        notify(HELD, [who], compose, key=f"order:{order.id}")


def tell_sellers_again(payload: dict[str, Any]) -> None:
    """Tell those whose turn it is next; for ``approval.seller_decided``."""
    tell_sellers(payload["number"])


def tell_sellers(number: str) -> None:
    """Tell those of the seller's staff who may decide on the order now, each once a turn and version of it."""
    for one in seller.waiting(number):
        order = one.order

        def compose(order: Order = order) -> Message:
            values = {
                "name": order.user_name,
                "total": money_text(order.without_tax, order.currency),
                "number": order.number,
            }
            subject = _("%(name)s ordered for %(total)s: %(number)s waits for us", **values)
            text = _("The rules of the seller ask for your approval.")
            return Message(subject, text, path_of("approval_chain_admin.seller_approvals"))

        people = [int(p) for p in one.flow.eligible() if p != engine.SELLER]
        notify(OURS, people, compose, key=f"seller:{order.id}:{order.digest[:12]}:{one.flow.tier}")


def tell_of_decision(payload: dict[str, Any]) -> None:
    """Tell who ordered what was decided, and those whose turn it is now; for ``approval.decided``."""
    one, decision = _found(payload["number"]), db.session.get(Decision, payload["decision_id"])
    if one is None or decision is None:
        return
    number, comment, name = payload["number"], decision.comment, decision.user_name
    who = services.orderer(one.order, one.approval)
    url = path_of("approval_chain.mine", number=number)
    if decision.outcome == "returned" and who:
        smaller, ask = (
            _l("%(name)s proposes a smaller order %(number)s"),
            _l("%(name)s asks you to change the order %(number)s"),
        )
        subject = smaller if decision.proposed else ask
        text = _l("%(comment)s\n\nOpen the order to accept what is proposed, change it, or cancel it.")
        values = {"name": name, "number": number, "comment": comment}
        notify(BACK, [who], lambda: Message(str(subject) % values, str(text) % values, url), key=f"decision:{decision.id}")
    elif decision.outcome == "approved" and who:
        notify(
            PROGRESS, [who],
            lambda: Message(_("%(name)s approved your order %(number)s", name=name, number=number), comment, url),
            key=f"decision:{decision.id}",
        )  # fmt: skip
    tell(number)


def tell_again(payload: dict[str, Any]) -> None:
    """Tell those who decide that an order came again; for ``approval.sent_again``."""
    tell(payload["number"])
    tell_sellers(payload["number"])


def tell_of_time(payload: dict[str, Any]) -> None:
    """Tell of a reminder, of passing on, or that time is over; for ``approval.timed``."""
    number, what = payload["number"], payload["what"]
    one = _found(number)
    if one is None:
        return
    order, who = one.order, services.orderer(one.order, one.approval)
    url, key = path_of("approval_chain.mine", number=number), f"order:{order.id}:{what}:{payload['count']}"
    if what == "expired":
        if who:
            subject = _l("Nobody decided in time on your order %(number)s")
            text = _l("Open the order to send it again, change or cancel it.")
            notify(BACK, [who], lambda: Message(str(subject) % {"number": number}, str(text), url), key=key)
        return
    tell(number, again=f":{what}:{payload['count']}")
    said = {"reminded": _l("Those who decide on your order %(number)s were reminded"),
            "escalated": _l("Your order %(number)s was passed on, because nobody decided yet")}[what]  # fmt: skip
    if who:
        notify(PROGRESS, [who], lambda: Message(str(said) % {"number": number}, "", url), key=key)


def tell(number: str, again: str = "") -> None:
    """Tell those who may decide on the order now, each once a round and tier (and ``again``), each with a link of theirs."""
    one = _found(number)
    if one is None or one.approval.state != "waiting" or not services.held(one.order):
        return
    key = f"order:{one.order.id}:{one.approval.round}:{one.flow.tier}{again}"
    people = one.flow.eligible()
    for user_id in (int(p) for p in people if p != engine.SELLER):
        with write() as session, session.begin_nested() as step:
            secret = links.issue(one, user_id)
            if not notify(WAITS, [user_id], lambda secret=secret: _asking(one, secret), key=key):  # type: ignore[misc]
                step.rollback()  # they know already: no second link
    if engine.SELLER in people:
        _tell_staff(one.order, key)


def _asking(one: Pending, secret: str) -> Message:
    order = one.order
    values = {"name": order.user_name, "total": money_text(order.without_tax, order.currency), "number": order.number}
    ends = one.approval.expires_at
    wish = voluntary.of_orders([order.id]).get(order.id)
    parts = [
        _("%(name)s writes: %(text)s", name=order.user_name, text=wish.message) if wish and wish.message else "",
        _("Read the order and decide, without signing in, until it is used or the order changes:"),
        address_of("approval_chain.by_link", secret=secret),
        _("Nobody but you should open it. It decides nothing until you press a button there."),
        _("Please decide by %(at)s.", at=instant_text(ends)) if ends else "",
    ]
    subject = _("%(name)s ordered for %(total)s: %(number)s waits for your approval", **values)
    return Message(subject, "\n\n".join(p for p in parts if p), path_of("approval_chain.decision", number=order.number))


def tell_of_orphan(one: Pending) -> None:
    """Tell the nearest administrators that an order came back to somebody who has left; without any, the seller."""
    order = one.order
    company = company_for(order.company_id, order.currency)
    people = [int(p) for p in engine.climb(company.person(one.flow.requester), company) if p != engine.SELLER]
    key = f"order:{order.id}:orphan:{one.approval.round}:{services.orderer(order, one.approval)}"
    if not people:
        _tell_staff(order, key)
        return

    def compose() -> Message:
        values = {"name": order.user_name, "number": order.number}
        subject = _("%(name)s has left, and the order %(number)s came back to them", **values)
        text = _("Open it to change it and send it again, or cancel it; it is yours then.")
        return Message(subject, text, path_of("approval_chain.mine", number=order.number))

    notify(BACK, people, compose, key=key)


def _tell_staff(order: Order, key: str) -> None:
    company = db.session.get(Company, order.company_id)
    staff: Iterable[int] = [company.sales_rep_id] if company and company.sales_rep_id else _sales()

    def compose() -> Message:
        subject = _("Nobody of %(company)s may approve the order %(number)s", company=company.name if company else "",
                    number=order.number)  # fmt: skip
        return Message(subject, _("Talk to the company and release the hold."),
                       path_of("orders_admin.order", number=order.number))  # fmt: skip

    notify(STUCK, list(staff), compose, key=key)


def _sales() -> list[int]:
    roles = User.staff_roles
    return list(
        db.session.scalars(select(User.id).where(or_(roles.any(role="sales"), roles.any(role="admin")), User.active))
    )


def _found(number: str) -> Pending | None:
    order = db.session.scalar(select(Order).where(Order.number == number))
    return services.pending_of(order) if order is not None else None
