"""What the addon contributes: agreements in both faces, the price step, and the ledger that follows orders."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    ApiResource,
    AuditWords,
    CheckoutRule,
    Command,
    ConfigCheck,
    DataCheck,
    DataImport,
    HealthCheck,
    Impact,
    JobSpec,
    Mount,
    NavItem,
    NotificationKind,
    OrderFollower,
    Panel,
    Permission,
    PriceStep,
    ReportSource,
    SettingSpec,
    Subscriber,
    hookimpl,
)
from core.api.i18n import translations

from . import (
    api_views,
    checks,
    imports,
    ledger,
    notices,
    panels,
    pricing,
    reports,
    rules,
    shop_views,
    views,
    words,
)
from .permissions import OWN, PERMISSIONS, VIEW

_, _l, ngettext, _p = translations(__name__)


class VolumeAgreements:
    """Committed quantities at agreed prices."""

    @hookimpl
    def audit_words(self) -> Iterable[AuditWords]:
        """Give the trail words for what the addon writes into it."""
        return (words.WORDS,)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the pages of both faces."""
        return (Mount(views.bp, "admin"), Mount(shop_views.bp, "shop"))

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Let programs read and write agreements."""
        return (ApiResource("agreements", api_views.bp),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see and change agreements."""
        return PERMISSIONS

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant say how long before its end both sides are told."""
        return notices.SETTINGS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Look every morning which agreements end."""
        return (notices.JOB,)

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Tell of what orders used up."""
        return notices.SUBSCRIBERS

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Let people choose how they hear of it."""
        return notices.KINDS

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Compare the ledger with the orders, and mend it."""
        return (checks.COMMAND,)

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether ledger and orders agree, and whether units fit."""
        return checks.CHECKS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the ledger at all times."""
        return checks.SWEEPS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many agreements hold."""
        return checks.health()

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the agreements in both faces."""
        yield NavItem(
            "agreements", _l("Volume agreements"), "volume_agreements_admin.agreements", VIEW, "prices", icon="box-seam",
            order=15,
        )  # fmt: skip
        yield NavItem(
            "our-agreements", _l("Our agreements"), "volume_agreements.own", OWN, "account", "shop", "box-seam", order=62
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show what is left on the product's page, and a company's agreements on its page."""
        return panels.PANELS

    @hookimpl
    def price_steps(self) -> Iterable[PriceStep]:
        """Give the agreed price for as much as is left."""
        return (pricing.step(),)

    @hookimpl
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Say in the cart where only part of a line fits."""
        return rules.RULES

    @hookimpl
    def order_followers(self) -> Iterable[OrderFollower]:
        """Enter in the ledger what orders draw."""
        yield OrderFollower("volume", lambda order_id, _change: ledger.post([order_id]))

    @hookimpl
    def report_sources(self) -> Iterable[ReportSource]:
        """Report what is missing."""
        return reports.REPORTS

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export agreements."""
        return (imports.AGREEMENTS,)

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say which prices end."""
        return checks.losses()
