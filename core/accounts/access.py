"""The gate in front of every view: what it declares against what the actor holds; and where a visitor may be sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, abort, current_app, redirect, request, url_for
from flask_wtf.csrf import CSRFError

from core.accounts import identity, unsent
from core.data.scope import current_actor
from core.i18n import _
from core.spec.errors import Forbidden, TukkuError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ENROLMENT = frozenset(
    {
        "accounts.prove",
        "accounts.second_factor",
        "accounts.second_factor_begin",
        "accounts.second_factor_confirm",
    }
)


def enforce() -> Response | None:
    """Let the request through, send a visitor to the sign-in page, or refuse."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or hasattr(view, "tukku_public"):
        return None
    who = identity.current()
    if who.must_enrol:
        return None if request.endpoint in _ENROLMENT else _go(url_for("accounts.second_factor"))
    needed = getattr(view, "tukku_permissions", ())
    actor = current_actor()
    if any(actor.may(name) for name in needed):
        return None
    if who.person is None and not who.by_key:
        return _ask_to_sign_in()
    raise Forbidden(
        "NOT-ALLOWED",
        _("Your role does not include this. If you need it for your work, ask an administrator for it."),
        details={"permissions": list(needed)},
    )


def _ask_to_sign_in() -> Response:
    if request.path.startswith("/api/"):
        abort(401)
    if request.method not in _SAFE:
        url = url_for("accounts.login", next=unsent.page() or None)
        return unsent.led_to(url, _("You are not signed in now, so nothing was sent. Sign in, then send it again."))
    target = request.full_path.rstrip("?")
    return _go(url_for("accounts.login", next=target) if target.strip("/") else url_for("accounts.login"))


def _go(url: str) -> Response:
    """Redirect; htmx swaps whole pages only when told so."""
    if request.headers.get("HX-Request"):
        return Response("", 204, {"HX-Redirect": url})
    return redirect(url, 303)  # type: ignore[return-value]


def check_token() -> Response | None:
    """Refuse a form whose token is not the session's; one from a page of ours, made for an earlier session, is led back."""
    try:
        current_app.extensions["csrf"].protect(apply_exemptions=True)
    except CSRFError:
        back = unsent.page() if identity.current().person is not None else ""
        if not back:
            raise
        return unsent.led_to(
            back,
            _(
                "You signed in anew or changed the company in another window, so nothing was sent. "
                "Check what this page shows now, then send it again."
            ),
        )
    return None


def refuse_cross_site() -> None:
    """Refuse a change that another site asked the browser to send, by what the browser says of it."""
    if request.method in _SAFE or request.path.startswith("/api/"):
        return
    origin = request.headers.get("Origin", "")
    own = (request.host, urlsplit(current_app.extensions["tukku.config"].url).netloc)
    foreign = bool(origin) and urlsplit(origin).netloc not in own
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise TukkuError("CROSS-SITE", _("The request came from another site and was not carried out."), status=403)
