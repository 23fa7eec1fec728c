"""What the addon contributes: contracts and price lists, and the step that applies them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.api.hooks import (
    Action,
    ApiResource,
    AuditWords,
    BreakQuantities,
    ConfigCheck,
    DataCheck,
    DataImport,
    HealthCheck,
    Impact,
    JobSpec,
    Mount,
    NavItem,
    NotificationKind,
    OrderFact,
    Panel,
    Permission,
    PriceStep,
    QuantityLine,
    QuantityRule,
    SettingSpec,
    hookimpl,
)
from core.api.i18n import translations
from core.api.pricing import PriceBatch

from . import (
    bulk_views,
    change_views,
    checks,
    compare_views,
    explain_api,
    facts,
    history_api,
    history_views,
    impact,
    limit_views,
    limits,
    panels,
    preparing,
    publishing,
    rises,
    shop_views,
    views,
    words,
)
from .breaks import break_quantities
from .engine import agreement_step
from .floors import SETTINGS, floor_step
from .imports import IMPORTS
from .permissions import EXPLAIN, OWN, PERMISSIONS, VIEW

_, _l, ngettext, _p = translations(__name__)


class PricingContract:
    """Contract prices: what a company, a segment, a country or everybody pays."""

    @hookimpl
    def audit_words(self) -> Iterable[AuditWords]:
        """Give the trail words for what the addon writes into it."""
        return (words.WORDS,)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the back-office's and the shop's pages."""
        return (
            Mount(views.bp, "admin"),
            Mount(change_views.bp, "admin"),
            Mount(bulk_views.bp, "admin"),
            Mount(compare_views.bp, "admin"),
            Mount(limit_views.bp, "admin"),
            Mount(history_views.bp, "admin"),
            Mount(shop_views.bp, "shop"),
        )

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Let programs read and write contracts, read their history, and ask why a price is what it is."""
        return (ApiResource("contracts", history_api.bp), ApiResource("explain", explain_api.bp))

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see and change contracts."""
        return PERMISSIONS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Look every morning which prices rise soon, and put in the terms of contracts whose day has come."""
        return (
            JobSpec("rises", rises.nightly, at="06:30", title=_l("Tell buyers which prices rise soon")),
            JobSpec("prepare", preparing.prepare_long, title=_l("Prepare a long change of a contract")),
            JobSpec("put_in", publishing.put_in_long, title=_l("Publish or undo a long change of a contract")),
            JobSpec("publish", publishing.publish_due, title=_l("Put in prepared terms of a contract")),
        )

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Let people choose how they hear of rises."""
        return rises.KINDS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the contracts in both faces."""
        return (
            NavItem(
                "contracts", _l("Contracts"), "pricing_contract_admin.contracts", VIEW, "prices", icon="file-text", order=10
            ),
            NavItem(
                "explain", _l("Why this price"), "pricing_contract_admin.explain", EXPLAIN, "prices", icon="search", order=20
            ),
            NavItem(
                "our-contract",
                _l("Our contract prices"),
                "pricing_contract.own",
                OWN,
                "account",
                "shop",
                "file-text",
                order=60,
            ),
        )

    @hookimpl
    def ui_actions(self) -> Iterable[Action]:
        """Change the prices of many contracts at once, and publish what is prepared for them."""
        return bulk_views.ACTIONS

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show a company's contracts on its page."""
        return panels.PANELS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether rows overlap, and whether contracts ended or are empty."""
        return checks.CHECKS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the addon's rows."""
        return checks.SWEEPS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many contracts hold."""
        return checks.health()

    @hookimpl
    def price_steps(self) -> Iterable[PriceStep]:
        """Apply the contracts, and tell where a price set by hand lies below the floor."""
        return (agreement_step(), floor_step())

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant say how much margin is the least, and how long before a rise buyers are told."""
        return (*SETTINGS, *rises.SETTINGS)

    @hookimpl
    def order_facts(self) -> Iterable[OrderFact]:
        """Say how much of an order is outside the company's contracts."""
        return facts.FACTS

    @hookimpl
    def price_breaks(self, batch: PriceBatch) -> Iterable[BreakQuantities]:
        """Name the quantities at which contract prices change."""
        return break_quantities(batch)

    @hookimpl
    def quantity_rules(self, lines: Sequence[QuantityLine], company_id: int | None) -> Iterable[QuantityRule]:
        """Say in which quantities and packages the company's contracts let it order."""
        return limits.quantity_rules(lines, company_id)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export contracts and their rows."""
        return IMPORTS

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what buyers lose when contract prices are switched off."""
        return impact.losses()
