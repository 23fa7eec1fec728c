"""Answers with an ETag, and the check of If-Match before a change."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response, request
from werkzeug.exceptions import PreconditionFailed

from core.i18n import _
from core.restapi.lists import asked_version, etag, sparse


def tagged(schema: Any, item: dict[str, Any], version: int, status: int = 200, location: str = "") -> Response:
    """Return an item with its version as ETag; 304 where the caller has it already; ``fields`` chooses members."""
    response = make_response(jsonify(sparse(schema().dump(item), request.args.get("fields", ""))), status)
    response.headers["ETag"] = etag(version)
    if location:
        response.headers["Location"] = location
    return response.make_conditional(request) if request.method == "GET" else response


def not_modified_since(version: int) -> None:
    """Refuse (412) if the caller changes another version than the present one."""
    asked = asked_version()
    if asked is not None and asked != version:
        raise PreconditionFailed(_("Somebody changed it meanwhile; read it again."))
