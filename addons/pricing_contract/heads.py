"""Prepared changes of a contract's own terms: kept as JSON, tried with the rows' effect, put in, put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from core.api.catalog import Product
from core.api.data import db
from core.api.hooks import Conflict
from core.api.i18n import translations
from core.api.orders import OrderLine

from . import editing
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
Head = dict[str, Any]
_INSTANTS = ("valid_from", "valid_until")
#: Rows of a contract whose prices are compared at most where its terms change: those of the products ordered most.
ROWS = 500


def differing(contract: Contract, values: Mapping[str, Any]) -> Head:
    """Return those of the values that differ from the contract's, as JSON."""
    return {name: _plain(value) for name, value in values.items() if getattr(contract, name) != value}


def standing(contract: Contract, names: Mapping[str, Any]) -> Head:
    """Return the contract's present values of these names, as JSON."""
    return {name: _plain(getattr(contract, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def read(head: Mapping[str, Any]) -> Head:
    """Return the values that JSON holds."""
    return {name: datetime.fromisoformat(value) if name in _INSTANTS and value else value for name, value in head.items()}


def dated(head: Head, starts: datetime) -> Head | None:
    """Return terms that say by their own dates that the contract begins or ends at ``starts``; None for other terms."""
    if head == {"status": "active"}:
        return {"status": "active", "valid_from": starts.isoformat()}
    if head == {"status": "ended"}:
        return {"valid_until": starts.isoformat()}
    return None


def try_on(contract: Contract, head: Mapping[str, Any]) -> None:
    """Write the terms for a trial that is rolled back; call inside ``write()``."""
    db.session.execute(
        update(Contract).where(Contract.id == contract.id).values(**read(head)),
        execution_options={"synchronize_session": False},
    )


def put_in(contract: Contract, head: Mapping[str, Any]) -> None:
    """Save the terms, with all that a save checks."""
    editing.save_head(contract, read(head))


def put_back(contract: Contract, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Save the terms as they were; Conflict where somebody changed them since."""
    now = db.session.get(Contract, contract.id, populate_existing=True)
    if now is None or standing(now, after) != after:
        raise Conflict("CHANGE-MOVED", _("The terms were changed again since. Prepare a new change instead."))
    put_in(now, before)


def rows_of(contract: Contract) -> list[dict[str, Any]]:
    """Return what the terms may move the price of: the contract's rows, those of the products ordered most first."""
    sold = select(OrderLine.product_id, func.count().label("times")).group_by(OrderLine.product_id).subquery()
    query = (
        select(ContractPrice.target, ContractPrice.unit, ContractPrice.min_quantity)
        .outerjoin(sold, sold.c.product_id == ContractPrice.product_id)
        .outerjoin(Product, Product.id == ContractPrice.product_id)
        .where(ContractPrice.contract_id == contract.id)
        .order_by(func.coalesce(sold.c.times, 0).desc(), Product.sku, ContractPrice.target)
        .limit(ROWS)
    )
    return [dict(row._mapping) for row in db.session.execute(query)]
