"""Ask what is set up wrongly: every check of the domains and addons, one that fails being a finding itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.data.db import db
from core.i18n import _
from core.registry.registry import registry
from core.spec.app import ConfigCheck, ConfigFinding

LEVELS = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Checked:
    """A check with what it found, the worst first."""

    owner: str
    check: ConfigCheck
    findings: tuple[ConfigFinding, ...]


def check_all() -> tuple[Checked, ...]:
    """Run every check, in order."""
    return tuple(_run(c.owner, c.value) for c in registry().contributions("config_checks"))


def _run(owner: str, check: ConfigCheck) -> Checked:
    attempt = registry().attempt(owner, "config_checks", _ask, check.check)
    if attempt.failed or attempt.value is None:
        db.session.rollback()  # PostgreSQL refuses further statements after one that failed
        text = _("This check of %(owner)s failed itself. The incident is recorded.", owner=owner)
        failed = ConfigFinding("CHECK-FAILED", "warning", text, _("Incidents"), "addons_admin.incidents")
        return Checked(owner, check, (failed,))
    return Checked(owner, check, tuple(sorted(attempt.value, key=lambda found: LEVELS.index(found.level))))


def _ask(check: Callable[[], object]) -> tuple[ConfigFinding, ...]:
    found = tuple(check() or ())  # type: ignore[call-overload]
    for finding in found:
        if not isinstance(finding, ConfigFinding) or finding.level not in LEVELS:
            raise TypeError(f"a check returns ConfigFinding with a level of {', '.join(LEVELS)}, not {finding!r}")
    return found
