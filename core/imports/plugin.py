"""The imports as a domain: the commands; kinds of import come from the other domains and from addons."""

from __future__ import annotations

from collections.abc import Iterable

from core.imports.commands import export_command, import_command
from core.spec.app import Command
from core.spec.markers import hookimpl


class Plugin:
    """What the imports contribute."""

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Add `tukku import` and `tukku export`."""
        yield Command(import_command)
        yield Command(export_command)
