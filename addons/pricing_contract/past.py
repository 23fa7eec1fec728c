"""Read the history of contract rows: what was done to a contract, to one product in it, and by one deed.

A row's versions are its past rows and, while it stands, the row itself; each version names the deed that made it, each
past one also the deed that ended it. What happened is told from one version to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from heapq import merge
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.data import AuditEntry, db
from core.api.i18n import translations

from .history_models import Deed, PastRow
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
PAGE = 50
SHOWN = 200
MEANS = {
    "grid": _l("in the table"),
    "paste": _l("pasted rows"),
    "percent": _l("change by percent"),
    "change": _l("prepared change"),
    "undo": _l("prepared change undone"),
    "restore": _l("deletion taken back"),
    "copy": _l("copy of a contract"),
    "import": _l("import of a file"),
    "api": _l("by a program"),
}
KEY = ("target", "unit", "min_quantity", "valid_from")


class Terms(NamedTuple):
    """What a row said."""

    kind: str
    value: Decimal
    per: Decimal
    valid_until: datetime | None
    formula: Mapping[str, Any] | None


class Event(NamedTuple):
    """Something that happened to a row: ``what`` is added, changed or removed; ``deed`` None is before the history."""

    deed: Deed | None
    what: str
    target: int
    unit: str
    min_quantity: Decimal
    valid_from: datetime
    before: Terms | None
    after: Terms | None


def of_contract(contract: Contract, number: int = 1) -> tuple[Sequence[Deed], int]:
    """Return a page of what was done to the contract's rows, the newest first, and how many pages there are."""
    mine = Deed.contract_id == contract.id
    count = db.session.scalar(select(func.count()).select_from(Deed).where(mine)) or 0
    query = select(Deed).where(mine).order_by(Deed.id.desc()).limit(PAGE).offset((max(number, 1) - 1) * PAGE)
    return db.session.scalars(query).all(), max(1, -(-count // PAGE))


def of_terms(contract: Contract) -> list[tuple[AuditEntry, list[tuple[str, object, object]]]]:
    """Return the newest changes of the contract's own terms, with what differs."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.entity == "contract", AuditEntry.entity_id == contract.code)
        .where(AuditEntry.action.in_(("created", "changed")))
        .order_by(AuditEntry.id.desc())
        .limit(PAGE)
    )
    found = []
    for entry in db.session.scalars(query):
        before, after = entry.before or {}, entry.after or {}
        different = [(name, before.get(name), value) for name, value in after.items() if before.get(name) != value]
        if different:
            found.append((entry, different if entry.before else []))
    return found


def of_product(contract: Contract, target: int) -> list[Event]:
    """Return what happened to the contract's rows for a product, a category or everything, the newest first."""
    here = [model.contract_id == contract.id for model in (PastRow, ContractPrice)]
    past = select(PastRow).where(here[0], PastRow.target == target).order_by(PastRow.id.desc()).limit(SHOWN)
    now = select(ContractPrice).where(here[1], ContractPrice.target == target).limit(SHOWN)
    versions = [*reversed(db.session.scalars(past).all()), *db.session.scalars(now)]
    deeds = _deeds({one for row in versions for one in (_made_by(row), getattr(row, "ended_by", None))})
    events = list(_told(sorted(versions, key=_order), deeds))
    return sorted(events, key=lambda one: one.deed.id if one.deed else 0, reverse=True)


def by_deed(deed: Deed) -> list[Event]:
    """Return what one deed did: rows changed and taken out, then those added that stand as they were added."""
    later = aliased(PastRow)
    same = [getattr(later, name) == getattr(PastRow, name) for name in ("contract_id", *KEY)]
    stands = [getattr(ContractPrice, name) == getattr(PastRow, name) for name in ("contract_id", *KEY)]
    query = (
        select(PastRow, later, ContractPrice)
        .outerjoin(later, and_(*same, later.made_by == deed.id, ~PastRow.removed))
        .outerjoin(ContractPrice, and_(*stands, ContractPrice.deed_id == deed.id, ~PastRow.removed))
        .where(PastRow.ended_by == deed.id)
        .order_by(PastRow.id)
        .limit(SHOWN)
    )
    events = [
        Event(deed, "removed" if was.removed else "changed", *_key(was), terms_of(was), terms_of(then or now))
        for was, then, now in db.session.execute(query)
    ]
    replaced = select(PastRow.id).where(*stands, PastRow.ended_by == deed.id).correlate(ContractPrice)
    new = select(ContractPrice).where(ContractPrice.contract_id == deed.contract_id, ContractPrice.deed_id == deed.id)
    rows = db.session.scalars(new.where(~replaced.exists()).limit(SHOWN))
    return [*events, *(Event(deed, "added", *_key(row), None, terms_of(row)) for row in rows)]


def whole(contract: Contract) -> Iterator[tuple[Event, str]]:
    """Yield all that happened to the contract's rows, row by row, each with its product's or category's code."""
    deeds = {deed.id: deed for deed in db.session.scalars(select(Deed).where(Deed.contract_id == contract.id))}
    before, now = (_versions(model, contract) for model in (PastRow, ContractPrice))
    group: list[Any] = []
    name, key = "", None
    for _order_of, row, code in merge(before, now, key=lambda one: one[0]):
        if _key(row) != key:
            yield from ((event, name) for event in _told(group, deeds))
            group, key, name = [], _key(row), code
        group.append(row)
    yield from ((event, name) for event in _told(group, deeds))


def last_of(contract: Contract, keys: Iterable[tuple[int, str, Decimal, datetime]]) -> dict[tuple[Any, ...], Deed]:
    """Return for each key of a row the deed that changed it last, or took it out. Three statements for any number."""
    wanted = set(keys)
    targets = {key[0] for key in wanted}
    columns = [getattr(ContractPrice, name) for name in KEY]
    query = select(*columns, ContractPrice.deed_id).where(
        ContractPrice.contract_id == contract.id, ContractPrice.target.in_(targets)
    )
    found = {tuple(row[:4]): row.deed_id for row in db.session.execute(query)}
    ended = (
        select(*[getattr(PastRow, name) for name in KEY], func.max(PastRow.ended_by))
        .where(PastRow.contract_id == contract.id, PastRow.target.in_(targets))
        .group_by(*[getattr(PastRow, name) for name in KEY])
    )
    gone = {tuple(row[:4]): row[4] for row in db.session.execute(ended)}
    deeds = _deeds({*found.values(), *gone.values()})
    chosen = {key: found[key] if key in found else gone.get(key) for key in wanted}
    return {key: deeds[deed_id] for key, deed_id in chosen.items() if deed_id in deeds}


def deed_by_id(contract: Contract, deed_id: int) -> Deed | None:
    """Return a deed of the contract."""
    return db.session.scalar(select(Deed).where(Deed.contract_id == contract.id, Deed.id == deed_id))


def _deeds(ids: Iterable[int | None]) -> dict[int | None, Deed]:
    wanted = [one for one in set(ids) if one is not None]
    return {deed.id: deed for deed in db.session.scalars(select(Deed).where(Deed.id.in_(wanted)))} if wanted else {}


def _versions(model: Any, contract: Contract) -> Iterator[tuple[Any, Any, str]]:
    """Yield the versions that a table holds in the order of their rows, each with its order and its code."""
    query = (
        select(model, Product.sku, Category.code)
        .outerjoin(Product, Product.id == model.target)
        .outerjoin(Category, Category.id == -model.target)
        .where(model.contract_id == contract.id)
        .order_by(model.target, model.valid_from, model.min_quantity, *([model.id] if model is PastRow else []))
        .execution_options(yield_per=1000)
    )
    kept: list[Any] = []
    for row, sku, category in db.session.execute(query):
        if kept and kept[0][1].target != row.target:
            yield from sorted(kept, key=lambda one: one[0])
            kept = []
        kept.append((_order(row), row, sku or (f"*{category}" if category else "*" if row.target == 0 else "")))
    yield from sorted(kept, key=lambda one: one[0])


def _order(row: Any) -> tuple[Any, ...]:
    """Order versions by their row, the past ones first, as they followed each other."""
    return (*_key(row), 0 if isinstance(row, PastRow) else 1, row.id if isinstance(row, PastRow) else 0)


def _key(row: Any) -> tuple[int, str, Decimal, datetime]:
    return row.target, row.unit, row.min_quantity, row.valid_from


def terms_of(row: Any) -> Terms | None:
    """Return what a row, past or present, says; None for none."""
    return None if row is None else Terms(row.kind, row.value, row.per, row.valid_until, row.terms)


def _made_by(row: Any) -> int | None:
    return row.made_by if isinstance(row, PastRow) else row.deed_id


def _told(versions: Iterable[Any], deeds: Mapping[Any, Deed]) -> Iterator[Event]:
    """Yield what happened from one version to the next; versions of a row follow each other."""
    last: Any = None
    for row in versions:
        follows = last is not None and _key(last) == _key(row) and not last.removed and last.ended_by == _made_by(row)
        before = terms_of(last) if follows else None
        yield Event(deeds.get(_made_by(row)), "changed" if follows else "added", *_key(row), before, terms_of(row))
        if isinstance(row, PastRow) and row.removed:
            yield Event(deeds.get(row.ended_by), "removed", *_key(row), terms_of(row), None)
        last = row if isinstance(row, PastRow) else None
