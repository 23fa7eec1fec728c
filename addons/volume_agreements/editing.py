"""Create and change agreements; what cannot be meant is refused, and what was drawn stays covered."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.catalog import Product, ProductUnit
from core.api.companies import lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.ui import quantity_text

from .models import Agreement, Entry

_, _l, ngettext, _p = translations(__name__)
OWNER = "volume_agreements"
HUNDRED, LIMIT = Decimal(100), Decimal(10**12)
#: What stays as it is once something was drawn: the ledger was written for it.
BOUND = ("company_id", "product_id", "category_id", "unit", "currency")


def by_code(code: str) -> Agreement:
    """Return the agreement with ``code``; NotFound if there is none."""
    found = db.session.scalar(select(Agreement).where(Agreement.code == code))
    if found is None:
        raise NotFound("AGREEMENT-UNKNOWN", _('There is no agreement with the code "%(code)s".', code=code[:40]))
    return found


def save(agreement: Agreement | None, values: Mapping[str, Any], version: int | None = None) -> Agreement:
    """Create or change an agreement; Invalid names the field, Conflict where somebody changed it since ``version``."""
    now = clock.now()
    with write() as session:
        lock_company(values["company_id"])  # orders that draw from it wait, or have been placed
        values = {**values, "unit": _unit(values)}
        check(values)
        if agreement is None:
            if db.session.scalar(select(Agreement.id).where(Agreement.code == values["code"])):
                raise invalid("code", _('There is an agreement with the code "%(code)s" already.', code=values["code"]))
            agreement = Agreement(**values, created_at=now, updated_at=now)
            session.add(agreement)
            before: dict[str, Any] | None = None
        else:
            agreement = session.get(Agreement, agreement.id, populate_existing=True) or agreement
            if version is not None and version != agreement.version:
                text = _("Somebody else has changed this agreement meanwhile. Look at it again, then save.")
                raise Conflict("AGREEMENT-CHANGED", text)
            _covered(agreement, values)
            before = {name: getattr(agreement, name) for name in values}
            for name, value in values.items():
                setattr(agreement, name, value)
            agreement.updated_at = now
        session.flush()
        audit.record(
            "volume agreement", agreement.code, "created" if before is None else "changed",
            company_id=agreement.company_id, before=before, after=dict(values), addon=OWNER,
        )  # fmt: skip
        emit("price.changed", {"source": OWNER, "agreements": [agreement.code]})
    return agreement


def check(values: Mapping[str, Any]) -> None:
    """Refuse what cannot be meant."""
    if (values["product_id"] is None) == (values["category_id"] is None):
        raise invalid("category", _("Name a product or a category, and only one of them."))
    if not 0 < values["quantity"] < LIMIT:
        raise invalid("quantity", _("Write the agreed quantity."))
    if values["kind"] == "percent" and not 0 < values["value"] < HUNDRED:
        raise invalid("value", _("A percent lies above 0 and below 100."))
    if not 0 <= values["value"] < LIMIT:
        raise invalid("value", _("Write the agreed price."))
    if not 0 < values["per"] < LIMIT:
        raise invalid("per", _("A price is for more than nothing."))
    if values["valid_until"] <= values["valid_from"]:
        raise invalid("valid_until", _("The last day is before the first."))


def _unit(values: Mapping[str, Any]) -> str:
    """Return the unit of a product's agreement, its base unit; that of a category's is said."""
    if values["product_id"] is not None:
        return db.session.scalars(select(Product.base_unit).where(Product.id == values["product_id"])).one()
    unit: str = values["unit"]
    if not unit:
        raise invalid("unit", _("Say in which unit the quantity is: the base unit of the category’s products."))
    sold = select(Product.id).where(Product.base_unit == unit).limit(1)
    if db.session.scalar(sold) is None:
        known = db.session.scalar(select(ProductUnit.id).where(ProductUnit.unit == unit).limit(1))
        if known is None:
            raise invalid("unit", _("No product is sold in “%(unit)s”.", unit=unit[:20]))
        raise invalid("unit", _("“%(unit)s” is a package; write the base unit that it holds.", unit=unit[:20]))
    return unit


def _covered(agreement: Agreement, values: Mapping[str, Any]) -> None:
    """Refuse what does not go with the orders that drew from the agreement already."""
    sums = select(func.count(Entry.id), func.sum(Entry.reserved), func.sum(Entry.committed))
    count, reserved, committed = db.session.execute(sums.where(Entry.agreement_id == agreement.id)).one()
    if not count:
        return
    for name in BOUND:
        if values[name] != getattr(agreement, name):
            text = _("Orders have drawn from it: company, product, unit and currency stay. Make another agreement.")
            raise invalid({"company_id": "company", "product_id": "sku", "category_id": "category"}.get(name, name), text)
    if values["quantity"] < reserved + committed:
        used = quantity_text(reserved + committed, agreement.unit)
        raise invalid("quantity", _("%(used)s are ordered already; the agreed quantity cannot be less.", used=used))


def invalid(field: str, message: str) -> Invalid:
    """Return the refusal for a field of the form and the import."""
    return Invalid("AGREEMENT-INVALID", message, details={"field": field})
