"""What the addon contributes: the condition on what is seen, and the pages, files and resource that make it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.api.hooks import (
    ApiResource,
    AuditWords,
    ConfigCheck,
    DataImport,
    HealthCheck,
    Impact,
    JobSpec,
    Mount,
    NavItem,
    Panel,
    Permission,
    VisibilityQuery,
    hookimpl,
)
from core.api.i18n import translations

from . import api_views, change_views, changes, checks, imports, panels, seeing, views, words
from .permissions import PERMISSIONS, VIEW

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_, _l, ngettext, _p = translations(__name__)


class Assortments:
    """Which goods a company, a segment or everybody sees."""

    @hookimpl
    def audit_words(self) -> Iterable[AuditWords]:
        """Give the trail words for what the addon writes into it."""
        return (words.WORDS,)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the back-office's pages."""
        return (Mount(views.bp, "admin"), Mount(change_views.bp, "admin"))

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Put in prepared changes on their day."""
        return (JobSpec("publish", changes.publish_due, title=_l("Put in prepared changes of assortments")),)

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Let programs read and write assortments, and ask what a company sees."""
        return (ApiResource("assortments", api_views.bp),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see and change assortments."""
        return PERMISSIONS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the assortments, and to what a company sees."""
        yield NavItem(
            "assortments", _l("Assortments"), "assortments_admin.assortments", VIEW, "catalogue", icon="boxes", order=50
        )
        yield NavItem("seen", _l("Who sees what"), "assortments_admin.seen", VIEW, "catalogue", icon="eye", order=51)

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show on a company's page what it sees."""
        return panels.PANELS

    @hookimpl
    def catalog_visibility(self, query: VisibilityQuery) -> Iterable[ColumnElement[bool]]:
        """Say what the buyer sees, where any assortment hides something from it."""
        return seeing.conditions(query)

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether assortments are empty, over, or leave somebody with nothing."""
        return checks.CHECKS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many assortments hold."""
        return checks.health()

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export assortments and their rows."""
        return imports.IMPORTS

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say who sees everything while the addon is off."""
        return checks.losses()
