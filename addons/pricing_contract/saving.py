"""Write rows of contracts, many at once: from files, from the grid, from copies. All rules are checked here.

A save reads what exists for the products concerned in one statement, checks the ladders as they will be, and writes what
differs in two statements at most, and the history (see deeds.py) in a few more, whatever the number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import and_, bindparam, delete, or_, select, update

from core.api.data import audit, clock, db, locked
from core.api.i18n import translations
from core.api.imports import Upsert
from core.api.jobs import emit

from .circles import Edges, base_of, edges, way_back
from .deeds import Counts, write_deeds
from .models import Contract, ContractPrice, target_of
from .rules import Problem, Rule, alone, together

_, _l, ngettext, _p = translations(__name__)
KEY = ("contract_id", "target", "unit", "min_quantity", "valid_from")
Key = tuple[int, int, str, Decimal, datetime]
Group = tuple[int, int, str]
T = TypeVar("T")
#: Rows that are looked up in one statement.
AT_ONCE = 5000
_NEW: dict[str, Any] = {"kind": "fixed", "per": Decimal(1), "valid_until": None, "terms": None}


@dataclass(slots=True)
class Header:
    """What rules need to know of a contract."""

    id: int
    code: str
    currency: str
    allow_inverted: bool = False


@dataclass(slots=True)
class Staged:
    """A row to be written: its key, and the values that are given; what is not given stays, or takes the default."""

    tag: Hashable
    contract: Header
    product_id: int | None
    category_id: int | None
    unit: str
    min_quantity: Decimal
    valid_from: datetime
    values: Mapping[str, Any]
    #: where the row was, if its key has changed
    old: Key | None = None

    @property
    def key(self) -> Key:
        """The row's key in the table."""
        target = target_of(self.product_id, self.category_id)
        return self.contract.id, target, self.unit, self.min_quantity, self.valid_from


@dataclass(slots=True)
class Saved:
    """What became of the rows, by tag: an outcome (created, updated, unchanged) or a problem."""

    outcomes: dict[Hashable, str] = field(default_factory=dict)
    problems: dict[Hashable, Problem] = field(default_factory=dict)


class Saver:
    """Stages rows, then ``save`` checks them together and writes those without a problem."""

    def __init__(self, staged: Iterable[Staged], around: Edges | None = None) -> None:
        """``around`` is which contracts compute from which, where that was read before; else it is read where needed."""
        self.staged = list(staged)
        self._edges = around
        self._table = Upsert(ContractPrice, KEY)
        covered = [key for row in self.staged for key in (row.key, row.old) if key]
        self._groups = {key[:2] for key in covered}
        for some in groups(sorted(covered)):
            self._table.read(_covered(some))
        self._by_group: dict[Group, list[Key]] = defaultdict(list)
        for key in self._table.keys:
            self._by_group[key[:3]].append(key)

    def save(self, removed: Iterable[Key] = (), *, means: str, note: str = "") -> Saved:
        """Write the rows; ``removed`` are deleted first, so that ladders are judged without them.

        The history keeps by which ``means`` (see history_models.py), and a ``note``.
        """
        gone = set(removed)
        kept, problems = self.checked(gone)
        result = Saved(problems=problems)
        gone |= {row.old for row in kept.values() if row.old is not None}
        gone -= kept.keys()  # where one row leaves and another comes, the row is changed
        self._read(gone)
        gone = {key for key in gone if self._table.get(*key)}
        deeds = write_deeds(means, note, self._counts(kept, gone))
        _remove(gone)
        for key, row in kept.items():
            deed = {"deed_id": deeds.get(key[0])}
            target: dict[str, Any] = {"product_id": row.product_id, "category_id": row.category_id}
            before = self._table.get(*row.old) if row.old else None
            if before and "terms" not in row.values:  # a row that moves takes its formula along
                target["terms"] = before["terms"]
            result.outcomes[row.tag] = self._table.put(key, dict(row.values), new={**_NEW, **target, **deed}, touch=deed)
        self._table.flush()
        touch({row.contract.id for row in kept.values() if result.outcomes[row.tag] != "unchanged"} | {k[0] for k in gone})
        return result

    def checked(self, gone: set[Key]) -> tuple[dict[Key, Staged], dict[Hashable, Problem]]:
        """Return the rows that may be written where ``gone`` are deleted, and what is wrong with others; write nothing."""
        kept: dict[Key, Staged] = {}
        problems: dict[Hashable, Problem] = {}
        for row in self.staged:
            problem = alone(self._rule(row.key, row.values), row.contract.currency) or self._circular(row)
            if problem:
                problems[row.tag] = problem
            else:
                kept[row.key] = row
        while refused := self._refused(kept, gone):
            for key, problem in refused.items():
                problems[kept.pop(key).tag] = problem
        return kept, problems

    def _read(self, keys: Iterable[Key]) -> None:
        """Read rows that are to go and are of other products than those to be written."""
        known = self._groups
        missing = [key for key in keys if key[:2] not in known]
        for some in groups(sorted(missing)):
            self._table.read(_covered(some))

    def _counts(self, kept: Mapping[Key, Staged], gone: set[Key]) -> dict[int, Counts]:
        """Return what the save is about to do, by contract."""
        counts: dict[int, Counts] = defaultdict(Counts)
        for key, row in kept.items():
            before = None if key in gone else self._table.get(*key)
            if before is None:
                counts[key[0]].added += 1
            elif self._table.differs(key, row.values):
                counts[key[0]].changed.append(before)
        for key in gone:
            counts[key[0]].removed.append(self._table.get(*key) or {})
        return counts

    def existing(self, key: Key) -> Mapping[str, Any] | None:
        """Return the row with the key as it was."""
        return self._table.get(*key)

    def _rule(self, key: Key, values: Mapping[str, Any]) -> Rule:
        whole = {**_NEW, "value": Decimal(0), **(self._table.get(*key) or {}), **values}
        return Rule(*key[1:], *(whole[name] for name in ("valid_until", "kind", "value", "per", "terms")))

    def _circular(self, row: Staged) -> Problem | None:
        """Return what is wrong with a formula that would compute from its own contract by way of others."""
        base = base_of(row.values)
        if not base:
            return None
        if self._edges is None:
            self._edges = edges()
        way = way_back(self._edges, row.contract.code, base)
        if way:
            said = _("The contract would be computed from itself: %(way)s. Take another base.", way=" → ".join(way))
            return Problem(self._rule(row.key, row.values), "base", said)
        self._edges.setdefault(row.contract.code, set()).add(base)
        return None

    def _refused(self, kept: Mapping[Key, Staged], gone: set[Key]) -> dict[Key, Problem]:
        """Return the staged rows that do not fit beside the others, as everything would be after the save."""
        groups: dict[Group, list[Key]] = defaultdict(list)
        for key in kept:
            groups[key[:3]].append(key)
        refused: dict[Key, Problem] = {}
        left = gone | {row.old for row in kept.values() if row.old is not None}
        for group, keys in groups.items():
            others = [key for key in self._by_group.get(group, ()) if key not in left and key not in kept]
            rules = [self._rule(key, kept[key].values if key in kept else {}) for key in (*keys, *others)]
            for problem in together(rules, allow_inverted=kept[keys[0]].contract.allow_inverted):
                blamed = (group[0], *problem.rule.key)
                for key in [blamed] if blamed in kept else keys:
                    refused.setdefault(key, problem)
        return refused


def groups(ordered: Iterable[T], most: int = AT_ONCE) -> Iterator[list[T]]:
    """Yield what is to be found in one statement each, ``most`` well below the number of values that a database takes."""
    rest = iter(ordered)
    while some := list(islice(rest, most)):
        yield some


def _covered(keys: Iterable[Key]) -> Any:
    """Return the condition for all rows of the products concerned, contract by contract, so that the key's index serves."""
    targets: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        targets[key[0]].add(key[1])
    return or_(
        *(
            and_(ContractPrice.contract_id == contract, ContractPrice.target.in_(found))
            for contract, found in targets.items()
        )
    )


def _remove(keys: Iterable[Key]) -> None:
    rows = [dict(zip(("contract", "of", "in_unit", "least", "since"), key, strict=True)) for key in keys]
    if rows:
        table = ContractPrice.__table__
        statement = delete(table).where(
            table.c.contract_id == bindparam("contract"),
            table.c.target == bindparam("of"),
            table.c.unit == bindparam("in_unit"),
            table.c.min_quantity == bindparam("least"),
            table.c.valid_from == bindparam("since"),
        )
        db.session.connection().execute(statement, rows)


def hold(contract_id: int) -> Contract:
    """Return the contract as it is now; nobody else writes its prices until the caller's ``write()`` ends.

    Call it before reading what stands. NoResultFound where it was deleted meanwhile.
    """
    return db.session.scalars(locked(select(Contract).where(Contract.id == contract_id))).one()


def touch(contract_ids: set[int]) -> None:
    """Raise the version of changed contracts, so that a form opened before sees that it is late."""
    if not contract_ids:
        return
    db.session.execute(
        update(Contract).where(Contract.id.in_(contract_ids)).values(version=Contract.version + 1, updated_at=clock.now()),
        execution_options={"synchronize_session": False},
    )
    emit("price.changed", {"source": "pricing_contract", "contract_ids": sorted(contract_ids)})


def record(code: str, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
    """Add a change of a contract to the audit."""
    audit.record("contract", code, action, before=before, after=after, addon="pricing_contract")
