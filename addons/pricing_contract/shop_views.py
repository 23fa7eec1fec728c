"""The buyer's page: what the company's own contracts say."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, or_, select

from core.api.catalog import Product, found_by, product_views, visible_products
from core.api.companies import seller
from core.api.data import current_actor, db
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.pricing import context as price_context
from core.api.pricing import may_see, price_views
from core.api.ui import contains, day_text, requires

from . import rises
from .days import last_day
from .grid import PAGE
from .models import Contract, ContractPrice
from .permissions import OWN
from .views import asked_instant

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract", __name__, template_folder="templates")


@bp.get("/prices")
@requires(OWN)
def own() -> Any:
    """Show the buyer the contracts of its company, and what the products in them cost it today or on another day."""
    asked = request.args.get("on", "").strip()
    try:
        at = asked_instant(asked)
    except (ValueError, Invalid):
        flash(_("“%(text)s” is not a day; write it as 2026-12-31. These are today’s prices.", text=asked), "error")
        return redirect(url_for(".own", q=request.args.get("q") or None))
    where = price_context(at=at)
    at = where.instant
    in_force = (
        Contract.status == "active",
        Contract.valid_from <= at,
        or_(Contract.valid_until.is_(None), Contract.valid_until > at),
        Contract.currency.in_(["", where.currency]),
        or_(Contract.company_id.in_(where.company_ids), Contract.segment_id.in_(where.segment_ids)),
    )
    contracts = db.session.scalars(select(Contract).where(*in_force).order_by(Contract.name, Contract.code)).all()
    wanted = request.args.get("q", "").strip()
    priced = (
        select(Product.id, Product.sku, ContractPrice.unit)
        .join(ContractPrice, ContractPrice.product_id == Product.id)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .where(*in_force, visible_products(), ContractPrice.valid_from <= at)
        .where(or_(ContractPrice.valid_until.is_(None), ContractPrice.valid_until > at))
        .distinct()
    )
    if wanted:
        priced = priced.where(or_(contains(Product.sku, wanted), found_by(wanted)))
    count = db.session.scalar(select(func.count()).select_from(priced.subquery())) or 0
    number = max(1, request.args.get("page", 1, type=int))
    rows = db.session.execute(priced.order_by(Product.sku, ContractPrice.unit).limit(PAGE).offset((number - 1) * PAGE)).all()
    views = product_views({row.id for row in rows})
    pairs = list(dict.fromkeys((row.id, row.unit or views[row.id].base_unit) for row in rows if row.id in views))
    zone = ZoneInfo(seller().zone)
    return render_template(
        "pricing_contract/own.html",
        contracts=contracts,
        contract_facts=[(contract.name, _until(contract, zone)) for contract in contracts],
        pairs=pairs,
        products=views,
        prices=price_views(pairs, where=where, ladder=True) if may_see() else {},
        count=count,
        number=number,
        pages=max(1, -(-count // PAGE)),
        wanted=wanted,
        on=asked,
        day=day_text(date.fromisoformat(asked)) if asked else "",
        rising=rises.count_told(company) if (company := current_actor().company_id) else 0,
    )


@bp.get("/price-rises")
@requires(OWN)
def coming_rises() -> Any:
    """Show the buyer which prices rise soon, as it has been told."""
    company_id = current_actor().company_id
    found = rises.told(company_id) if company_id is not None else []
    products = product_views({one.product_id for one in found})
    return render_template("pricing_contract/rises.html", rises=found, products=products)


def _until(contract: Contract, zone: ZoneInfo) -> str:
    last = last_day(contract.valid_until, zone)
    return _("until %(day)s", day=day_text(last)) if last else _("until further notice")
