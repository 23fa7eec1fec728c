"""Links to pages that may not be there: an addon is off, or the actor may not open them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from core.data.scope import actor_or_none


def may_open(endpoint: str) -> bool:
    """Tell whether `endpoint` is mounted and the actor holds one of the permissions it requires."""
    view = current_app.view_functions.get(endpoint)
    if view is None:
        return False
    needed = getattr(view, "tukku_permissions", ())
    actor = actor_or_none()
    return not needed or (actor is not None and any(actor.may(name) for name in needed))


def optional_url(endpoint: str, **values: Any) -> str | None:
    """Return the address of `endpoint`, or None where it is not mounted or the actor may not open it."""
    return url_for(endpoint, **values) if may_open(endpoint) else None


def row_url(endpoint: str, code: str) -> str:
    """Return the address of the page that shows `code`, whatever its view calls it (sku, number); '' where may not be."""
    if not code or not may_open(endpoint):
        return ""
    rule = next(current_app.url_map.iter_rules(endpoint))
    return url_for(endpoint, **dict.fromkeys(rule.arguments, code))


def safe_next(target: str | None, fallback: str) -> str:
    """Return ``target`` if it is the path of a page of this shop that one may GET, else ``fallback``."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return fallback
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or "\\" in target:
        return fallback
    try:
        current_app.url_map.bind("").match(parts.path, method="GET")
    except RequestRedirect:
        return target
    except (NotFound, MethodNotAllowed, HTTPException):
        return fallback
    return target
