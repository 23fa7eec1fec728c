"""Every hook that core calls, by domain. An implementation takes a subset of the arguments, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from core.spec.app import (
    AuditWords,
    Command,
    ConfigCheck,
    DataCheck,
    ExportFile,
    HealthCheck,
    Impact,
    JobSpec,
    Mount,
    Permission,
    Seed,
    SettingSpec,
    Subscriber,
    TemplateHelper,
)
from core.spec.catalog import QuantityLine, QuantityRule, VisibilityQuery
from core.spec.documents import DocumentRequest, DocumentSection
from core.spec.imports import DataImport
from core.spec.markers import spec
from core.spec.notifications import NotificationKind
from core.spec.orders import (
    Charge,
    ChargeRequest,
    CheckoutRule,
    CheckoutStep,
    Discount,
    DiscountRequest,
    FreeGoods,
    HoldType,
    OrderFact,
    OrderFollower,
    OrderPart,
)
from core.spec.pricing import BreakQuantities, PriceBatch, PriceStep
from core.spec.reports import ReportSource
from core.spec.restapi import ApiExtension, ApiResource
from core.spec.ui import Action, Card, Column, FormSection, ListFilter, NavItem, Panel

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


class AppHooks:
    """The application: what is mounted, may be done, is set, runs in the background."""

    @spec(kind="contribute", on_error="build", result=Mount)
    def app_mounts(self) -> Iterable[Mount]:
        """Return the blueprints to mount."""

    @spec(kind="contribute", on_error="build", result=Command)
    def app_commands(self) -> Iterable[Command]:
        """Return click commands."""

    @spec(kind="contribute", on_error="build", result=Permission)
    def app_permissions(self) -> Iterable[Permission]:
        """Return the permissions that the addon's views require."""

    @spec(kind="contribute", on_error="build", result=SettingSpec)
    def app_settings(self) -> Iterable[SettingSpec]:
        """Return the addon's typed settings."""

    @spec(kind="contribute", on_error="build", result=AuditWords)
    def audit_words(self) -> Iterable[AuditWords]:
        """Return the words for what the addon writes into the audit."""

    @spec(kind="contribute", on_error="build", result=JobSpec)
    def app_jobs(self) -> Iterable[JobSpec]:
        """Return background and scheduled work."""

    @spec(kind="contribute", on_error="build", result=Subscriber)
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Return named handlers of events; each runs as a job after the event's transaction committed."""

    @spec(kind="contribute", on_error="build", result=NotificationKind)
    def notification_kinds(self) -> Iterable[NotificationKind]:
        """Return what the addon tells people of; each person chooses by mail or on the page, at once or in a digest."""

    @spec(kind="contribute", on_error="build", result=TemplateHelper)
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Return template filters and globals."""

    @spec(kind="contribute", on_error="build", result=Seed)
    def app_seeds(self) -> Iterable[Seed]:
        """Return reference data, loaded by `tukku init`, `upgrade` and `seed`; what people changed stays theirs."""

    @spec(kind="contribute", on_error="build", result=ConfigCheck)
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Return questions to the set-up, shown in the back-office and by `tukku check`; one that fails is a finding."""

    @spec(kind="contribute", on_error="build", result=DataCheck)
    def data_checks(self) -> Iterable[DataCheck]:
        """Return what holds of the addon's rows at all times; `tukku doctor` asks, at night or after a fault."""

    @spec(kind="batch", on_error="isolate", result=HealthCheck)
    def addon_health(self) -> Iterable[HealthCheck]:
        """Return how the addon is right now, for the status page: cheap checks, a handful."""

    @spec(kind="batch", on_error="isolate", result=Impact)
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Return what users lose when ``addon`` is disabled; asked only of that addon."""

    @spec(kind="batch", on_error="isolate", result=ExportFile)
    def addon_export(self, addon: str) -> Iterable[ExportFile]:
        """Return files for people to read, written when ``addon`` is uninstalled; asked only of that addon.

        What its `data_imports` export is written anyway.
        """


class UiHooks:
    """Pages: navigation, panels, form sections, list columns, filters and actions."""

    @spec(kind="contribute", on_error="build", result=NavItem)
    def ui_nav(self) -> Iterable[NavItem]:
        """Return navigation items."""

    @spec(kind="contribute", on_error="build", result=Panel)
    def ui_panels(self) -> Iterable[Panel]:
        """Return panels for slots of pages."""

    @spec(kind="contribute", on_error="build", result=Card)
    def ui_cards(self) -> Iterable[Card]:
        """Return cards of the back-office's home."""

    @spec(kind="contribute", on_error="build", result=FormSection)
    def ui_form_sections(self) -> Iterable[FormSection]:
        """Return sections of core's forms."""

    @spec(kind="contribute", on_error="build", result=Column)
    def ui_columns(self) -> Iterable[Column]:
        """Return list columns."""

    @spec(kind="contribute", on_error="build", result=ListFilter)
    def ui_filters(self) -> Iterable[ListFilter]:
        """Return list filters."""

    @spec(kind="contribute", on_error="build", result=Action)
    def ui_actions(self) -> Iterable[Action]:
        """Return bulk actions of lists."""


class CatalogHooks:
    """The catalogue: what a company sees, and in which quantities it orders."""

    @spec(kind="batch", on_error="fail")
    def catalog_visibility(self, query: VisibilityQuery) -> Iterable[ColumnElement[bool]]:
        """Return SQL conditions on ``Product`` for what the company may see; all conditions must hold.

        Return none where this company sees everything: its lists and counts are then kept with the catalogue's.
        """

    @spec(kind="batch", on_error="fail", result=QuantityRule)
    def quantity_rules(self, lines: Sequence[QuantityLine], company_id: int | None) -> Iterable[QuantityRule]:
        """Return stricter quantity limits for some of the lines; the strictest of each side holds."""


class PricingHooks:
    """Prices: steps of the pipeline and the quantities at which a price changes."""

    @spec(kind="contribute", on_error="build", result=PriceStep)
    def price_steps(self) -> Iterable[PriceStep]:
        """Return steps of the price pipeline."""

    @spec(kind="batch", on_error="fail", result=BreakQuantities)
    def price_breaks(self, batch: PriceBatch) -> Iterable[BreakQuantities]:
        """Return the quantities at which prices of the batch's products may change, for the ladder."""


class OrderHooks:
    """Orders: rules at checkout, holds, and the parts that addons keep with an order."""

    @spec(kind="contribute", on_error="build", result=CheckoutRule)
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Return checkout rules."""

    @spec(kind="contribute", on_error="build", result=CheckoutStep)
    def checkout_steps(self) -> Iterable[CheckoutStep]:
        """Return steps of the checkout of people who are signed in."""

    @spec(kind="contribute", on_error="build", result=HoldType)
    def order_hold_types(self) -> Iterable[HoldType]:
        """Return the kinds of hold that the addon may place."""

    @spec(kind="contribute", on_error="build", result=OrderFact)
    def order_facts(self) -> Iterable[OrderFact]:
        """Return figures of orders that rules may ask about, such as those of an approval."""

    @spec(kind="batch", on_error="fail", result=Charge)
    def order_charges(self, request: ChargeRequest) -> Iterable[Charge]:
        """Return freight and other charges; asked whenever a cart is priced, last when the order is placed."""

    @spec(kind="batch", on_error="fail", result=Discount)
    def order_discounts(self, request: DiscountRequest) -> Iterable[Discount]:
        """Return what comes off lines and charges; asked after the charges whenever a document is priced."""

    @spec(kind="batch", on_error="fail", result=FreeGoods)
    def order_free_goods(self, request: ChargeRequest) -> Iterable[FreeGoods]:
        """Return what comes with the document for nothing; asked whenever it is priced, last when the order is placed."""

    @spec(kind="batch", on_error="fail", result=DocumentSection)
    def document_sections(self, request: DocumentRequest) -> Iterable[DocumentSection]:
        """Return sections of a document, below its sums; a document is refused rather than made without one."""

    @spec(kind="contribute", on_error="build", result=OrderFollower)
    def order_followers(self) -> Iterable[OrderFollower]:
        """Return what is written with every change of an order, in its transaction: ledgers that must agree with it."""

    @spec(kind="contribute", on_error="build", result=OrderPart)
    def order_parts(self) -> Iterable[OrderPart]:
        """Return the addon's parts of an order."""


class DataHooks:
    """Data in and out."""

    @spec(kind="contribute", on_error="build", result=ReportSource)
    def report_sources(self) -> Iterable[ReportSource]:
        """Return reports for the back-office and `tukku report`."""

    @spec(kind="contribute", on_error="build", result=DataImport)
    def data_imports(self) -> Iterable[DataImport]:
        """Return kinds of import (and export)."""


class ApiHooks:
    """The REST API: resources of their own, and values added to core's."""

    @spec(kind="contribute", on_error="build", result=ApiResource)
    def api_resources(self) -> Iterable[ApiResource]:
        """Return resources of the REST API."""

    @spec(kind="contribute", on_error="build", result=ApiExtension)
    def api_extensions(self) -> Iterable[ApiExtension]:
        """Return what appears under ``extensions.<addon>`` of core's resources."""


SPECS = (AppHooks, UiHooks, CatalogHooks, PricingHooks, OrderHooks, DataHooks, ApiHooks)
