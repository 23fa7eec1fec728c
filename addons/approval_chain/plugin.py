"""What the addon contributes: the hold, the rule that refuses, pages for those who decide and for administrators."""

from __future__ import annotations

from collections.abc import Iterable

from core.api.hooks import (
    ApiResource,
    AuditWords,
    CheckoutRule,
    CheckoutStep,
    Column,
    Command,
    ConfigCheck,
    DataCheck,
    DataImport,
    DocumentRequest,
    DocumentSection,
    ExportFile,
    FormSection,
    HoldType,
    Impact,
    JobSpec,
    ListFilter,
    Mount,
    NavItem,
    NotificationKind,
    OrderFact,
    OrderFollower,
    OrderPart,
    Panel,
    Permission,
    SettingSpec,
    Stage,
    Subscriber,
    hookimpl,
)
from core.api.i18n import translations

from . import (
    allocation,
    api_centres,
    api_views,
    basis,
    bench_views,
    budget_checks,
    budget_import,
    budget_notices,
    bulk,
    centre_admin,
    centre_forms,
    centre_import,
    centre_list,
    centre_panels,
    checks,
    clockwork,
    company_section,
    export,
    facts,
    followers,
    inbox,
    inbox_panels,
    inbox_views,
    limit_import,
    notices,
    overruns,
    panels,
    periods,
    reasons,
    recheck,
    rule_import,
    seller,
    seller_views,
    services,
    spending_panels,
    subscribers,
    timing,
    voluntary,
    words,
)
from .permissions import (
    CENTRES_VIEW,
    DECIDE,
    LIMITS,
    PERMISSIONS,
    RULES,
    SELLER_DECIDE,
    SELLER_RULES,
    VIEW,
)

_, _l, ngettext, _p = translations(__name__)
BUDGETS = CheckoutRule("budgets", Stage.SUBMIT, overruns.findings, order=86)


class ApprovalChain:
    """Orders wait until the people whom their company's rules name have approved them."""

    @hookimpl
    def audit_words(self) -> Iterable[AuditWords]:
        """Give the trail words for what the addon writes into it."""
        return (words.WORDS,)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the shop's and the back-office's pages."""
        return (Mount(inbox_views.bp, "shop"), Mount(centre_admin.admin, "admin"))

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who decides, and who sets the rules."""
        return PERMISSIONS

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Tell those who decide and who ordered, and of budgets; close what ended otherwise."""
        return subscribers.SUBSCRIBERS

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Let time pass, look again at who decides, and decide on many orders."""
        return (clockwork.JOB, recheck.JOB, bulk.JOB)

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether rules and roles lead to somebody, and whether the ledger of budgets and the orders agree."""
        return (*checks.CHECKS, budget_checks.CHECK)

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the addon's rows."""
        return budget_checks.SWEEPS

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let each company have its hours and its patience."""
        return (basis.SETTING, *timing.SETTINGS, *periods.SETTINGS, budget_notices.SETTING)

    @hookimpl
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Let people choose how they hear of orders that wait for them, and of budgets."""
        return (*notices.KINDS, budget_notices.KIND)

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to what waits, and to the rules."""
        return (
            NavItem(
                "approvals",
                _l("Approvals"),
                "approval_chain.inbox_page",
                DECIDE,
                "account",
                "shop",
                "check-circle",
                inbox.badge,
                order=40,
            ),
            NavItem(
                "absences",
                _l("Absences and substitutes"),
                "approval_chain.absences",
                DECIDE,
                "account",
                "shop",
                "clock",
                order=60,
            ),
            NavItem(
                "rules", _l("Approval rules"), "approval_chain.rules", RULES, "account", "shop", "person-badge", order=70
            ),
            NavItem(
                "seller",
                _l("Approvals by us"),
                "approval_chain_admin.seller_approvals",
                SELLER_DECIDE,
                "sales",
                icon="check-circle",
                badge=seller.badge,
                order=30,
            ),
            NavItem(
                "seller_rules",
                _l("Rules of the seller"),
                "approval_chain_admin.seller_rules",
                SELLER_RULES,
                "sales",
                icon="person-badge",
                order=90,
            ),
            NavItem(
                "bench",
                _l("Try the approval rules"),
                "approval_chain_admin.try_company_rules",
                VIEW,
                "customers",
                icon="search",
                order=60,
            ),
            NavItem(
                "all_cost_centres",
                _l("Cost centres and budgets"),
                "approval_chain_admin.all_centres",
                LIMITS,
                "customers",
                icon="wallet2",
                order=55,
            ),
            NavItem(
                "limits",
                _l("Spending limits"),
                "approval_chain.spending_limits",
                RULES,
                "account",
                "shop",
                "stopwatch",
                order=75,
            ),
            NavItem(
                "cost_centres",
                _l("Cost centres and budgets"),
                "approval_chain.centres",
                CENTRES_VIEW,
                "account",
                "shop",
                "wallet2",
                order=80,
            ),
        )

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Say in the checkout who will approve, and on the order who did."""
        return (
            *inbox_panels.PANELS,
            *panels.PANELS,
            *spending_panels.PANELS,
            *centre_panels.PANELS,
            *bench_views.PANELS,
            *seller_views.PANELS,
        )

    @hookimpl
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Refuse what a company forbids; say what exceeds a budget and who must approve, each with its reason."""
        return (
            CheckoutRule("company_allows", Stage.SUBMIT, reasons.findings, order=90),
            CheckoutRule("seller_allows", Stage.SUBMIT, seller.refused, order=91),
            centre_panels.RULE,
            BUDGETS,
        )

    @hookimpl
    def checkout_steps(self) -> Iterable[CheckoutStep]:
        """Ask at the checkout for the cost centre, and whether somebody is to approve whom no rule asks."""
        return (centre_forms.STEP, voluntary.STEP)

    @hookimpl
    def ui_form_sections(self) -> Iterable[FormSection]:
        """Set in the form of a company how long its approvals may take."""
        return (company_section.SECTION,)

    @hookimpl
    def ui_columns(self) -> Iterable[Column]:
        """Offer cost centres in the list of orders; say why orders wait and for whom, and what is left of budgets."""
        return (centre_panels.COLUMN, *inbox.COLUMNS, *centre_list.COLUMNS)

    @hookimpl
    def ui_filters(self) -> Iterable[ListFilter]:
        """Narrow what waits by its reason and its cost centre, and cost centres by what is left."""
        return (*inbox.FILTERS, *centre_list.FILTERS)

    @hookimpl
    def document_sections(self, request: DocumentRequest) -> Iterable[DocumentSection]:
        """Say on the confirmation what each cost centre bears."""
        return centre_panels.sections(request)

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export cost centres, budgets, the cost centres of placed orders, rules and limits."""
        return (
            centre_import.COST_CENTRES,
            budget_import.BUDGETS,
            budget_import.ORDER_CENTRES,
            rule_import.RULES,
            limit_import.APPROVAL_LIMITS,
            limit_import.SPENDING_LIMITS,
        )

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Let programs read and decide approvals, and keep cost centres, budgets, limits and rules."""
        return (
            ApiResource("approvals", api_views.approvals),
            ApiResource("cost_centres", api_centres.centres),
            ApiResource("limits", api_centres.limits),
            ApiResource("rules", api_centres.rules),
        )

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Compare and mend the ledger at the command line."""
        return (budget_checks.COMMAND,)

    @hookimpl
    def order_parts(self) -> Iterable[OrderPart]:
        """Make cost centres part of what is decided on."""
        return (OrderPart("cost_centres", allocation.facts, allocation.copy),)

    @hookimpl
    def order_followers(self) -> Iterable[OrderFollower]:
        """Keep the cost centres of placed orders."""
        return (followers.FOLLOWER,)

    @hookimpl
    def order_facts(self) -> Iterable[OrderFact]:
        """Name the figures of orders that rules ask about; other addons add theirs."""
        return facts.FACTS

    @hookimpl
    def order_hold_types(self) -> Iterable[HoldType]:
        """Hold what must be approved."""
        return (services.HOLD, seller.HOLD)

    @hookimpl
    def addon_export(self, addon: str) -> Iterable[ExportFile]:
        """Write the decisions for people, when the addon is uninstalled."""
        return export.files()

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say how many rules ask nobody any more."""
        return checks.losses()
