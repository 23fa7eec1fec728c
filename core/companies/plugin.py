"""What companies contribute: their pages, permissions and places in the menus."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from core.accounts.identity import use_buyers
from core.accounts.roles import BUYER, STAFF
from core.companies import admin_views, checks, invitations, setup_views, sweeps, views
from core.companies.buyers import CompanyBuyers
from core.companies.identifiers import country_name
from core.companies.imports import IMPORTS
from core.companies.services import seller
from core.companies.targets import CompanyTargets
from core.i18n import _l
from core.jobs.work import use_zone
from core.settings.services import use_targets
from core.spec.app import ConfigCheck, DataCheck, Mount, Permission, TemplateHelper
from core.spec.errors import NotFound
from core.spec.imports import DataImport
from core.spec.markers import hookimpl
from core.spec.notifications import NotificationKind
from core.spec.ui import NavItem

assert setup_views.bp is admin_views.bp  # the second module adds its pages to the blueprint of the first


def init_app(app: Flask) -> None:
    """Answer for the companies of people who sign in, for settings that differ by company, and for the seller's zone."""
    use_buyers(app, CompanyBuyers())
    use_targets(app, CompanyTargets())
    use_zone(app, _zone)


def _zone() -> str:
    """Return the zone in which daily jobs run: the seller's, once there is one."""
    try:
        return seller().zone
    except NotFound:
        return "UTC"


class Plugin:
    """Companies, their addresses and people."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the shop's and the back-office's pages."""
        yield Mount(views.bp, "shop", prefix="", order=20)
        yield Mount(admin_views.bp, "admin", prefix="/admin/companies", order=20)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Name what may be done about companies."""
        desk = ("admin", "sales")
        yield Permission("companies.company.view", _l("See companies in the back-office"), STAFF)
        yield Permission("companies.company.edit", _l("Add and change companies and their addresses"), desk)
        yield Permission("companies.segment.edit", _l("Look after segments"), desk)
        yield Permission("companies.buyer.view", _l("See the people of companies"), ("admin", "sales", "finance"))
        yield Permission("companies.buyer.edit", _l("Invite people into companies and change their roles"), desk)
        yield Permission("companies.buyer.act_for", _l("Act for a buyer"), desk)
        yield Permission("companies.seller.edit", _l("Change the seller's own data"), ("admin",))
        yield Permission("companies.company.read", _l("See one's own company"), BUYER)
        yield Permission("companies.subtree.view", _l("See what subsidiaries do"), ("company_admin",))
        yield Permission("companies.address.edit", _l("Add and change one's company's addresses"), ("company_admin",))
        yield Permission("companies.member.view", _l("See the people of one's company"), ("company_admin", "approver"))
        yield Permission("companies.member.edit", _l("Invite people and change their roles"), ("company_admin",))
        yield Permission("companies.invitation.edit", _l("Send invitations again and withdraw them"), ("company_admin",))

    @hookimpl
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Name countries in templates."""
        yield TemplateHelper("country", country_name, "filter")

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export people, companies and addresses."""
        return IMPORTS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of companies."""
        return sweeps.CHECKS

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether the seller is complete."""
        return checks.CHECKS

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Name what people are told of invitations."""
        return invitations.KINDS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to companies in both faces."""
        read, members = "companies.company.read", "companies.member.view"
        yield NavItem("company", _l("Our company"), "companies.company", read, "account", "shop", "building", order=30)
        yield NavItem("addresses", _l("Addresses"), "companies.address_list", read, "account", "shop", "geo-alt", order=40)
        yield NavItem("members", _l("People"), "companies.members", members, "account", "shop", "people", order=50)
        yield NavItem(
            "companies",
            _l("Companies"),
            "companies_admin.companies",
            "companies.company.view",
            "customers",
            icon="buildings",
            order=10,
        )
        yield NavItem(
            "buyers", _l("Buyers"), "companies_admin.buyers", "companies.buyer.view", "customers", icon="people", order=20
        )
        yield NavItem(
            "segments",
            _l("Segments"),
            "companies_admin.segment_list",
            "companies.segment.edit",
            "customers",
            icon="tags",
            order=30,
        )
        yield NavItem(
            "seller", _l("Seller"), "companies_admin.seller", "companies.seller.edit", "setup", icon="shop", order=10
        )
