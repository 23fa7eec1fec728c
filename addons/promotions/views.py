"""Back-office pages of promotions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for

from core.api.companies import Company, Segment, seller
from core.api.i18n import translations
from core.api.ui import Empty, Field, Resource, View, requires, show_form, show_list

from . import editing
from .forms import KINDS, STATUSES, PromotionForm
from .models import Promotion
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("promotions_admin", __name__, template_folder="templates")


def _source(statement: Any) -> Any:
    return statement.outerjoin(Company, Company.id == Promotion.company_id).outerjoin(
        Segment, Segment.id == Promotion.segment_id
    )


PROMOTIONS = Resource(
    key="promotions.promotions",
    title=_l("Promotions"),
    id=Promotion.id,
    code="code",
    source=_source,
    fields=(
        Field("code", _l("Code"), Promotion.code, "code", search=True),
        Field("name", _l("Name"), Promotion.name, search=True),
        Field("kind", _l("What comes off"), Promotion.kind, choices=lambda: KINDS, show=lambda v: dict(KINDS).get(v, v)),
        Field("value", _l("Percent or amount"), Promotion.value, "number"),
        Field("currency", _l("Currency"), Promotion.currency, shown=False),
        Field("voucher", _l("Voucher"), Promotion.voucher, search=True),
        Field("company", _l("Company"), Company.name, search=True, shown=False, on_card=False),
        Field("segment", _l("Segment"), Segment.code, shown=False, on_card=False),
        Field("status", _l("Status"), Promotion.status, "state", choices=lambda: STATUSES),
        Field("until", _l("Ends"), Promotion.valid_until, "day", on_card=False),
        Field("changed", _l("Changed"), Promotion.updated_at, "instant", shown=False),
    ),
    order="code",
    endpoint="promotions_admin.edit",
    search_label=_l("Find by code, name or voucher"),
    count=lambda number: ngettext("%(count)s promotion", "%(count)s promotions", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("draft", _l("Drafts"), {"status": "draft"}),
        View("ended", _l("Ended"), {"status": "ended"}),
    ),
)


@bp.get("/promotions")
@requires(VIEW)
def promotions() -> Any:
    """List the promotions."""
    empty = Empty(
        _("No promotion yet"),
        _("A promotion takes something off whole orders or adds free articles: by value, by quantity, or by a voucher."),
        "percent",
        _("Add a promotion"),
        url_for(".new"),
    )
    return show_list(PROMOTIONS, "promotions/promotions.html", empty=empty)


@bp.route("/promotions/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Make a promotion."""
    return _edit(PromotionForm(currency=seller().currency), None)


@bp.route("/promotions/<code>", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change a promotion."""
    promotion = editing.by_code(code)
    form = PromotionForm()
    if request.method == "GET":
        form.fill(promotion)
    return _edit(form, promotion)


def _edit(form: PromotionForm, promotion: Promotion | None) -> Any:
    def save() -> Any:
        values = form.values(promotion)
        if promotion is not None:
            values.pop("code")
        editing.save(promotion, values, request.form.get("version", type=int))
        flash(_("The promotion is saved."), "success")
        return redirect(url_for(".promotions"), 303)

    return show_form(form, "promotions/edit.html", save, promotion=promotion)
