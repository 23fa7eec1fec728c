"""Documents as PDF: a Typst template of the addon, filled with plain values."""

from core.orders.documents import PDF, Document, speaking
from core.orders.typeset import compile_pdf

__all__ = ["PDF", "Document", "compile_pdf", "speaking"]
