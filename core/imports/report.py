"""What became of the rows of an import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from core.spec.imports import RowResult

KEPT_ERRORS = 1000
#: So many characters of a key or a value are told with an error.
TOLD = 80
OUTCOMES = ("created", "updated", "unchanged", "error")


@dataclass(slots=True)
class Report:
    """Counts by outcome, the first thousand errors, and notes about the file.

    ``notices`` are rows that went in and of which there is something to tell, the first thousand; ``noticed`` counts all.
    """

    kind: str
    name: str
    dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    errors: list[RowResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    notices: list[RowResult] = field(default_factory=list)
    noticed: int = 0
    #: Somebody stopped it before its end.
    stopped: bool = False

    def add(self, result: RowResult) -> None:
        """Count one row."""
        self.counts[result.outcome] += 1
        if result.outcome == "error" and len(self.errors) < KEPT_ERRORS:
            self.errors.append(replace(result, key=shortened(result.key), value=shortened(result.value)))
        elif result.outcome != "error" and result.message:
            self.noticed += 1
            if len(self.notices) < KEPT_ERRORS:
                self.notices.append(replace(result, key=shortened(result.key)))

    @property
    def changed(self) -> int:
        """How many rows were created or updated."""
        return self.counts["created"] + self.counts["updated"]

    @property
    def failed(self) -> int:
        """How many rows were refused."""
        return self.counts["error"]

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(self.counts.values())

    def plain(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        errors, notices = (
            [{"row": e.number, "key": e.key, "column": e.field, "value": e.value, "message": str(e.message)} for e in found]
            for found in (self.errors, self.notices)
        )
        return {
            "kind": self.kind,
            "file": self.name,
            "dry_run": self.dry_run,
            **{outcome: self.counts[outcome] for outcome in OUTCOMES},
            "notes": self.notes,
            "errors": errors,
            "noticed": self.noticed,
            "notices": notices,
            "stopped": self.stopped,
        }


def shortened(text: str) -> str:
    """Return a key or value as it is told: a text that is no code at all does not fill the page."""
    return text if len(text) <= TOLD else f"{text[:TOLD]}…"
