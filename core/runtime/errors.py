"""One place turns exceptions into answers: a page for people, problem+json for programs, an incident for staff."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from core.data.db import is_taken, waited_too_long
from core.i18n import _, current_locale
from core.registry.registry import HookFailed, registry
from core.runtime.mounting import BLUEPRINTS, owner_of
from core.spec.errors import TukkuError

LOG = logging.getLogger("tukku")
PAGES = frozenset({400, 403, 404, 409, 413, 422, 429, 500, 503})


def init_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(TukkuError, _tukku_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _server_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(IntegrityError, _taken)
    app.register_error_handler(StaleDataError, _changed_meanwhile)


def _tukku_error(error: TukkuError) -> Response:
    message: object = error.message
    if isinstance(error, HookFailed):
        message = _(
            "A part of the shop failed while this was being done, so it was stopped and nothing was changed. "
            "Try again later; the administrators can see what happened."
        )
    return _answer(error.status, error.code, str(message), error.details)


def _http_error(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error  # a redirect, or an answer made on purpose
    data = getattr(error, "data", None) or {}  # where webargs says which fields are wrong
    errors = data.get("errors") or data.get("messages")
    code = "VALIDATION" if errors else getattr(error, "tukku_code", "")
    message = _("Some of what was sent is not right; “errors” says which members and why.") if errors else ""
    response = _answer(error.code or 500, code, message, {"errors": errors} if errors else {}, str(error.description or ""))
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _database_error(error: OperationalError) -> Response:
    """Tell that a lock could not be had in time, which is nobody's fault; anything else is a fault of the server."""
    if not waited_too_long(error):
        raise error
    message = _("Somebody else is changing the same at this moment, so nothing was changed. Try again.")
    return _answer(503, "BUSY", message, {"retry_after": 2})


def _taken(error: IntegrityError) -> Response:
    """Tell of a row of the same name that came between the look and the save; anything else is a fault of the server."""
    if not is_taken(error):
        raise error
    return _changed_meanwhile(error)


def _changed_meanwhile(error: Exception) -> Response:
    LOG.warning("somebody else was faster", exc_info=error)
    message = _("Somebody else has changed the same at this moment, so nothing was changed. Look at it again.")
    return _answer(409, "CHANGED-MEANWHILE", message, {})


def _server_error(error: InternalServerError) -> Response:
    original = getattr(error, "original_exception", None)
    if original is not None:
        here = registry()
        owner = here.at_fault(_owner(), original)
        here.incidents.record(owner, "request", request.endpoint or "", original, here.generation)
    return _answer(500, "INTERNAL", "", {})


def _owner() -> str:
    """Return the addon or domain whose view was running."""
    return owner_of(current_app.extensions.get(BLUEPRINTS, {}), request.blueprint or "")


def _answer(status: int, code: str, message: str, details: dict[str, Any], technical: str = "") -> Response:
    """Answer; ``technical`` is what a program is told where there is no sentence for people."""
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        return _json(status, code, message or technical, details)
    name = f"errors/{status if status in PAGES else 400 if status < 500 else 500}.html"
    values = {"message": message, "error_code": code, "locale": current_locale()}
    if status >= 500:
        values["incident_id"] = g.get("request_id", "")[:12]
    try:
        page = render_template(name, **values)
    except Exception:  # an error page that fails must not hide what it was to say
        LOG.exception("the error page %s failed", name)
        page = message or code or str(status)
    response = make_response(page, status)
    if message and request.headers.get("HX-Request"):
        response.headers["X-Tukku-Message"] = quote(message)  # htmx swaps no error page in; tukku.js says this instead
    return response


def _json(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
    title = HTTP_STATUS_CODES.get(status, "Error")
    head = {"type": "about:blank", "title": title, "status": status, "code": code or f"HTTP-{status}"}
    body = {**details, **head, "detail": message}
    response = jsonify(body | {"request_id": g.get("request_id", "")})
    response.status_code, response.mimetype = status, "application/problem+json"
    if "retry_after" in details:
        response.headers["Retry-After"] = str(details["retry_after"])
    return response
