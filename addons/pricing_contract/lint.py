"""What may be wrong with rows of contracts, each as a condition in SQL: the checks count by it, the table filters by it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Numeric, and_, case, cast, exists, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from core.api.catalog import Product, ProductUnit
from core.api.data import clock
from core.api.i18n import translations
from core.api.settings import get

from .agreed import COMPUTED
from .formulas import CONTRACT
from .models import MEASURES, Contract, ContractPrice, ProductValue

_, _l, ngettext, _p = translations(__name__)
#: A margin has as many decimals as this has noughts.
_SCALE = 10_000


class Lint(NamedTuple):
    """Something that may be wrong with a row: how the table's filter says it, and the condition."""

    label: object
    condition: Callable[[], ColumnElement[bool]]


def overlapping() -> ColumnElement[bool]:
    """Rows for the same product, unit and quantity as a later one that begins before they end."""
    later = aliased(ContractPrice)
    return and_(
        ContractPrice.valid_until.is_not(None),
        _there(
            *_same(later),
            later.min_quantity == ContractPrice.min_quantity,
            later.valid_from > ContractPrice.valid_from,
            later.valid_from < ContractPrice.valid_until,
        ),
    )


def inverted() -> ColumnElement[bool]:
    """Fixed prices and percents in force that make a larger quantity dearer, where the contract does not allow it."""
    smaller = aliased(ContractPrice)
    strict = _there(Contract.id == ContractPrice.contract_id, Contract.allow_inverted.is_(False))
    dearer = or_(
        and_(ContractPrice.kind == "fixed", _ratio(ContractPrice) > _ratio(smaller)),
        and_(ContractPrice.kind == "percent", _number(ContractPrice.value) < _number(smaller.value)),
    )
    return and_(
        _holds(ContractPrice),
        ContractPrice.min_quantity > 0,
        _there(
            *_same(smaller),
            smaller.min_quantity < ContractPrice.min_quantity,
            smaller.kind == ContractPrice.kind,
            _holds(smaller),
            dearer,
        ),
        strict,
    )


def below_floor() -> ColumnElement[bool]:
    """Fixed prices in force, for the base unit, below the product's cost and the least margin of the settings."""
    margin = int(Decimal(get("pricing_contract", "least_margin")) * _SCALE)
    cost = _there(
        ProductValue.product_id == ContractPrice.product_id,
        ProductValue.kind == "cost",
        Product.id == ContractPrice.product_id,
        Product.base_unit == ContractPrice.unit,
        Contract.id == ContractPrice.contract_id,
        Contract.currency == ProductValue.currency,
        _ratio(ContractPrice) * (100 * _SCALE) < _number(ProductValue.amount) * (100 * _SCALE + margin),
    )
    return and_(ContractPrice.kind == "fixed", _holds(ContractPrice), cost)


def ended() -> ColumnElement[bool]:
    """Rows whose validity is over."""
    return ContractPrice.valid_until <= clock.now()


def never_matching() -> ColumnElement[bool]:
    """Rows for products that are no longer sold, or not in the row's unit."""
    unsold = select(Product.id).where(Product.status == "discontinued")
    sold_so = _there(ProductUnit.product_id == ContractPrice.product_id, ProductUnit.unit == ContractPrice.unit)
    based = _there(Product.id == ContractPrice.product_id, Product.base_unit == ContractPrice.unit)
    return and_(
        ContractPrice.product_id.is_not(None),
        or_(ContractPrice.product_id.in_(unsold), and_(ContractPrice.unit != "", ~based, ~sold_so)),
    )


def free() -> ColumnElement[bool]:
    """Fixed prices of zero and percents of a hundred in force: meant so, one hopes."""
    nothing = or_(
        and_(ContractPrice.kind == "fixed", ContractPrice.value == 0),
        and_(ContractPrice.kind == "percent", ContractPrice.value == 100),
    )
    return and_(nothing, _holds(ContractPrice))


def without_base() -> ColumnElement[bool]:
    """Rows in force that compute from what is not there: a cost that nobody stated, a contract that is gone or not active.

    Of products only the cost or recommended price that a row for the product itself computes from is looked for.
    """
    base = ContractPrice.terms["base"].as_string()
    measure = case((ContractPrice.kind == "cost_plus", "cost"), else_=base)
    stated = _there(ProductValue.product_id == ContractPrice.product_id, ProductValue.kind == measure)
    other = aliased(Contract)
    active = _there(literal(CONTRACT) + other.code == base, other.status == "active")
    return and_(
        ContractPrice.kind.in_(COMPUTED),
        _holds(ContractPrice),
        or_(
            and_(measure.in_(MEASURES), ContractPrice.product_id.is_not(None), ~stated),
            and_(ContractPrice.kind == "formula", base.startswith(CONTRACT), ~active),
        ),
    )


LINTS = {
    "overlap": Lint(_l("that overlap in time"), overlapping),
    "inverted": Lint(_l("dearer at a larger quantity"), inverted),
    "floor": Lint(_l("below cost and least margin"), below_floor),
    "free": Lint(_l("that cost nothing"), free),
    "baseless": Lint(_l("that compute from nothing"), without_base),
    "ended": Lint(_l("that have ended"), ended),
    "unsold": Lint(_l("for what is not sold so"), never_matching),
}


def _there(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell whether there is something beside the row of which the conditions are true."""
    return exists().where(*conditions).correlate(ContractPrice)


def _same(other: Any) -> tuple[ColumnElement[bool], ...]:
    names = ("contract_id", "target", "unit")
    return tuple(getattr(other, name) == getattr(ContractPrice, name) for name in names)


def _holds(row: Any) -> ColumnElement[bool]:
    now = clock.now()
    return and_(row.valid_from <= now, or_(row.valid_until.is_(None), row.valid_until > now))


def _number(column: Any) -> Any:
    """Return a scaled decimal as a number of millionths that may grow beyond what an integer column holds."""
    return cast(type_coerce(column, BigInteger), Numeric)


def _ratio(row: Any) -> Any:
    """Return the price of one unit in millionths."""
    return _number(row.value) * 1_000_000 / _number(row.per)
