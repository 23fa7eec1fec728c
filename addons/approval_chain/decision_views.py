"""The shop's pages of decisions: what waits, one order, many at once, the link of a mail, and what who ordered does."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for

from core.api.hooks import Invalid, NotFound, TukkuError
from core.api.i18n import read_plain, translations
from core.api.orders import lines_of, parse_quantity, preview_amendment
from core.api.ui import public, requires

from . import amounts, asking, deciding, history, links, panels, reasons, services, story, turns, versions
from .deciding import Said
from .flow_models import OUTCOMES
from .permissions import DECIDE
from .views import bp

_, _l, ngettext, _p = translations(__name__)
ORDERING = "orders.order.place"


@bp.get("/approvals/<number>")
@requires(DECIDE)
def decision(number: str) -> Any:
    """Show the order with the buttons; looking decides nothing."""
    return _decision(number)


def _decision(number: str, error: TukkuError | None = None) -> Any:
    one = services.pending(number)
    waits = _waits(one)
    return render_template(
        "approval_chain/decision.html",
        order=one.order,
        centres=panels.borne(one.order),
        lines=lines_of(one.order.id),
        events=story.of(one)[::-1],
        steps=turns.steps(one.flow.open()) if waits else [],
        clock=one.approval if waits else None,
        instead_of=panels.instead_of(one.flow) if waits else "",
        mine=waits and services.may_decide(one.flow),
        denied=waits and one.flow.denied,
        why=reasons.why([one.flow])[0] if waits else "",
        reviewer=asking.reviewer(one) if waits else "",
        form=request.form,
        error=error.message if error else "",
        changes=(error.details or {}).get("changes", ()) if error else (),
    ), error.status if error else 200


def _waits(one: services.Pending) -> bool:
    return one.order.state == "submitted" and one.approval.state == "waiting" and services.held(one.order)


@bp.post("/approvals/<number>")
@requires(DECIDE)
def decide(number: str) -> Any:
    """Take a decision on exactly what was shown."""
    outcome = request.form.get("outcome", "")
    try:
        if outcome not in OUTCOMES:
            raise Invalid("APPROVAL-OUTCOME", _("Choose whether you approve the order, reject it or send it back."))
        proposed = quantities() if outcome == "returned" else None
        said = Said(outcome, request.form.get("digest", ""), request.form.get("comment", ""), proposed)
        flow = deciding.decide(number, said)
    except TukkuError as error:
        if error.status == 404:
            raise
        return _decision(number, error)
    flash(deciding.outcome_text(flow.state), "success")
    return redirect(url_for(".inbox_page"), 303)


def quantities() -> dict[int, Decimal]:
    """Return the quantities of the form's lines by position, 0 for those to drop; those left empty stay as they are."""
    typed = {name[9:]: text for name, text in request.form.items() if name.startswith("quantity-") and text.strip()}
    return {int(position): parse_quantity(text, zero=True) for position, text in typed.items() if position.isdecimal()}


@bp.route("/my-orders/<number>", methods=["GET", "POST"])
@requires(ORDERING)
def mine(number: str) -> Any:
    """Let who ordered see where it stands, take a proposal, change the order and send it again."""
    error, shown = None, None
    if request.method == "POST":
        try:
            shown = _changed(number)
        except TukkuError as refused:
            if refused.status == 404:
                raise
            error = refused
        else:
            if shown is None:
                return redirect(url_for(".mine", number=number), 303)
    return _mine(number, error, shown)


@bp.post("/my-orders/<number>/references")
@requires(ORDERING)
def change_references(number: str) -> Any:
    """Change purchase order number and message of an order that waits."""
    values = {name: request.form.get(name, "") for name in versions.REFERENCES}
    try:
        deciding.change_references(number, values, request.form.get("digest", ""))
    except TukkuError as refused:
        if refused.status == 404:
            raise
        return _mine(number, refused, None)
    flash(_("The order is changed."), "success")
    return redirect(url_for(".mine", number=number), 303)


def _changed(number: str) -> Any:
    """Send the order again as the form says, or return what it would be, to be looked at first."""
    one, asked, digest = services.pending(number), quantities(), request.form.get("digest", "")
    lines = {line.position: line.quantity for line in lines_of(one.order.id)}
    asked = {p: q for p, q in asked.items() if lines.get(p) != q}
    if asked and "total" not in request.form:
        return preview_amendment(one.order, asked)
    total = read_plain(request.form["total"]) if asked and request.form["total"] else None
    flow = deciding.send_again(number, asked, digest, total)
    waits = flow.state == "waiting"
    flash(_("The order waits for approval again.") if waits else deciding.outcome_text(flow.state), "success")
    return None


def _mine(number: str, error: TukkuError | None, shown: Any) -> Any:
    one = services.pending(number)
    if not services.may_change(one):
        raise NotFound("ORDER-NOT-FOUND", _("You have not placed an order %(number)s.", number=number[:40]))
    back = one.approval.state == "returned"
    proposed = deciding.proposal_of(one) if back else {}
    return render_template(
        "approval_chain/mine.html",
        order=one.order,
        lines=lines_of(one.order.id),
        events=story.of(one)[::-1],
        steps=turns.steps(one.flow.open()) if _waits(one) else [],
        clock=one.approval if _waits(one) else None,
        reviewer=asking.reviewer(one),
        askable=asking.choices(one) if _waits(one) else [],
        assigned=asking.assigned_code(one),
        withdrawable=_waits(one) and asking.may_withdraw(one),
        back=back,
        left=bool(one.order.user_id) and not services.orderer_is_there(one.order, one.approval),
        proposed=proposed,
        changeable=back or _waits(one),
        references=(back or _waits(one)) and one.flow.policy.references_free,
        shown=shown,
        priced=amounts.shown(),
        asked=quantities() if shown else proposed,
        error=error.message if error else "",
        changes=(error.details or {}).get("changes", ()) if error else (),
    ), error.status if error else 200


@bp.get("/decide/<secret>")
@public("the link of a mail shows one order to the person it was sent to; it decides nothing")
def by_link(secret: str) -> Any:
    """Show the order of a link."""
    return _by_link(secret, "")


def _by_link(secret: str, error: str, status: int = 200) -> Any:
    with links.opened(secret) as (link, number):
        one = services.pending(number)
        fits = (link.digest, link.round) == (one.order.digest, one.approval.round)
        mine = fits and _waits(one) and services.may_decide(one.flow)
        answer = render_template(
            "approval_chain/by_link.html",
            order=one.order,
            # who no longer decides has no right to look: the link was sent for this version and this decision
            lines=lines_of(one.order.id) if mine else [],
            mine=mine,
            denied=one.flow.denied,
            events=story.of(one)[::-1] if mine else [],
            centres=panels.borne(one.order) if mine else {},
            why=reasons.why([one.flow])[0] if mine else "",
            changed=not fits,
            error=error,
        )
    return answer, status, {"Cache-Control": "no-store"}


@bp.post("/decide/<secret>")
@public("whoever holds the link of a mail decides in the name of the person it was sent to, once")
def decide_by_link(secret: str) -> Any:
    """Take the decision of a link."""
    outcome = request.form.get("outcome", "")
    if outcome not in ("approved", "rejected"):
        return _by_link(secret, _("Choose whether you approve or reject the order."), 422)
    try:
        with links.opened(secret) as (link, number):  # thanked in the person's language, too
            flow = links.decide(link, number, outcome, request.form.get("comment", ""))
            answer = render_template("approval_chain/by_link.html", done=deciding.outcome_text(flow.state))
    except TukkuError as refused:
        if refused.status == 404:
            raise
        return _by_link(secret, str(refused.message), refused.status)
    return answer, 200, {"Cache-Control": "no-store"}


@bp.get("/approvals/<number>/history.pdf")
@requires("orders.order.view", "orders.desk.view")
def history_pdf(number: str) -> Any:
    """Download who decided what and when, as PDF."""
    document = history.document(services.pending(number))
    response = send_file(io.BytesIO(document.content), document.type, as_attachment=True, download_name=document.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
