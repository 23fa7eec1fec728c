"""A form that came after its session had ended, or that was made for another one: nothing is done, and nothing need be lost.

The reader is led back to the page of the form, over the sign-in page where need be. A cookie tells the page's script that
what it kept of the form in this tab was not taken; it fills it in again (core/static/tukku.js).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, current_app, flash, redirect, request

from core.ui.links import safe_next

COOKIE = "unsent"
KEPT = 3600  # seconds


def page() -> str:
    """Return the path of the page from which the request was sent, '' where it is none of ours that one may GET."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host:
        return ""
    return safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path, "")


def led_to(url: str, message: str) -> Response:
    """Answer a form that was not taken: say so on the page at ``url``."""
    flash(message, "warning")
    if request.headers.get("HX-Request"):
        answer = Response("", 204, {"HX-Redirect": url})
    else:
        answer = redirect(url, 303)  # type: ignore[assignment]
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(COOKIE, "1", max_age=KEPT, path="/", secure=secure, samesite="Lax")
    return answer
