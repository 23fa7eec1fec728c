"""Change one product from the back-office: what imports use, with a version check and an audit row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from core.catalog import saving
from core.catalog.models import ItemCode, Product, ProductUnit
from core.catalog.saving import Saved
from core.catalog.search.documents import reindex
from core.catalog.unit_rows import UnitRow, as_values
from core.companies.models import Company
from core.data import audit, clock
from core.data.db import db
from core.i18n import _
from core.spec.errors import Conflict, Invalid

_AUDITED = ("status", "category", "superseded_by", "gtin", "tax_class", "base_unit")


def save_product(row: Mapping[str, Any], units: Sequence[UnitRow], version: int | None) -> int:
    """Create (``version`` None) or change a product with all of its units; returns its id. Call inside ``write()``.

    Raises Conflict where somebody else changed it since, Invalid with the field for what cannot be saved.
    """
    sku = str(row["sku"])
    stored = db.session.execute(select(Product.id, Product.version).where(Product.sku == sku)).one_or_none()
    if version is None and stored is not None:
        raise Invalid("SKU-TAKEN", _("The code “%(sku)s” is taken. Choose another one.", sku=sku), details={"field": "sku"})
    if version is not None and (stored is None or stored.version != version):
        raise Conflict(
            "PRODUCT-CHANGED", _("Somebody else changed this product meanwhile. Open it again and repeat your change.")
        )
    (saved,) = saving.save_products([row])
    _refuse(saved)
    product_id = db.session.scalar(select(Product.id).where(Product.sku == sku)) or 0
    _save_units(product_id, sku, str(row["base_unit"]), units)
    if saved.outcome != "unchanged":
        audit.record("product", sku, saved.outcome, after={name: row.get(name) for name in _AUDITED})
    return product_id


def _save_units(product_id: int, sku: str, base_unit: str, rows: Sequence[UnitRow]) -> None:
    """Make the product's units those of the grid; the base unit always stays."""
    values = as_values(sku, rows)
    kept = {base_unit, *(value["unit"] for value in values)}
    if len(values) != len({value["unit"] for value in values}):
        raise Invalid("UNIT-TWICE", _("A unit stands twice in the grid. Take one of the rows out."))
    for saved in saving.save_units(values):
        _refuse(saved)
    gone = delete(ProductUnit).where(ProductUnit.product_id == product_id, ProductUnit.unit.not_in(kept))
    db.session.execute(gone)
    reindex([product_id])


def _refuse(saved: Saved) -> None:
    if saved.outcome == "error":
        raise Invalid("PRODUCT-REFUSED", saved.message, details={"field": saved.field})


def set_status(skus: Iterable[str], status: str) -> int:
    """Set the status of products; returns how many changed. Call inside ``write()``."""
    changed = db.session.execute(
        select(Product.sku, Product.status).where(Product.sku.in_(list(skus)), Product.status != status)
    ).all()
    db.session.execute(
        update(Product)
        .where(Product.sku.in_([sku for sku, _before in changed]))
        .values(status=status, version=Product.version + 1, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    for sku, before in changed:
        audit.record("product", sku, "updated", before={"status": before}, after={"status": status})
    return len(changed)


def add_item_code(company_code: str, own_code: str, sku: str) -> None:
    """Give a company a code of its own for a product; Invalid names the field. Call inside ``write()``."""
    company_id = _company_id(company_code)
    taken = select(ItemCode.id).where(ItemCode.company_id == company_id, ItemCode.code == own_code)
    if db.session.scalar(taken) is not None:
        message = _(
            "%(company)s uses the code “%(code)s” already. Take the old one away first.", company=company_code, code=own_code
        )
        raise Invalid("ITEM-CODE-TAKEN", message, details={"field": "code"})
    (saved,) = saving.save_item_codes([(company_id, own_code, sku)])
    _refuse(saved)
    audit.record("item_code", own_code, "created", company_id=company_id, after={"sku": sku})


def remove_item_codes(keys: Iterable[str]) -> int:
    """Take codes away, each named by the company's code, a space, and the code; returns how many."""
    count = 0
    for key in keys:
        company_code, _space, own_code = key.partition(" ")
        company_id = _company_id(company_code)
        saving.remove_item_codes(company_id, [own_code])
        audit.record("item_code", own_code, "removed", company_id=company_id)
        count += 1
    return count


def _company_id(code: str) -> int:
    found = db.session.scalar(select(Company.id).where(Company.code == code))
    if found is None:
        raise Invalid("COMPANY-UNKNOWN", _("There is no company “%(code)s”.", code=code), details={"field": "company"})
    return found
