"""What orders contribute, through the hooks that addons use."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from core.catalog.habits import use_habits
from core.i18n import _l
from core.orders import (
    admin,
    charges,
    documents,
    guest_merging,
    mails,
    sweeps,
    views,
    views_checkout,
    views_guest,
    views_history,
    views_lists,
    views_prices,
)
from core.orders.core_rules import RULES
from core.orders.habits import OrderHabits
from core.orders.imports import IMPORTS
from core.orders.panels import CARDS, PANELS
from core.orders.permissions import PERMISSIONS
from core.orders.reports import REPORTS
from core.orders.settings import SETTINGS
from core.orders.steps import STEPS
from core.spec.app import DataCheck, Mount, Permission, SettingSpec, Subscriber
from core.spec.documents import DocumentRequest, DocumentSection
from core.spec.imports import DataImport
from core.spec.markers import hookimpl
from core.spec.notifications import NotificationKind
from core.spec.orders import Charge, ChargeRequest, CheckoutRule, CheckoutStep
from core.spec.reports import ReportSource
from core.spec.ui import Card, NavItem, Panel

#: The modules whose views stand in the shop's blueprint.
SHOP_VIEWS = (views, views_checkout, views_guest, views_history, views_lists, views_prices)
#: The modules whose views stand in the order desk's.
DESK_VIEWS = (admin, guest_merging)


def init_app(app: Flask) -> None:
    """Answer what the catalogue asks of orders."""
    use_habits(app, OrderHabits())


class Plugin:
    """Cart, checkout, orders."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the shop's pages and the order desk."""
        return (Mount(views.bp, "shop", prefix=""), Mount(admin.bp, "admin", prefix="/admin/orders"))

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare the permissions of orders."""
        return PERMISSIONS

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Declare what a merchant decides about orders."""
        return SETTINGS

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Tell the buyer and the company's sales person what becomes of an order."""
        return (
            Subscriber("order.submitted", "new_order", mails.tell_of_new, title=_l("Tell sales of a new order")),
            Subscriber(
                "order.confirmed",
                "confirmation_mail",
                mails.send_confirmation,
                title=_l("Send the confirmation of an order"),
            ),
            Subscriber(
                "order.rejected", "rejection_mail", mails.send_rejection, title=_l("Tell that an order was rejected")
            ),
            Subscriber(
                "order.cancelled", "cancellation_mail", mails.send_cancellation, title=_l("Tell that an order was cancelled")
            ),
            Subscriber("movement.recorded", "return_mail", mails.tell_of_return, title=_l("Tell that goods came back")),
        )

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Name what people are told of orders."""
        return mails.KINDS

    @hookimpl
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Contribute core's own rules."""
        return RULES

    @hookimpl
    def checkout_steps(self) -> Iterable[CheckoutStep]:
        """Contribute core's own steps: delivery, billing, about."""
        return STEPS

    @hookimpl
    def order_charges(self, request: ChargeRequest) -> Iterable[Charge]:
        """Charge freight and the surcharge for small orders that the settings name."""
        return charges.own(request)

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of orders."""
        return sweeps.CHECKS

    @hookimpl
    def document_sections(self, request: DocumentRequest) -> Iterable[DocumentSection]:
        """Put the merchant's own terms on the confirmation."""
        return documents.own_sections(request)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export past orders."""
        return IMPORTS

    @hookimpl
    def report_sources(self) -> Iterable[ReportSource]:
        """Report what was ordered."""
        return REPORTS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the order desk and to the buyer's orders."""
        return (
            NavItem("orders", _l("Orders"), "orders_admin.orders", "orders.desk.view", "sales", icon="receipt", order=10),
            NavItem(
                "history", _l("Orders"), "orders.history", "orders.order.view", "main", face="shop", icon="receipt", order=20
            ),
            NavItem(
                "lists", _l("Lists"), "orders.lists", "orders.order.place", "main", face="shop", icon="list-check", order=30
            ),
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Fill the buyer's home."""
        return PANELS

    @hookimpl
    def ui_cards(self) -> Iterable[Card]:
        """Show what waits for staff."""
        return CARDS
