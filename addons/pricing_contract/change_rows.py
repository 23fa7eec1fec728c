"""The rows of prepared changes: kept, read back, counted by what they do, and checked beside what stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, func, literal, null, or_, select, tuple_, update

from core.api.catalog import Category, Product
from core.api.data import db, write, writing

from .change_models import Change, ChangeRow
from .circles import Edges, base_of, edges
from .history_models import PastRow
from .models import ContractPrice
from .rules import Problem
from .saving import Header, Key, Saver, Staged, groups

KEY = ("target", "unit", "min_quantity", "valid_from")
VALUES = ("valid_until", "kind", "value", "per", "terms")
#: Rows that are written, or products whose rows are checked, at once; others write in between.
PORTION = 5000
#: For how long others get to write: SQLite lets them try in turns, not in a queue.
GIVE_WAY = timedelta(milliseconds=50)


_ROWS: Any = ChangeRow.__table__
#: Rows to save, and the keys of those to delete.
Plan = tuple[list[Staged], set[Key]]


def _named(target: int) -> tuple[int | None, int | None]:
    """Return the product and the category that a target stands for."""
    return (target, None) if target > 0 else (None, -target or None)


def give_way() -> None:
    """Let others write between two portions."""
    if not writing():
        time.sleep(GIVE_WAY.total_seconds())


def of_staged(row: Staged) -> dict[str, Any]:
    """Return a staged row as columns."""
    values = {"per": Decimal(1), "valid_until": None, "terms": None, **row.values}
    return {**dict(zip(KEY, row.key[1:], strict=True)), **values}


def of_price(row: Any) -> dict[str, Any]:
    """Return what stands (a contract's row, or its columns) as columns."""
    return {name: getattr(row, name) for name in (*KEY, *VALUES)}


def keep(change: Change, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store the rows of a change that nobody sees yet, in portions."""
    full = as_kept(change, rows)
    for first in range(0, len(full), PORTION):
        with write():
            insert(full[first : first + PORTION])
        if len(full) > PORTION:
            give_way()


def as_kept(change: Change, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a change as its table holds them, in the order in which they lie there."""
    full = [
        {"gone": False, "place": place, **row, "change_id": change.id, "begins": row["valid_from"]}
        for place, row in enumerate(rows)
    ]
    return sorted(full, key=lambda row: tuple(row[name] for name in KEY))


def insert(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of `as_kept`, inside ``write()``; not by the model, which takes far longer over a hundred thousand."""
    db.session.connection().execute(_ROWS.insert(), rows)


def first_rows(change: Change, most: int) -> list[ChangeRow]:
    """Return the change's first rows in the order in which they were prepared.

    Of an open change those come first that say something else than what stands: in a whole price list they would be lost.
    """
    row, now = ChangeRow, ContractPrice
    query = select(row).where(row.change_id == change.id)
    if change.state == "open" and change.effect and change.effect["rows"]["same"]:
        here = and_(now.contract_id == change.contract_id, same_place(row, now))
        same = and_(~row.gone, now.target.is_not(None), ~differs(row, now))
        query = query.outerjoin(now, here).order_by(case((same, 1), else_=0))
    return list(db.session.scalars(query.order_by(row.place).limit(most)))


def asked(change: Change) -> list[dict[str, Any]]:
    """Return for what each row of the change is, as `effect.effect_of` takes it."""
    query = select(ChangeRow.target, ChangeRow.unit, ChangeRow.min_quantity).where(ChangeRow.change_id == change.id)
    names = ("target", "unit", "min_quantity")
    return [dict(zip(names, row, strict=True)) for row in db.session.execute(query.order_by(ChangeRow.place))]


def portions(change: Change) -> Iterator[list[int]]:
    """Yield what the change's rows are for, some at a time."""
    query = select(ChangeRow.target).where(ChangeRow.change_id == change.id).distinct().order_by(ChangeRow.target)
    return groups(db.session.scalars(query).all(), PORTION)


def rows_for(change: Change, targets: Collection[int]) -> Sequence[Any]:
    """Return the rows for some products, categories or everything, as columns."""
    columns = [getattr(ChangeRow, name) for name in (*KEY, *VALUES, "gone", "place", "begins")]
    found: list[Any] = []
    for some in groups(sorted(targets)):
        here = (ChangeRow.change_id == change.id, ChangeRow.target.in_(some))
        found += db.session.execute(select(*columns).where(*here))
    return found


def settle(change: Change, targets: Collection[int]) -> None:
    """Note where the rows for some products begin as the change starts; call inside ``write()``.

    Of several that would begin together the one that begins last by itself comes first, the next where that ends.
    """
    starts, row = change.starts, ChangeRow
    for some in groups(sorted(targets)):
        mine = (row.change_id == change.id, row.target >= some[0], row.target <= some[-1])
        begins: Any = row.valid_from
        if starts is not None:
            start = literal(starts, row.valid_from.type)
            begins = case(
                (or_(row.gone, row.valid_from >= start), row.valid_from),
                (or_(row.valid_until.is_(None), row.valid_until > start), start),
                else_=null(),
            )
        moved = update(row).where(*mine, row.begins.is_distinct_from(begins)).values(begins=begins)
        db.session.execute(moved, execution_options={"synchronize_session": False})
        if starts is not None:
            _one_after_the_other(mine, starts)


def _one_after_the_other(mine: tuple[Any, ...], starts: datetime) -> None:
    row = ChangeRow
    here = (*mine, ~row.gone, row.begins == starts, row.valid_from <= starts)
    group = (row.target, row.unit, row.min_quantity)
    several = select(*group).where(*here).group_by(*group).having(func.count() > 1)
    columns = (*group, row.valid_from, row.valid_until)
    found = db.session.execute(
        select(*columns).where(*here, tuple_(*group).in_(several)).order_by(*group, row.valid_from.desc())
    ).all()
    last, free = None, None
    for one in found:
        if one[:3] != last:
            last, free = one[:3], one.valid_until
            continue
        stays = free is not None and (one.valid_until is None or one.valid_until > free)
        where = dict(zip(KEY, one[:4], strict=True))
        own = update(row).where(mine[0], ~row.gone, *(getattr(row, name) == value for name, value in where.items()))
        db.session.execute(own.values(begins=free if stays else None), execution_options={"synchronize_session": False})
        free = one.valid_until if stays else free


def plan(rows: Iterable[Any], head: Header, starts: datetime | None) -> Plan:
    """Return the rows to save and the keys of those to delete; with a start, rows begin there and end there instead."""
    staged, gone = [], set()
    for row in rows:
        product, category = _named(row.target)
        values = {name: getattr(row, name) for name in VALUES}
        one = Staged(row.place, head, product, category, row.unit, row.min_quantity, row.valid_from, values)
        if not row.gone:
            if row.begins is not None:
                one.valid_from = row.begins
                staged.append(one)
        elif starts is None or one.valid_from >= starts:
            gone.add(one.key)
        else:
            one.values = {"valid_until": starts}
            staged.append(one)
    return staged, gone


def plan_back(change: Change, head: Header, targets: Collection[int]) -> Plan:
    """Return the rows that would be put back for some products, and the keys of those that the change added."""
    staged: dict[Key, Staged] = {}
    added: set[Key] = set()
    for some in groups(sorted(targets)):
        past = (PastRow.ended_by == change.deed_id, PastRow.target.in_(some))
        columns = [getattr(PastRow, name) for name in (*KEY, *VALUES, "id")]
        for row in db.session.execute(select(*columns).where(*past)):
            product, category = _named(row.target)
            values = {name: getattr(row, name) for name in VALUES}
            one = Staged(row.id, head, product, category, row.unit, row.min_quantity, row.valid_from, values)
            staged[one.key] = one
        here = (ContractPrice.contract_id == head.id, ContractPrice.target.in_(some))
        keys = select(ContractPrice.contract_id, *(getattr(ContractPrice, name) for name in KEY)).where(*here)
        added |= {tuple(row) for row in db.session.execute(keys.where(ContractPrice.deed_id == change.deed_id))}
    return list(staged.values()), added - staged.keys()


def checked(
    some: Iterable[Collection[int]], plan_of: Callable[[Collection[int]], Plan], progress: Callable[[int], None]
) -> tuple[Problem | None, set[str]]:
    """Return the first row that does not fit beside what stands, and the contracts that formulas compute from.

    ``some`` are products, some at a time, for which ``plan_of`` says what is to be; ``progress`` hears how many rows were
    looked at since the last time.
    """
    bases: set[str] = set()
    around: Edges | None = None
    for targets in some:
        staged, gone = plan_of(targets)
        bases |= {base for row in staged if (base := base_of(row.values))}
        if bases and around is None:
            around = edges()
        problems = Saver(staged, around).checked(gone)[1]
        if problems:
            return problems[min(problems)], bases  # type: ignore[type-var]
        progress(len(staged) + len(gone))
    return None, bases


def homeless(change: Change) -> int:
    """Return how many rows are for a product or a category that exists no more."""
    of_product = exists().where(Product.id == ChangeRow.target)
    of_category = exists().where(Category.id == -ChangeRow.target)
    lost = or_(and_(ChangeRow.target > 0, ~of_product), and_(ChangeRow.target < 0, ~of_category))
    query = select(func.count()).select_from(ChangeRow).where(ChangeRow.change_id == change.id, ~ChangeRow.gone, lost)
    return db.session.scalar(query) or 0


def same_place(row: Any, price: Any, start: str = "valid_from") -> ColumnElement[bool]:
    """Return the condition that a contract's row lies where another is, by the column that says when that one starts."""
    named = (getattr(row, name) == getattr(price, name) for name in KEY[:3])
    return and_(*named, getattr(row, start) == price.valid_from)


def differs(one: Any, other: Any) -> ColumnElement[bool]:
    """Return the condition that two rows, of whatever table, say different things."""
    return or_(
        *(getattr(one, name) != getattr(other, name) for name in ("kind", "value", "per")),
        one.valid_until.is_distinct_from(other.valid_until),
        _text(one.terms) != _text(other.terms),
    )


def _text(terms: Any) -> Any:
    """Return terms for a comparison: none are NULL in some rows and JSON's null in others."""
    return func.coalesce(cast(terms, Text), "null")


def counted(change: Change, contract_id: int) -> dict[str, int]:
    """Return how many rows of a change do what to those that stand where they are; one statement."""
    row, now = ChangeRow, ContractPrice
    alike = and_(
        row.per == now.per, row.kind == now.kind, row.valid_until.is_not_distinct_from(now.valid_until),
        _text(row.terms) == _text(now.terms),
    )  # fmt: skip
    moves = case((row.value > now.value, "rises"), (row.value < now.value, "falls"), else_="same")
    valued = case((and_(row.kind != "fixed", row.value != now.value), "other"), else_=moves)
    what = case((row.gone, "gone"), (now.target.is_(None), "added"), (alike, valued), else_=literal("other"))
    here = and_(now.contract_id == contract_id, same_place(row, now))
    query = select(what, func.count()).select_from(row).outerjoin(now, here).where(row.change_id == change.id).group_by(what)
    found = dict(db.session.execute(query).all())  # type: ignore[arg-type]
    return {name: found.get(name, 0) for name in ("added", "rises", "falls", "same", "other", "gone")}
