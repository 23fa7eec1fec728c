"""What the addon contributes: rebates in both faces, the ledger that follows orders, and settlements for finance."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    ApiResource,
    AuditWords,
    Card,
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
    settling,
    shop_views,
    views,
    words,
)
from .permissions import OWN, PERMISSIONS, VIEW

_, _l, ngettext, _p = translations(__name__)


class Rebates:
    """Rebates by steps, settled at the end of a period."""

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
        """Let programs read rebates and settlements, and write rebates."""
        return (ApiResource("rebates", api_views.bp),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see, change and settle rebates."""
        return PERMISSIONS

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant say when a period is settled."""
        return settling.SETTINGS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Propose every night what is to be settled."""
        return (JobSpec("settlements", settling.nightly, at="04:20", title=_l("Propose the settlement of rebates")),)

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Tell people of steps, proposals and decisions."""
        return notices.SUBSCRIBERS

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Let people choose how they hear of it."""
        return notices.KINDS

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Compare the ledger with the orders, mend it, and propose settlements at once."""
        return checks.COMMANDS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether the ledger agrees with orders and terms."""
        return checks.CHECKS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the ledger at all times."""
        return checks.SWEEPS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many rebates hold."""
        return checks.health()

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to rebates and settlements, and buyers to theirs."""
        yield NavItem("rebates", _l("Rebates"), "rebates_admin.rebates", VIEW, "prices", icon="percent", order=17)
        yield NavItem(
            "settlements", _l("Settlements of rebates"), "rebates_admin.settlements", VIEW, "finance", icon="receipt",
            badge=settling.open_count, order=60,
        )  # fmt: skip
        yield NavItem("our-rebates", _l("Our rebates"), "rebates.own", OWN, "account", "shop", "percent", order=64)

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show a company's rebates on its page."""
        return panels.PANELS

    @hookimpl
    def ui_cards(self) -> Iterable[Card]:
        """Tell finance on its home what waits."""
        return panels.CARDS

    @hookimpl
    def order_followers(self) -> Iterable[OrderFollower]:
        """Enter in the ledger what orders count."""
        yield OrderFollower("rebates", ledger.follow)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export rebates."""
        return (imports.REBATES,)

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what stops accruing."""
        return checks.losses()
