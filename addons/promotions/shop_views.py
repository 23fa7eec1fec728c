"""The voucher field of the cart."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for

from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.ui import requires

from . import vouchers

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("promotions", __name__, template_folder="templates")


@bp.post("/cart/voucher")
@requires("orders.order.place")
def enter() -> Any:
    """Enter a voucher for the cart, or take it back (button ``remove``)."""
    if request.form.get("remove"):
        vouchers.take_back()
        flash(_("The voucher is taken back."), "success")
        return redirect(url_for("orders.cart"), 303)
    try:
        code = vouchers.enter(request.form.get("code", ""))
        flash(_("The voucher %(code)s is entered.", code=code), "success")
    except Invalid as refused:
        flash(str(refused.message), "error")
    return redirect(url_for("orders.cart"), 303)
