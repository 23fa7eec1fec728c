"""A person's own notifications, and the choice of how to be told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.accounts import identity
from core.i18n import _, ngettext
from core.notifications import kinds, services
from core.notifications.kinds import Way
from core.ui.access import requires
from core.ui.links import safe_next

bp = Blueprint("notifications", __name__)
OWN = "accounts.profile.edit"
PAGE = 30


@bp.get("/")
@requires(OWN)
def inbox() -> str:
    """List the person's notifications, newest first; a page begins below the id ``before``."""
    unread = request.args.get("show") == "unread"
    rows = services.page_of(_me().id, before=request.args.get("before", None, int), unread=unread, limit=PAGE + 1)
    known = kinds.all_kinds()
    return render_template(
        "notifications/inbox.html",
        rows=rows[:PAGE],
        icons={row.id: known[row.kind].icon if row.kind in known else "bell" for row in rows},
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        unread=unread,
        count=_me().unread,
        office=_me().is_staff,
    )


@bp.post("/<int:number>/open")
@requires(OWN)
def open_one(number: int) -> Response:
    """Mark one as read and go to what it speaks of."""
    row = services.own(_me().id, number)
    if row is None:
        abort(404)
    target = safe_next(row.url, url_for("notifications.inbox"))
    services.mark_read(_me().id, [number])
    return redirect(target, 303)  # type: ignore[return-value]


@bp.post("/read")
@requires(OWN)
def read_all() -> Response:
    """Mark all as read."""
    marked = services.mark_read(_me().id)
    flash(ngettext("%(count)s notification is read now.", "%(count)s notifications are read now.", marked), "success")
    return redirect(url_for("notifications.inbox"), 303)  # type: ignore[return-value]


@bp.route("/choices", methods=["GET", "POST"])
@requires(OWN)
def choices() -> Any:
    """Show and save how the person wants to be told of each kind."""
    me = _me()
    known = kinds.kinds_for(me.is_staff)
    if request.method == "POST":
        wanted = {name: Way(request.form.get(f"{name}:mail", ""), f"{name}:in_app" in request.form) for name in known}
        if any(way.mail not in kinds.MAIL for way in wanted.values()):
            abort(400)
        changed = kinds.choose(me.id, wanted)
        flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
        return redirect(url_for("notifications.choices"), 303)
    return render_template(
        "notifications/choices.html", kinds=known, chosen=kinds.choices_of(me.id, known), office=me.is_staff
    )


def _me() -> identity.Person:
    person = identity.current().person
    if person is None:
        abort(403)
    return person
