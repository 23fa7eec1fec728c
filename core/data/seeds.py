"""Reference data that domains and addons bring along: loaded again and again, and what people changed stays theirs.

Each row has a stable key. ``core_seed_row`` keeps which record it became and a digest of what was written: a record
that still says the same is brought up to date, one that was changed is left alone, one that was deleted stays deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.data.db import db
from core.data.models import SeededRow
from core.data.write import write
from core.spec.app import Seed


@dataclass(slots=True)
class Loaded:
    """What a load did: records added, brought up to date, and left alone because people changed or deleted them."""

    added: int = 0
    updated: int = 0
    kept: int = 0


def load(owner: str, seed: Seed) -> Loaded:
    """Load a seed, all or nothing. A record that is there already with the same ``match`` columns is not doubled."""
    done = Loaded()
    with write() as session:
        mine = select(SeededRow).where(SeededRow.owner == owner, SeededRow.seed == seed.name)
        known = {row.key: row for row in session.scalars(mine)}
        for key, values in seed.rows():
            seeded = known.get(key)
            if seeded is None:
                _first(owner, seed, key, values, done)
                continue
            record = session.get(seed.model, seeded.record_id)
            if record is None or _digest(record, values) != seeded.digest:
                done.kept += 1
            elif _differs(record, values):
                _set(record, values)
                session.flush()
                session.refresh(record)
                seeded.digest = _digest(record, values)
                done.updated += 1
    return done


def _first(owner: str, seed: Seed, key: str, values: Mapping[str, Any], done: Loaded) -> None:
    session, model = db.session, seed.model
    same = [getattr(model, name) == values[name] for name in seed.match]
    record = session.scalar(select(model).where(*same).limit(1))
    digest = "" if record is not None else None  # '' is no digest: what people made before is theirs
    if record is None:
        record = model(**values)
        session.add(record)
        session.flush()
        session.refresh(record)
        done.added += 1
    else:
        done.kept += 1
    kept = digest if digest is not None else _digest(record, values)
    session.add(SeededRow(owner=owner, seed=seed.name, key=key, record_id=record.id, digest=kept))


def _set(record: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(record, name, value)


def _differs(record: Any, values: Mapping[str, Any]) -> bool:
    return any(_plain(getattr(record, name)) != _plain(value) for name, value in values.items())


def _digest(record: Any, values: Mapping[str, Any]) -> str:
    """Return the digest of what the record says now in the seed's columns."""
    text = "\n".join(f"{name}={_plain(getattr(record, name))}" for name in sorted(values))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> str:
    return str(value.normalize()) if isinstance(value, Decimal) else str(value)
