"""What pricing contributes, through the hooks that addons use."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from core.catalog.prices import use_prices
from core.i18n import _l
from core.pricing import checks, display, services, views
from core.pricing.base import list_price_step
from core.pricing.commands import price
from core.pricing.converted import SETTING, converted_step
from core.pricing.imports import IMPORTS
from core.pricing.manual import manual_step
from core.pricing.pipeline import round_step
from core.pricing.reference import SEEDS
from core.pricing.reports import REPORTS
from core.spec.app import Command, ConfigCheck, Mount, Permission, Seed, SettingSpec
from core.spec.imports import DataImport
from core.spec.markers import hookimpl
from core.spec.pricing import PriceStep
from core.spec.reports import ReportSource
from core.spec.ui import NavItem, Panel

_BUYERS = ("orderer", "approver", "company_admin", "viewer")
_STAFF = ("admin", "sales", "finance", "warehouse")


class Plugin:
    """List prices, tax and currency rates."""

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare the permissions of prices."""
        return (
            Permission("pricing.price.view", _l("See prices"), (*_BUYERS, *_STAFF, "guest")),
            Permission("pricing.price.manage", _l("Look after list prices"), ("admin", "sales")),
            Permission("pricing.tax.manage", _l("Look after tax rates"), ("admin", "finance")),
            Permission("pricing.rate.manage", _l("Look after currency rates"), ("admin", "finance")),
        )

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the back-office's pages of list prices and tax rates."""
        yield Mount(views.bp, "admin", prefix="/admin/prices", order=60)

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the tax rates."""
        yield NavItem("tax-rates", _l("Tax rates"), "pricing_admin.tax_rates", views.TAX, "prices", icon="percent", order=80)

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Show and change list prices on the product's page."""
        return views.PANELS

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Add `tukku price`."""
        yield Command(price)

    @hookimpl
    def app_seeds(self) -> Iterable[Seed]:
        """Bring the VAT rates of Europe along."""
        return SEEDS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask for tax, currency rates and prices."""
        return checks.CHECKS

    @hookimpl
    def price_steps(self) -> Iterable[PriceStep]:
        """Give every line its list price, what was agreed by hand, and its final precision."""
        return (list_price_step(), converted_step(), manual_step(), round_step())

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant have list prices converted."""
        yield SettingSpec(
            SETTING,
            bool,
            False,
            _l("Convert list prices into other currencies"),
            _l(
                "Where a product has none in a currency, the list price in the shop's currency holds at the rate of the day."
            ),
            group=_l("Prices"),
            order=10,
        )

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export tax rates, currency rates and list prices."""
        return IMPORTS

    @hookimpl
    def report_sources(self) -> Iterable[ReportSource]:
        """Report what a company pays."""
        return REPORTS


def init_app(app: Flask) -> None:
    """Answer the catalogue, which stands below, when its pages ask for prices."""
    use_prices(app, display.price_views, services.may_see)
