"""Upsert a batch into one table: read once what exists, write only what differs, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, inspect, select, update

from core.data.db import db
from core.spec.imports import Outcome

Key = tuple[Any, ...]
_AT_ONCE = 10_000


class Upsert:
    """Collects the rows of one mapped class by natural key; `flush` writes them in two statements at most.

    ``key`` names attributes of the model. `read` must be called with conditions that cover the batch.
    """

    def __init__(self, model: type[Any], key: tuple[str, ...]) -> None:
        self._model = model
        self._key = key
        self._columns = [attribute.key for attribute in inspect(model).column_attrs]
        self._primary = [inspect(model).get_property_by_column(c).key for c in inspect(model).primary_key]
        self._version = inspect(model).version_id_col
        self._found: dict[Key, dict[str, Any]] = {}
        self._inserts: dict[Key, dict[str, Any]] = {}
        self._updates: dict[Key, dict[str, Any]] = {}

    def read(self, *conditions: ColumnElement[bool]) -> Upsert:
        """Load the existing rows that the batch may touch, as columns."""
        columns = [getattr(self._model, name) for name in self._columns]
        for row in db.session.execute(select(*columns).where(*conditions)):
            values = dict(zip(self._columns, row, strict=True))
            self._found[self._key_of(values)] = values
        return self

    def get(self, *key: Any) -> Mapping[str, Any] | None:
        """Return the row with the key as it will be after `flush`, or None."""
        if key in self._found:
            return {**self._found[key], **self._updates.get(key, {})}
        return self._inserts.get(key)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that existed when the batch was read."""
        return tuple(self._found)

    def put(
        self,
        key: Key,
        values: Mapping[str, Any],
        new: Mapping[str, Any] | None = None,
        touch: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Set ``values`` of the row with ``key``; ``new`` is added to a new row, ``touch`` to a changed one."""
        found = self._found.get(key)
        if found is None:
            self._inserts[key] = {**(new or {}), **dict(zip(self._key, key, strict=True)), **values}
            return "created"
        changed = {name: value for name, value in values.items() if found[name] != value}
        if not changed:
            return "unchanged"
        self._updates.setdefault(key, {}).update({**changed, **(touch or {})})
        return "updated"

    def differs(self, key: Key, values: Mapping[str, Any]) -> bool:
        """Tell whether `put` would change a row that exists."""
        found = self._found.get(key)
        return found is not None and any(found[name] != value for name, value in values.items())

    def flush(self) -> None:
        """Write the inserts and the updates; the session is not committed."""
        if self._inserts:
            rows = list(self._inserts.values())
            names = {name for row in rows for name in row}
            defaults = dict.fromkeys(sorted(names))
            full = [{**defaults, **row} for row in rows]
            # the ORM leaves None out, and begins a new statement wherever the columns of a row differ from the last one's
            full.sort(key=lambda row: [value is None for value in row.values()])
            db.session.execute(insert(self._model), full)
        for rows in self._updates_by_columns().values():
            db.session.execute(update(self._model), rows)

    def _default(self, name: str) -> Any:
        """Return what a column holds where a row says nothing, since all rows of a bulk insert name the same columns."""
        default = inspect(self._model).columns[name].default
        if default is None:
            return None
        return default.arg(None) if default.is_callable else default.arg

    def _updates_by_columns(self) -> dict[frozenset[str], list[dict[str, Any]]]:
        """Group the updates by the columns they change, so that each group is one statement."""
        groups: dict[frozenset[str], list[dict[str, Any]]] = {}
        for key, changed in self._updates.items():
            found = self._found[key]
            row = {**{name: found[name] for name in self._primary}, **changed}
            if self._version is not None:
                row["version"] = found["version"]
            groups.setdefault(frozenset(row), []).append(row)
        return groups

    def ids(self, *conditions: ColumnElement[bool]) -> dict[Key, int]:
        """Return the ids of the batch's rows by key, after `flush`."""
        if self._inserts:
            self.read(*conditions)
        return {key: values["id"] for key, values in self._found.items()}

    def remove(self, keys: Iterable[Key]) -> int:
        """Delete existing rows that have a column ``id``; returns how many."""
        ids = [self._found[key]["id"] for key in keys if key in self._found]
        if ids:
            db.session.execute(delete(self._model).where(self._model.id.in_(ids)))
        return len(ids)

    def _key_of(self, values: Mapping[str, Any]) -> Key:
        return tuple(values[name] for name in self._key)


def codes(column: Any, target: Any, wanted: Iterable[Any]) -> dict[Any, Any]:
    """Return {value of ``column``: value of ``target``} for the wanted values, in one query for ten thousand of them."""
    rest = iter({value for value in wanted if value is not None})
    found: dict[Any, Any] = {}
    while values := list(islice(rest, _AT_ONCE)):
        found.update(db.session.execute(select(column, target).where(column.in_(values))).all())
    return found


def outcome_of(*outcomes: Outcome) -> Outcome:
    """Return what became of a row whose data lie in several tables."""
    if "error" in outcomes:
        return "error"
    if outcomes and outcomes[0] == "created":
        return "created"
    return "updated" if any(outcome != "unchanged" for outcome in outcomes) else "unchanged"
