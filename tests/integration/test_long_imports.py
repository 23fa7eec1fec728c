"""Files of any length: the memory of an import does not grow with its rows, and no refused row is lost."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator

import pytest

from core.data.scope import set_actor, system
from core.imports.report import KEPT_ERRORS
from core.imports.running import run
from core.imports.seen import SeenKeys
from core.imports.source import Source
from core.spec.imports import DataImport, ImportField, RowResult

COLUMNS = ("code", "amount")
LENGTHS = DataImport(
    kind="lengths", title="Lengths", key=("code",), permission="",
    fields=(ImportField("code", required=True), ImportField("amount", "decimal")),
    load=lambda rows: [RowResult(row.number, "created", row.values["code"]) for row in rows],
)  # fmt: skip


def rows(count: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield rows of which every second is refused, and every tenth has a key that was there before."""
    for number in range(count):
        code = f"a-rather-long-code-{number - 1 if number % 10 == 1 else number:08}"
        yield number + 2, {"code": code, "amount": "1,5" if number % 2 else "heavy"}


@pytest.mark.database("sqlite")
def test_memory_does_not_grow_with_rows_and_every_refusal_is_told(data_app):
    set_actor(system("tests"))
    peaks = []
    for count in (2_000, 2_000, 12_000):  # the first fills the caches
        told: Counter[str] = Counter()
        tracemalloc.start()
        source = Source("long.csv", COLUMNS, rows(count), count)
        report = run(LENGTHS, source, dry_run=True, listener=lambda _kind, result, told=told: told.update([result.outcome]))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.counts == told == {"created": count // 2, "error": count // 2}
        assert len(report.errors) == min(count // 2, KEPT_ERRORS)
    assert peaks[2] - peaks[1] < 400_000, peaks


def test_a_key_is_known_from_its_first_row():
    seen = SeenKeys()
    assert [seen.first(("a", n % 3), n) for n in range(6)] == [0, 1, 2, 0, 1, 2]
    assert seen.first(("a", "1"), 9) == 9
