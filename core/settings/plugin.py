"""Settings as a domain: it keeps what others declare, and declares nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from core.settings import sweeps
from core.spec.app import DataCheck
from core.spec.markers import hookimpl


class Plugin:
    """What settings contribute."""

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of stored settings."""
        return sweeps.CHECKS
