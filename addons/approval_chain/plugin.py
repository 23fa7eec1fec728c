"""What the addon contributes: the hold, the rule that refuses, pages for those who decide and for administrators."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    CheckoutRule,
    HoldType,
    Impact,
    Mount,
    NavItem,
    NotificationKind,
    Panel,
    Permission,
    Stage,
    Subscriber,
    hookimpl,
)
from core.api.i18n import translations

from . import notices, panels, services, views
from .permissions import DECIDE, PERMISSIONS, RULES

_, _l, ngettext, _p = translations(__name__)


class ApprovalChain:
    """Orders wait until the people whom their company's rules name have approved them."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the shop's pages."""
        return (Mount(views.bp, "shop"),)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who decides, and who sets the rules."""
        return PERMISSIONS

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Tell those who decide."""
        return (Subscriber("hold.added", "tell_approvers", notices.tell_approvers),)

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Let people choose how they hear of orders that wait for them."""
        return notices.KINDS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to what waits, and to the rules."""
        return (
            NavItem(
                "approvals", _l("Approvals"), "approval_chain.inbox", DECIDE, "account", "shop", "check-circle", order=40
            ),
            NavItem(
                "rules", _l("Approval rules"), "approval_chain.rules", RULES, "account", "shop", "person-badge", order=70
            ),
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Say in the checkout who will approve, and on the order who did."""
        return panels.PANELS

    @hookimpl
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Refuse what a company forbids."""
        return (CheckoutRule("company_allows", Stage.SUBMIT, services.refused, order=90),)

    @hookimpl
    def order_hold_types(self) -> Iterable[HoldType]:
        """Hold what must be approved."""
        return (services.HOLD,)

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say how many orders stay held."""
        count = services.waiting_count()
        if count:
            text = ngettext(
                "%(count)s order stays on hold for approval; staff may release it with a reason.",
                "%(count)s orders stay on hold for approval; staff may release them with a reason.",
                count,
            )
            yield Impact(text, count, "severe")
