"""Two people in one contract: a row that somebody else changed since the form was opened is not overwritten unseen.

A form carries each row as it was shown (``was``). Inside the write the row is compared with what stands now; one that
differs is kept out, with who changed it, when, and both values, and the person chooses. The other rows go in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.api.data import AuditEntry, db
from core.api.i18n import translations
from core.api.ui import instant_text

from . import meanwhile
from .describe import KIND_LABELS
from .grid import GridRow, key_text, read_key, standing
from .history_models import Deed
from .meanwhile import Mark
from .models import Contract
from .past import last_of
from .saving import Staged

_, _l, ngettext, _p = translations(__name__)
_LABELS = {
    "target": _l("Product or category"), "unit": _l("Unit"), "min_quantity": _l("From quantity"), "kind": _l("What it does"),
    "value": _l("Value"), "per": _l("Per"), "valid_from": _l("First day"), "valid_until": _l("Last day"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clash:
    """Why a row was kept out: ``kind`` is changed, gone or taken; ``now`` is the row that stands, ``who`` a sentence."""

    kind: str
    who: str
    now: GridRow | None
    differences: tuple[tuple[str, str, str], ...] = ()


def keep_out(contract: Contract, rows: Sequence[GridRow], staged: Sequence[Staged], removed: Mapping[str, str]) -> set[str]:
    """Note a `Clash` on each row that somebody else changed; return the keys of ``removed`` that may not go.

    Call it inside ``write()`` with the contract locked. ``removed`` are keys with the rows as they were shown ('' where
    the form did not say). Two statements, whatever the number of rows.
    """
    after = {row.tag: key_text(*row.key[1:]) for row in staged}
    wanted = {row.key for row in rows if row.key and row.was} | {key for key, was in removed.items() if was}
    wanted |= {key for n, key in after.items() if rows[n].was and key != rows[n].key}  # type: ignore[index]
    here = standing(contract, wanted) if wanted else {}
    clashing = {n: kind for n, row in enumerate(rows) if (kind := _kind(row, str(after.get(n, row.key)), here))}
    stay = {key for key, was in removed.items() if was and key in here and here[key].texts != was}
    if clashing or stay:
        keys = [rows[n].key if kind != "taken" else after[n] for n, kind in clashing.items()]
        said = _who(contract, {*keys, *stay})
        for (n, kind), key in zip(clashing.items(), keys, strict=True):
            now = here.get(key)
            rows[n].clash = Clash(kind, said[key], now, _differences(now, rows[n]) if now else ())
    return stay


def keep_back(contract: Contract, rows: Sequence[GridRow], staged: Sequence[Staged], seen: Mark) -> None:
    """Note a `Clash` on each row that would write over what somebody else did since ``seen``.

    For rows of a page that did not show what stands: pasted ones and those of a file. Call it inside ``write()``.
    """
    found = meanwhile.moved((row.key for row in staged), seen)
    for row in staged:
        one = found.get(row.key)
        if one is not None and one.differs(row.values):
            rows[row.tag].clash = Clash("gone" if one.now is None else "changed", one.sentence(contract.currency), None)  # type: ignore[index]


def _kind(row: GridRow, after: str, here: Mapping[str, GridRow]) -> str:
    if not row.was:
        return ""
    if row.key and row.key not in here:
        return "gone"
    if row.key and here[row.key].texts != row.was:
        return "changed"
    return "taken" if after != row.key and after in here and here[after].texts != row.over else ""


def _differences(now: GridRow, typed: GridRow) -> tuple[tuple[str, str, str], ...]:
    """Return (what, the value that stands, the value typed) of the cells that differ."""
    cells = ((str(label), getattr(now, name), getattr(typed, name)) for name, label in _LABELS.items() if name != "kind")
    kinds = (str(_LABELS["kind"]), str(KIND_LABELS[now.kind]), str(KIND_LABELS.get(typed.kind, typed.kind)))
    return tuple(one for one in (*cells, kinds) if one[1] != one[2])


def _who(contract: Contract, keys: Iterable[str]) -> dict[str, str]:
    """Return for each key who changed its row last and when, as a sentence."""
    wanted = {key: read_key(key) for key in keys}
    deeds = last_of(contract, wanted.values())
    return {key: _sentence(deeds.get(row)) for key, row in wanted.items()}


def head_sentence(contract: Contract) -> str:
    """Return who changed the contract last, its head or its rows, and when."""
    entry = db.session.scalar(
        select(AuditEntry)
        .where(AuditEntry.entity == "contract", AuditEntry.entity_id == contract.code)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return _sentence(entry)


def _sentence(entry: AuditEntry | Deed | None) -> str:
    if entry is None:
        return _("Somebody else changed this meanwhile.")
    return _("%(who)s changed this on %(when)s.", who=entry.actor, when=instant_text(entry.at))
