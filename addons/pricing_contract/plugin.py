"""What the addon contributes: contracts and price lists, and the step that applies them."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    ApiResource,
    BreakQuantities,
    ConfigCheck,
    DataImport,
    HealthCheck,
    Impact,
    Mount,
    NavItem,
    Panel,
    Permission,
    PriceStep,
    hookimpl,
)
from core.api.i18n import translations
from core.api.pricing import PriceBatch

from . import api_views, change_views, checks, impact, panels, shop_views, views
from .breaks import break_quantities
from .engine import agreement_step
from .imports import IMPORTS
from .permissions import EXPLAIN, OWN, PERMISSIONS, VIEW

_, _l, ngettext, _p = translations(__name__)


class PricingContract:
    """Contract prices: what a company, a segment, a country or everybody pays."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the back-office's and the shop's pages."""
        return (Mount(views.bp, "admin"), Mount(change_views.bp, "admin"), Mount(shop_views.bp, "shop"))

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Let programs read and write contracts."""
        return (ApiResource("contracts", api_views.bp),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see and change contracts."""
        return PERMISSIONS

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
    def ui_panels(self) -> Iterable[Panel]:
        """Show a company's contracts on its page."""
        return panels.PANELS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether rows overlap, and whether contracts ended or are empty."""
        return checks.CHECKS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say how many contracts hold."""
        return checks.health()

    @hookimpl
    def price_steps(self) -> Iterable[PriceStep]:
        """Apply the contracts."""
        return (agreement_step(),)

    @hookimpl
    def price_breaks(self, batch: PriceBatch) -> Iterable[BreakQuantities]:
        """Name the quantities at which contract prices change."""
        return break_quantities(batch)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export contracts and their rows."""
        return IMPORTS

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what buyers lose when contract prices are switched off."""
        return impact.losses()
