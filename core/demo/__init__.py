"""The demo merchant: an invented wholesaler of fasteners, bearings and pipe fittings, as import files."""

from core.demo.generator import Summary, generate

__all__ = ["Summary", "generate"]
