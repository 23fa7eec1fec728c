"""Save, change and delete views of lists; every answer leads back to the list, with what it showed still in the address."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from core.i18n import _
from core.spec.errors import Invalid, TukkuError
from core.ui import saved
from core.ui.access import requires
from core.ui.links import safe_next
from core.ui.saved import OWN, PASSING

bp = Blueprint("list_views", __name__)
_LIST = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


@bp.post("/save")
@requires(OWN)
def save() -> Response:
    """Save what the list shows: as a new view, or as a change of the view in ``code``."""
    code, pairs = request.form.get("code", ""), _asked()
    code = "" if request.form.get("as") == "new" else code
    flags = {name: name in request.form for name in ("shared", "first")}
    try:
        view = saved.save(_list(), request.form.get("name", ""), pairs, code=code, **flags)
    except TukkuError as error:
        flash(str(error.message), "error")
        return _back(pairs, request.form.get("code", ""))
    said = (
        _("The view “%(name)s” is changed.", name=view.name) if code else _("The view “%(name)s” is saved.", name=view.name)
    )
    flash(said, "success")
    return _back(view.params, view.code)


@bp.post("/first")
@requires(OWN)
def first() -> Response:
    """Let the list open with a view, or no longer."""
    code, wanted = request.form.get("code", ""), request.form.get("first") == "1"
    try:
        saved.open_with(code, wanted)
    except TukkuError as error:
        flash(str(error.message), "error")
    else:
        flash(_("The list opens with this view now.") if wanted else _("The list opens with all rows again."), "success")
    return _back(_asked(), code)


@bp.post("/delete")
@requires(OWN)
def delete() -> Response:
    """Delete a view; what it showed stays on the screen, so that it can be saved again."""
    try:
        name = saved.delete_view(request.form.get("code", ""))
    except TukkuError as error:
        flash(str(error.message), "error")
        return _back(_asked(), request.form.get("code", ""))
    flash(
        _("The view “%(name)s” is deleted. What it showed is still here: save it again if you miss it.", name=name),
        "success",
    )
    return _back(_asked(), saved.ALL)


def _list() -> str:
    key = request.form.get("list", "")
    if len(key) > 80 or not _LIST.fullmatch(key):
        raise Invalid("VIEW-LIST", _("There is no such list."))
    return key


def _asked() -> saved.Pairs:
    """Return what the list showed, from the query that the form carries."""
    try:
        return saved.kept(parse_qsl(request.form.get("query", ""), max_num_fields=2 * saved.MOST_PAIRS))
    except ValueError:
        return ()


def _back(pairs: saved.Pairs, code: str) -> Response:
    path = safe_next(request.form.get("path"), "/").partition("?")[0]
    query = [*((k, v) for k, v in pairs if k not in PASSING), *([("view", code)] if code else [])]
    return redirect(f"{path}?{urlencode(query)}" if query else path, 303)  # type: ignore[return-value]
