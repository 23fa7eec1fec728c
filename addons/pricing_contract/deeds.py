"""Write the history of contract rows: a deed for each contract that a save changes, and its rows as they were.

A new row costs nothing but the number of its deed; a changed or deleted one is copied once. A save adds three statements
at most, whatever the number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from core.api.data import clock, current_actor, db
from core.api.imports import file_name

from .history_models import Deed, PastRow

#: Batches of one file that follow each other within this time are one deed.
TOGETHER = timedelta(minutes=10)
_KEPT = (
    "contract_id", "target", "unit", "min_quantity", "valid_from", "valid_until", "kind", "value", "per", "terms",
)  # fmt: skip
Before = Mapping[str, Any]


@dataclass(slots=True)
class Counts:
    """What a save does to a contract: how many rows it adds, and those that it changes and takes out, as they were."""

    added: int = 0
    changed: list[Before] = field(default_factory=list)
    removed: list[Before] = field(default_factory=list)


def by_import() -> tuple[str, str]:
    """Return the means and the note of rows that an importer writes: from a file, or from a program."""
    name = file_name()
    return ("api", "") if name.startswith("API ") else ("import", name)


def write_deeds(means: str, note: str, counts: Mapping[int, Counts]) -> dict[int, int]:
    """Keep what a save is about to do, by contract; return the deeds' ids by contract."""
    if not counts:
        return {}
    known = _same_file(note, counts) if means == "import" else {}
    new = [contract_id for contract_id in counts if contract_id not in known]
    if new:
        actor = current_actor()
        common = {"at": clock.now(), "actor": actor.name, "actor_id": actor.user_id, "means": means, "note": note[:200]}
        rows = [{**common, "contract_id": contract_id, **_numbers(counts[contract_id])} for contract_id in new]
        ids = db.session.scalars(insert(Deed).returning(Deed.id, sort_by_parameter_order=True), rows)
        found = {**known, **dict(zip(new, ids, strict=True))}
    else:
        found = known
    _add_to(known, counts)
    ended = [(one, row, False) for one in counts for row in counts[one].changed]
    ended += [(one, row, True) for one in counts for row in counts[one].removed]
    if ended:
        past = [
            {**{name: row[name] for name in _KEPT}, "made_by": row["deed_id"], "ended_by": found[one], "removed": removed}
            for one, row, removed in ended
        ]
        db.session.execute(insert(PastRow), past)
    return found


def begin(contract_id: int, means: str, note: str) -> int:
    """Return a new deed whose rows are about to be written by statements; `end` tells how many there were."""
    actor = current_actor()
    values = {"at": clock.now(), "actor": actor.name, "actor_id": actor.user_id, "means": means, "note": note[:200]}
    return db.session.scalars(insert(Deed).values(contract_id=contract_id, **values).returning(Deed.id)).one()


def end(deed_id: int, added: int, changed: int, removed: int) -> None:
    """Note what a deed did; one that did nothing is forgotten."""
    mine: dict[str, Any] = {"execution_options": {"synchronize_session": False}}
    if added or changed or removed:
        values = {"added": added, "changed": changed, "removed": removed}
        db.session.execute(update(Deed).where(Deed.id == deed_id).values(**values), **mine)
    else:
        db.session.execute(delete(Deed).where(Deed.id == deed_id), **mine)


def _numbers(one: Counts) -> dict[str, int]:
    return {"added": one.added, "changed": len(one.changed), "removed": len(one.removed)}


def _same_file(note: str, counts: Mapping[int, Counts]) -> dict[int, int]:
    """Return the deeds that earlier batches of the same file made, by contract."""
    query = select(Deed.contract_id, Deed.id).where(
        Deed.contract_id.in_(counts),
        Deed.means == "import",
        Deed.note == note[:200],
        Deed.actor == current_actor().name,
        Deed.at > clock.now() - TOGETHER,
    )
    return {row.contract_id: row.id for row in db.session.execute(query.order_by(Deed.id))}


def _add_to(known: Mapping[int, int], counts: Mapping[int, Counts]) -> None:
    """Add what this batch does to the deeds of the file: one statement for all deeds with the same numbers."""
    alike: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for contract_id, deed_id in known.items():
        one = counts[contract_id]
        alike[one.added, len(one.changed), len(one.removed)].append(deed_id)
    for (added, changed, removed), ids in alike.items():
        values = {"added": Deed.added + added, "changed": Deed.changed + changed, "removed": Deed.removed + removed}
        db.session.execute(
            update(Deed).where(Deed.id.in_(ids)).values(**values, at=clock.now()),
            execution_options={"synchronize_session": False},
        )
