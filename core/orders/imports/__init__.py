"""The kinds of import about orders, contributed by the domain's plugin."""

from core.orders.imports.heads import ORDERS
from core.orders.imports.lines import ORDER_LINES
from core.spec.imports import DataImport

IMPORTS: tuple[DataImport, ...] = (ORDERS, ORDER_LINES)
