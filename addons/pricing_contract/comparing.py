"""Two contracts side by side: the rows that one has and the other has not, or has otherwise; a page of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Text, and_, cast, func, or_, select, union_all
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.companies import seller
from core.api.data import db
from core.api.i18n import translations
from core.api.ui import day_text, percent_text

from .days import first_day, last_day
from .describe import terms_text
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
PAGE = 100
HUNDRED = Decimal(100)
_KEY = ("target", "unit", "min_quantity", "valid_from")
_DEED = ("kind", "value", "per", "valid_until", "terms")


@dataclass(frozen=True, slots=True)
class Difference:
    """A row as both contracts have it; '' where one has none. ``change``: the percent from left to right of fixed prices."""

    target: str
    unit: str
    min_quantity: Decimal
    first: str
    left: str
    right: str
    change: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A page of differences, and how many there are."""

    rows: Sequence[Difference]
    count: int
    number: int
    pages: int


def differences(left: Contract, right: Contract, number: int = 1) -> Comparison:
    """Return a page of what differs between two contracts; two statements, whatever their size."""
    every = union_all(_missing_or_other(left, right), _missing(right, left)).subquery()
    count = db.session.scalar(select(func.count()).select_from(every)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, number), pages)
    query = (
        select(every, Product.sku, Category.code)
        .outerjoin(Product, Product.id == every.c.target)
        .outerjoin(Category, Category.id == -every.c.target)
        .order_by(func.coalesce(Product.sku, ""), Category.code, every.c.unit, every.c.min_quantity, every.c.valid_from)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    zone = ZoneInfo(seller().zone)
    rows = [_difference(row, left.currency, right.currency, zone) for row in db.session.execute(query)]
    return Comparison(rows, count, number, pages)


def _missing_or_other(left: Contract, right: Contract) -> Select[Any]:
    """Return the rows of ``left`` that ``right`` has not, or has otherwise."""
    mine, theirs = aliased(ContractPrice), aliased(ContractPrice)
    same = and_(theirs.contract_id == right.id, *(getattr(theirs, name) == getattr(mine, name) for name in _KEY))
    alike = and_(
        mine.kind == theirs.kind,
        mine.value == theirs.value,
        mine.per == theirs.per,
        mine.valid_until.is_not_distinct_from(theirs.valid_until),
        func.coalesce(_text(mine.terms), "") == func.coalesce(_text(theirs.terms), ""),
    )
    columns = [*_columns(mine, _KEY), *_columns(mine, _DEED, "left_"), *_columns(theirs, _DEED, "right_")]
    return (
        select(*columns)
        .select_from(mine)
        .outerjoin(theirs, same)
        .where(mine.contract_id == left.id, or_(theirs.contract_id.is_(None), ~alike))
    )


def _missing(right: Contract, left: Contract) -> Select[Any]:
    """Return the rows of ``right`` that ``left`` has not."""
    mine, theirs = aliased(ContractPrice), aliased(ContractPrice)
    same = and_(theirs.contract_id == left.id, *(getattr(theirs, name) == getattr(mine, name) for name in _KEY))
    columns = [*_columns(mine, _KEY), *_columns(theirs, _DEED, "left_"), *_columns(mine, _DEED, "right_")]
    return (
        select(*columns)
        .select_from(mine)
        .outerjoin(theirs, same)
        .where(mine.contract_id == right.id, theirs.contract_id.is_(None))
    )


def _text(column: Any) -> Any:
    return cast(column, Text)


def _columns(table: Any, names: Sequence[str], prefix: str = "") -> list[Any]:
    return [getattr(table, name).label(f"{prefix}{name}") for name in names]


def _difference(row: Any, left: str, right: str, zone: ZoneInfo) -> Difference:
    first = first_day(row.valid_from, zone)
    change = ""
    fixed = row.left_kind == row.right_kind == "fixed" and row.left_value and left == right
    if fixed:
        was, now = row.left_value / row.left_per, row.right_value / row.right_per
        change = percent_text(round((now - was) * HUNDRED / was, 2))
    target = row.sku or (_("Category %(code)s", code=row.code) if row.code else _("All products"))
    return Difference(
        target,
        row.unit,
        row.min_quantity,
        day_text(first) if first else "",
        _deed(row, "left_", left, zone),
        _deed(row, "right_", right, zone),
        change,
    )


def _deed(row: Any, side: str, currency: str, zone: ZoneInfo) -> str:
    """Return what a row does in words, '' where there is none."""
    kind, value, per, until, terms = (getattr(row, f"{side}{name}") for name in _DEED)
    if kind is None:
        return ""
    return terms_text(kind, value, per, last_day(until, zone), currency, terms)
