"""The imports as a domain: commands and back-office pages; the kinds come from the other domains and from addons."""

from __future__ import annotations

from collections.abc import Iterable

from core.i18n import _l
from core.imports import runs, views
from core.imports.commands import export_command, import_command
from core.spec.app import Command, JobSpec, Mount, Permission
from core.spec.markers import hookimpl
from core.spec.ui import NavItem


class Plugin:
    """What the imports contribute."""

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Add `tukku import` and `tukku export`."""
        yield Command(import_command)
        yield Command(export_command)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the pages."""
        yield Mount(views.bp, "admin", prefix="/admin/imports")

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Say who may open the pages; each kind asks for its own permission as well."""
        yield Permission(views.USE, _l("Import and export data"), ("admin", "sales"))

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Run imports outside requests, and clear old ones away."""
        yield JobSpec("run", runs.work, max_attempts=1, title=_l("Import a file"))
        yield JobSpec("prune", runs.prune, at="03:40", title=_l("Remove old import files"))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the pages."""
        yield NavItem("imports", _l("Import and export"), "imports.index", views.USE, "setup", icon="upload", order=60)
