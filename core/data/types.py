"""Column types: exact decimals as scaled integers, UTC instants, JSON, translated text.

``Numeric`` is a float on SQLite, so money and quantities are stored as BIGINT on both databases.
SQL may add, subtract, compare, sum, min and max them; a product, quotient or average would come back
with the wrong scale and is refused when the expression is built.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    String,
    TypeDecorator,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql import functions, operators
from sqlalchemy.sql.functions import GenericFunction

_LIMIT = 2**63 - 1
_REFUSED = {operators.mul, operators.truediv, operators.floordiv, operators.mod}


def folded(length: int) -> String:
    """Folded text, by which lists are sorted: compared by code point on every database, whatever its language is."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class ScaledDecimal(TypeDecorator[Decimal]):
    """A Decimal kept as an integer of ``10 ** -scale``; never rounds, raises ValueError instead."""

    impl = BigInteger
    cache_ok = True
    scale = 0

    class Comparator(TypeDecorator.Comparator[Decimal]):
        """Refuse operators, and operands, that would change the scale."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            _check_operation(self.expr.type, op, other)
            return super().operate(op, *other, **kwargs)

        def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:
            _check_operation(self.expr.type, op, (other,))
            return super().reverse_operate(op, other, **kwargs)

    comparator_factory = Comparator

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else to_scaled(value, self.scale)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_scaled(value, self.scale)


def _check_operation(kind: Any, op: Any, others: Sequence[Any]) -> None:
    if op in _REFUSED:
        raise TypeError(f"SQL cannot use {op.__name__} on an exact decimal: compute it in Python")
    for other in others:
        if isinstance(other, ColumnElement | QueryableAttribute) and not isinstance(other, BindParameter):
            _check_scale(kind, other.type)


def _check_scale(kind: Any, other: Any) -> None:
    """Refuse to mix an exact decimal with numbers that are stored otherwise."""
    if isinstance(other, ScaledDecimal) and other.scale != kind.scale:
        raise TypeError(
            f"an exact decimal of {kind.scale} decimals does not go with one of {other.scale}: compute it in Python"
        )
    if isinstance(other, Numeric | Integer) and not isinstance(other, ScaledDecimal):
        raise TypeError(f"an exact decimal does not go with {type(other).__name__} in SQL: compute it in Python")


def from_scaled(value: int, scale: int) -> Decimal:
    """Return what is stored as an integer of ``10 ** -scale``."""
    return Decimal(int(value)).scaleb(-scale)


def to_scaled(value: Any, scale: int) -> int:
    """Return ``value`` as an integer of ``10 ** -scale``; TypeError for floats, ValueError if it does not fit."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"money and quantities are Decimal, not {type(value).__name__}: {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not a number that can be stored")
    scaled = number.scaleb(scale)
    whole = scaled.to_integral_value()
    if whole != scaled:
        raise ValueError(f"{value} has more than {scale} decimals")
    if abs(whole) > _LIMIT:
        raise ValueError(f"{value} is too large to be stored")
    return int(whole)


class Amount(ScaledDecimal):
    """An amount of money, 4 decimals (up to 922 trillion)."""

    scale = 4
    cache_ok = True


class Price(ScaledDecimal):
    """A unit price, rate or percent, 6 decimals."""

    scale = 6
    cache_ok = True


class Quantity(ScaledDecimal):
    """A quantity in a unit of measure, 6 decimals."""

    scale = 6
    cache_ok = True


def _exact(args: Iterable[Any]) -> Any:
    """Return the exact type among the arguments of a function, or None."""
    return next((a.type for a in args if isinstance(getattr(a, "type", None), ScaledDecimal)), None)


class _Refusing(GenericFunction[Any]):
    """A function that refuses exact decimals: their result would come back mis-scaled."""

    _register = False
    inherit_cache = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _exact(args) is not None:
            raise TypeError(f"SQL cannot take {self.name} of an exact decimal: take sum and count, compute in Python")
        super().__init__(*args, **kwargs)


for _name in (
    "avg",
    "abs",
    "round",
    "ceil",
    "floor",
    "trunc",
    "total",
    "nullif",
    "power",
    "sqrt",
    "mod",
    "stddev",
    "variance",
):
    type(_name, (_Refusing,), {"name": _name, "inherit_cache": True, "_register": True, "__doc__": _Refusing.__doc__})


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SQLAlchemy's own coalesce is replaced on purpose

    class coalesce(functions.coalesce[Any]):  # noqa: N801  (named as SQL spells it)
        """``func.coalesce`` that scales a plain default beside an exact decimal, and refuses another scale."""

        inherit_cache = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kind = _exact(args)
            if kind is not None:
                args = tuple(a if hasattr(a, "__clause_element__") or hasattr(a, "type") else literal(a, kind) for a in args)
                for other in args:
                    _check_scale(kind, other.type)
            super().__init__(*args, **kwargs)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC on both databases; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"an instant is a datetime, not {type(value).__name__}: {value!r}")
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: JSON on both databases (JSONB on PostgreSQL).
Json = JSON().with_variant(JSONB(), "postgresql")


class Translated(TypeDecorator[dict[str, str]]):
    """Text by locale, ``{"en": …, "fi": …}``; for small vocabularies. Read with ``core.i18n.pick``."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> dict[str, str] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(f"translated text is a mapping of locale to text, not {value!r}")
        return {str(k): str(v) for k, v in value.items() if v not in (None, "")}
