"""The shop's pages of the inbox: its lists, and decisions on many orders at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.api.hooks import Action, Invalid, NotFound
from core.api.i18n import translations
from core.api.ui import Empty, listed_codes, requires, show_list

from . import bulk, inbox
from .centre_views import bp
from .permissions import DECIDE

_, _l, ngettext, _p = translations(__name__)
ORDERING = "orders.order.place"
SHOWN = 25
CHOSEN = Action("decide", inbox.KEY, _l("Decide on these"), "approval_chain.choose", DECIDE, "check-circle")


@bp.get("/approvals", defaults={"tab": ""})
@bp.get("/approvals/list/<tab>")
@requires(DECIDE, ORDERING)
def inbox_page(tab: str) -> Any:
    """List what waits for the reader, what came back to them, or what was decided; or answer with the file."""
    found = inbox.tabs()
    one = _tab(found, tab)
    values: dict[str, Any] = {"tabs": inbox.links(found, one.key), "tab": one}
    if one.key == "past":
        empty = Empty(_("Nothing decided yet"), _("What you approve, reject or send back stands here."), "clock-history")
        return show_list(inbox.PAST, "approval_chain/inbox.html", empty=empty, everything="", **values)
    resource = inbox.waiting_list(one)
    empty = Empty(*_nothing(one.key), "check-circle")
    query = request.query_string.decode()
    everything = url_for(".choose_all", tab=one.key) + ("?" + query if query else "") if one.deciding else ""
    actions = (CHOSEN,) if one.deciding else ()
    return show_list(
        resource, "approval_chain/inbox.html", actions=actions, empty=empty, everything=everything, **values
    )  # fmt: skip


def _tab(found: dict[str, inbox.Tab], key: str) -> inbox.Tab:
    if not key:
        return next(iter(found.values()))
    if key not in found:
        raise NotFound("APPROVAL-LIST", _("There is no such list of approvals, or you may not see it."))
    return found[key]


def _nothing(key: str) -> tuple[str, str]:
    if key == "ordered":
        return (
            _("None of your orders waits"),
            _("An order of yours that somebody has to approve stands here until it is decided."),
        )
    return (
        _("Nothing waits for you"),
        _("When somebody orders what you have to approve, it stands here and you get a message."),
    )


@bp.post("/approvals/choose")
@requires(DECIDE)
def choose() -> Any:
    """Show the chosen orders, to decide on all of them."""
    return _chosen(request.form.getlist("code")[: bulk.MOST])


@bp.get("/approvals/list/<tab>/choose")
@requires(DECIDE)
def choose_all(tab: str) -> Any:
    """Show everything that a list shows under its filters, to decide on all of it."""
    one = _tab(inbox.tabs(), tab)
    if not one.deciding:
        raise NotFound("APPROVAL-LIST", _("There is no such list of approvals, or you may not see it."))
    numbers = listed_codes(inbox.waiting_list(one), most=bulk.MOST)
    return _chosen(numbers[: bulk.MOST], more=len(numbers) > bulk.MOST)


def _chosen(numbers: Sequence[str], *, more: bool = False, error: Invalid | None = None, comment: str = "") -> Any:
    """Ask what becomes of orders, each bound to what it is now; those that wait for somebody else are told and left out."""
    wanted = set(numbers)
    seen = [s for s in inbox.standing() if s.one.order.number in wanted]
    rows = [s.one.order for s in seen if s.able]
    if not rows:
        flash(_("Choose orders that wait for you."), "error")
        return redirect(url_for(".inbox_page"), 303)
    totals: dict[str, Any] = {}
    for order in rows:
        totals[order.currency] = totals.get(order.currency, 0) + order.net + order.charges_net
    page = render_template(
        "approval_chain/choose.html",
        rows=rows[:SHOWN],
        count=len(rows),
        left_out=len(wanted) - len(rows),
        totals=totals,
        more=more,
        most=bulk.MOST,
        orders=" ".join(f"{order.number} {order.digest}" for order in rows),
        error=error.message if error else "",
        comment=comment,
    )
    return page, error.status if error else 200


@bp.post("/approvals/many")
@requires(DECIDE)
def decide_many() -> Any:
    """Decide on the orders that were shown, each by itself."""
    words = request.form.get("orders", "").split()
    orders = list(zip(words[::2], words[1::2], strict=False))
    comment = request.form.get("comment", "")
    try:
        made = bulk.start(request.form.get("outcome", ""), comment, orders)
    except Invalid as error:
        return _chosen([number for number, _digest in orders], error=error, comment=comment)
    return redirect(url_for(".many", code=made.code), 303)


@bp.get("/approvals/many/<code>")
@requires(DECIDE)
def many(code: str) -> Any:
    """Show what became of each of many orders, and how far it is while a job decides."""
    row = bulk.find(code)
    done, refused = bulk.counts(row.results)
    values = {
        "row": row, "done": done, "refused": refused, "total": len(row.orders),
        # what went wrong is what is to be looked at
        "results": sorted(row.results, key=lambda result: result[2] == "done"),
    }  # fmt: skip
    part = request.headers.get("HX-Request") == "true"
    return render_template("approval_chain/_many.html" if part else "approval_chain/many.html", **values)
