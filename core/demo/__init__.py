"""The demo merchant: an invented wholesaler of fasteners, bearings and pipe fittings, as import files."""

from __future__ import annotations

from collections.abc import Callable

from core.demo.generator import Summary, generate

__all__ = ["Summary", "generate", "load_demo"]


def load_demo(say: Callable[[str], None], scale: float = 1.0) -> None:
    """Load the demo merchant into the shop of the current app; see `core.demo.loading`.

    Imported here and not above, so that the generator needs nothing but the standard library.
    """
    from core.demo.loading import load_demo as load

    load(say, scale)
