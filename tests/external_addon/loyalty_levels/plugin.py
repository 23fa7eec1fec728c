"""What the addon contributes; the modules beside this one do the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click
from sqlalchemy import func, select

from core.api.data import db
from core.api.hooks import (
    Card,
    Command,
    DataCheck,
    Impact,
    JobSpec,
    Mount,
    NavItem,
    PageContext,
    Panel,
    Permission,
    PriceStep,
    ReportSource,
    Seed,
    SettingSpec,
    hookimpl,
)
from core.api.i18n import translations

from . import prices, reports, services, settings, views
from .models import Standing

_, _l, ngettext, _p = translations(__name__)


def load(_context: PageContext) -> Mapping[str, Any] | None:
    """Return where the reader's company stands."""
    found = services.progress()
    return {name: getattr(found, name) for name in ("standing", "level", "following", "currency")} if found else None


@click.command("count")
def count() -> None:
    """Count all companies now. Example: tukku loyalty_levels count"""
    click.echo(f"{services.count()} companies have a level.")


class LoyaltyLevels:
    """A discount by what a company bought lately."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the page of the levels."""
        return (Mount(views.bp, "admin"),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who sets levels."""
        return views.PERMISSIONS

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant choose the window, the grace and the sale."""
        return settings.SETTINGS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Count every night."""
        return (JobSpec("count", services.nightly, at="02:30", title=_l("Count loyalty levels")),)

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Count when somebody asks."""
        return (Command(count),)

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the levels."""
        return (NavItem("levels", _l("Loyalty levels"), "loyalty_levels.levels", views.EDIT, "prices", icon="tags"),)

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show buyers where they stand."""
        return (
            Panel("loyalty", "storefront.home", "side", "loyalty_levels/progress.html", load, _l("Your level"), order=60),
            Panel("loyalty", "storefront.company", "side", "loyalty_levels/progress.html", load, _l("Your level")),
        )

    @hookimpl
    def ui_cards(self) -> Iterable[Card]:
        """Count companies by level on the back-office's home."""
        return reports.CARDS

    @hookimpl
    def report_sources(self) -> Iterable[ReportSource]:
        """List where every company stands."""
        return reports.REPORTS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of standings."""
        return reports.CHECKS

    @hookimpl
    def app_seeds(self) -> Iterable[Seed]:
        """Bring two levels to begin with."""
        return services.SEEDS

    @hookimpl
    def price_steps(self) -> Iterable[PriceStep]:
        """Take the level's percent off."""
        return prices.STEPS

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say how many companies lose their discount."""
        with_level = db.session.scalar(select(func.count()).where(Standing.level_id.is_not(None))) or 0
        if with_level:
            said = ngettext("%(count)s company loses its discount.", "%(count)s companies lose their discount.", with_level)
            yield Impact(said, with_level, "severe")
