"""The document and its page: what runs here, for programs and for the people who write them."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, json, render_template

from core.restapi.document import KEY, ROOT
from core.ui.access import public

bp = Blueprint("restapi", __name__)


@bp.get(f"{ROOT}/openapi.json")
@public("it says what can be asked, not what the answers are")
def openapi() -> Response:
    """Return the OpenAPI document of core and the enabled addons."""
    body = json.dumps(current_app.extensions[KEY].spec.to_dict(), sort_keys=False)
    return Response(body, mimetype="application/json", headers={"Cache-Control": "no-cache"})


@bp.get(f"{ROOT}/docs")
@public("it shows the document, which is public")
def docs() -> str:
    """Show the document."""
    return render_template("restapi/docs.html")
