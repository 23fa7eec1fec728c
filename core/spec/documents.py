"""What addons add to a document such as the order confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """The document that is being made, in the language in which gettext speaks at the time."""

    kind: str
    order_id: int
    number: str
    company_id: int
    currency: str
    locale: str


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """A section below the sums: a title, paragraphs of plain text, and rows of label and value. All translated."""

    title: str
    text: str = ""
    rows: Sequence[tuple[str, str]] = ()
    order: int = 100
