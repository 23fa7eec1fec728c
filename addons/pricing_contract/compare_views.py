"""The page on which two contracts are compared."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.api.data import db
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.ui import requires

from . import editing
from .comparing import differences
from .models import Contract
from .permissions import VIEW

_, _l, ngettext, _p = translations(__name__)
#: Contracts that are offered while one types a code.
OFFERED = 500
bp = Blueprint("pricing_contract_compare", __name__, template_folder="templates")


@bp.get("/contracts/<code>/compare")
@requires(VIEW)
def compare(code: str) -> Any:
    """Ask for another contract, and show what differs."""
    left, other = editing.contract_by_code(code), request.args.get("other", "").strip()
    right = page = None
    if other:
        try:
            right = editing.contract_by_code(other)
        except NotFound as unknown:
            flash(str(unknown.message), "error")
            return redirect(url_for(".compare", code=code), 303)
        page = differences(left, right, request.args.get("page", 1, type=int))
    query = select(Contract.code, Contract.name).where(Contract.id != left.id).order_by(Contract.code).limit(OFFERED)
    return render_template(
        "pricing_contract/compare.html", left=left, right=right, page=page, other=other, others=db.session.execute(query)
    )
