"""Documents as PDF: a Typst template of the addon, filled with plain values."""

from core.i18n import speaking
from core.orders.documents import PDF, Document
from core.orders.typeset import compile_pdf

__all__ = ["PDF", "Document", "compile_pdf", "speaking"]
