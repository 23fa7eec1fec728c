"""Hook markers, what hooks receive and return, and errors for people."""

from core.spec.app import (
    AuditWords,
    Command,
    ConfigCheck,
    ConfigFinding,
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
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound, TukkuError
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult
from core.spec.markers import hookimpl
from core.spec.notifications import NotificationKind
from core.spec.orders import (
    Charge,
    ChargeLine,
    ChargeRequest,
    CheckoutRule,
    CheckoutStep,
    Discount,
    DiscountRequest,
    DraftLine,
    Finding,
    FreeGoods,
    HoldRequest,
    HoldType,
    OrderDraft,
    OrderFact,
    OrderFollower,
    OrderPart,
    Stage,
)
from core.spec.pricing import BreakQuantities, PriceStep
from core.spec.reports import ReportColumn, ReportParameter, ReportSource
from core.spec.restapi import ApiExtension, ApiResource
from core.spec.ui import Action, Card, Column, FormSection, ListFilter, NavItem, PageContext, Panel

__all__ = [
    "hookimpl",
    # the application
    "AuditWords", "Command", "ConfigCheck", "ConfigFinding", "DataCheck", "ExportFile", "HealthCheck", "Impact",
    "JobSpec", "Mount", "NotificationKind", "Permission", "Seed", "SettingSpec", "Subscriber", "TemplateHelper",
    # catalogue
    "QuantityLine", "QuantityRule", "VisibilityQuery",
    # imports
    "DataImport", "ImportField", "ImportRow", "RowResult",
    # orders
    "Charge", "ChargeLine", "ChargeRequest", "CheckoutRule", "CheckoutStep", "Discount", "DiscountRequest", "DraftLine",
    "Finding", "FreeGoods", "HoldRequest", "HoldType", "OrderDraft", "OrderFact", "OrderFollower", "OrderPart", "Stage",
    # reports
    "ReportColumn", "ReportParameter", "ReportSource",
    # the REST API
    "ApiExtension", "ApiResource",
    # documents
    "DocumentRequest", "DocumentSection",
    # prices
    "BreakQuantities", "PriceStep",
    # pages
    "Action", "Card", "Column", "FormSection", "ListFilter", "NavItem", "PageContext", "Panel",
    # errors for people
    "Conflict", "Forbidden", "Invalid", "NotFound", "TukkuError",
]  # fmt: skip
