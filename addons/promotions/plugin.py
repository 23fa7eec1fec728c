"""What the addon contributes: promotions in the back-office, vouchers in the cart, discounts on orders."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from core.api.data import clock, db
from core.api.hooks import (
    ApiResource,
    AuditWords,
    ChargeRequest,
    CheckoutRule,
    DataCheck,
    DataImport,
    Discount,
    DiscountRequest,
    FreeGoods,
    Impact,
    Mount,
    NavItem,
    OrderPart,
    Panel,
    Permission,
    Stage,
    hookimpl,
)
from core.api.i18n import translations

from . import api_views, imports, offers, services, shop_views, views, vouchers, words
from .models import Promotion
from .permissions import PERMISSIONS, VIEW

_, _l, ngettext, _p = translations(__name__)


class Promotions:
    """Discounts on whole orders and free goods with them, at once or by a voucher."""

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
        """Let programs read and write promotions."""
        return (ApiResource("promotions", api_views.bp),)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export promotions."""
        return (imports.PROMOTIONS,)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who may see and change promotions."""
        return PERMISSIONS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the promotions."""
        yield NavItem(
            "promotions", _l("Promotions"), "promotions_admin.promotions", VIEW, "prices", icon="percent", order=30
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Put the voucher field into the cart, and what comes free of charge beside an article's price."""
        yield Panel(
            key="offers",
            page="storefront.product",
            slot="price",
            template="promotions/panel_product.html",
            load=offers.of_product,
        )
        yield Panel(
            key="voucher",
            page="storefront.cart",
            slot="side",
            template="promotions/panel_cart.html",
            load=vouchers.cart_panel,
            title=_l("Discounts"),
            permission="orders.order.place",
            order=20,
        )

    @hookimpl
    def order_discounts(self, request: DiscountRequest) -> Iterable[Discount]:
        """Take off what promotions say."""
        return services.discounts(request)

    @hookimpl
    def order_free_goods(self, request: ChargeRequest) -> Iterable[FreeGoods]:
        """Give what promotions say."""
        return services.free_goods(request)

    @hookimpl
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Grant the last use of a voucher once."""
        yield CheckoutRule("voucher", Stage.SUBMIT, services.last_use_granted_once, order=90)

    @hookimpl
    def order_parts(self) -> Iterable[OrderPart]:
        """Keep the voucher with the order."""
        yield OrderPart("voucher", vouchers.facts, vouchers.copy)

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the addon's rows."""
        return services.SWEEPS

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say how many promotions stop."""
        active = select(func.count()).select_from(Promotion).where(*services.in_force(clock.now()))
        count = db.session.scalar(active) or 0
        if count:
            yield Impact(
                ngettext("%(count)s promotion stops holding.", "%(count)s promotions stop holding.", count, count=count)
            )
