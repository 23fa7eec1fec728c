"""Which products a company may see, and in which quantities it may order them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class VisibilityQuery:
    """For whom the catalogue is asked: a company (None for a guest), its parents and segments, and when.

    A guest's segments are those that visitors belong to (the segment ``guests``)."""

    company_id: int | None
    ancestor_ids: tuple[int, ...]
    segment_ids: tuple[int, ...]
    instant: datetime


@dataclass(frozen=True, slots=True)
class QuantityLine:
    """A line whose quantity is asked about; ``quantity`` in ``unit``."""

    key: str
    product_id: int
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class QuantityRule:
    """A limit for one line, stricter than the product's own; None leaves that side open.

    ``refused`` says why the line may not be ordered in its unit at all. ``reason`` is shown beside the limits.
    """

    key: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None
    reason: object = ""
    refused: object = ""
