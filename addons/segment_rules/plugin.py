"""What the addon contributes: rules of segments, evaluated every night."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    Action,
    ApiExtension,
    AuditWords,
    Command,
    ConfigCheck,
    DataCheck,
    HealthCheck,
    Impact,
    JobSpec,
    ListFilter,
    Mount,
    NavItem,
    Panel,
    Permission,
    hookimpl,
)
from core.api.i18n import translations

from . import api, checks, commands, lists, panels, services, views, words
from .permissions import EDIT, PERMISSIONS

_, _l, ngettext, _p = translations(__name__)


class SegmentRules:
    """Companies join and leave segments by what they buy."""

    @hookimpl
    def audit_words(self) -> Iterable[AuditWords]:
        """Give the trail words for what the addon writes into it."""
        return (words.WORDS,)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the back-office's pages."""
        return (Mount(views.bp, "admin"),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who sets rules."""
        return PERMISSIONS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Evaluate every night."""
        return (JobSpec("evaluate", services.nightly, at="02:15", title=_l("Evaluate the rules of segments")),)

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Evaluate when somebody asks."""
        return (Command(commands.evaluate),)

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the rules, beside the segments."""
        return (
            NavItem("segment-rules", _l("Segment rules"), "segment_rules.rules", EDIT, "customers", icon="tags", order=31),
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show on a company's page where it is by rule, and why."""
        return panels.PANELS

    @hookimpl
    def ui_filters(self) -> Iterable[ListFilter]:
        """Find in the list of companies those that are somewhere by rule."""
        return lists.FILTERS

    @hookimpl
    def ui_actions(self) -> Iterable[Action]:
        """Keep the chosen companies whatever the rules say."""
        return lists.ACTIONS

    @hookimpl
    def api_extensions(self) -> Iterable[ApiExtension]:
        """Say of companies in the API which segments a rule put them into."""
        return api.EXTENSIONS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether rules can be fulfilled."""
        return checks.CHECKS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the addon's rows."""
        return checks.SWEEPS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many companies are placed."""
        return checks.health()

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what stops."""
        return checks.losses()
