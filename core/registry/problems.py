"""What can be wrong with an addon, as values that the command line, the back-office and the tests share."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "notice"]

CODES: dict[str, str] = {
    "MANIFEST": "addon.toml cannot be read or says something impossible",
    "DUPLICATE": "the same name was found in two places",
    "FILES-GONE": "the addon is enabled and its files are not found",
    "MISSING": "a required addon is not installed",
    "DISABLED-DEP": "a required addon is installed and not enabled",
    "VERSION": "another addon has a version outside the asked range",
    "CORE-VERSION": "this core is outside the range that the addon supports",
    "PYTHON-VERSION": "this Python is outside the range that the addon supports",
    "PACKAGE": "a Python package that the addon needs is absent or has another version",
    "CONFLICT": "two enabled addons exclude each other",
    "CYCLE": "addons require each other in a circle",
    "SOFT-CYCLE": "an optional dependency was not used for ordering, since it would close a circle",
    "BLOCKED": "a required addon was left out",
    "UPGRADE-PENDING": "the addon's tables are not at the version of its code",
    "QUARANTINED": "the addon failed while it was loaded",
    "IMPORT": "the addon imports what is not promised to addons",
    "TABLE": "a table does not carry the addon's name, so that nobody could tell its owner",
    "TEMPLATE": "a template stands where it is not found",
    "INLINE": "a template holds a script or style, which browsers are told to refuse",
    "UNUSED": "a file of the addon is used by nothing",
    "CONTRACT": "a check of the contract suite failed",
    "NEEDED": "an addon that stays enabled requires the one that is to be disabled",
    "NOT-INSTALLED": "there is nothing of the addon to remove",
    "ENABLED": "the addon is switched on, so its data stay",
    "FILES-PRESENT": "the addon's files are there, so its own migrations remove its tables",
    "REFERENCED": "a table of another owner refers to the addon's",
    "STILL-RUNNING": "a process still runs the addon that is to be removed",
    "STRAGGLER": "a process serves an older generation than was decided",
    "INCIDENT": "an addon failed lately",
    "ORPHAN": "tables belong to nobody who is installed",
    "INTERRUPTED": "an operation was killed before it ended",
    "CORE": "a domain of core itself does not build",
    "SOURCE": "a place where addons are looked for cannot be read",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a code to search for, a sentence, and what to do about it."""

    code: str
    addon: str
    message: str
    remedy: str
    level: Level = "error"

    def __str__(self) -> str:
        return f"{self.code} {self.addon}: {self.message} {self.remedy}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return asdict(self)


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that keep an addon out, without the notices."""
    return tuple(p for p in problems if p.level == "error")
