"""Every view says who may call it: ``@requires("orders.order.place")`` or ``@public("reason")``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])


def requires(*permissions: str) -> Callable[[V], V]:
    """Let only actors holding one of ``permissions`` call the view; the check runs before the view, in core.accounts."""
    if not permissions:
        raise ValueError("requires() needs the name of a permission")

    def mark(view: V) -> V:
        view.tukku_permissions = permissions  # type: ignore[attr-defined]
        return view

    return mark


def public(reason: str) -> Callable[[V], V]:
    """Let everybody call the view; ``reason`` says why nobody needs protection from that."""
    if not reason:
        raise ValueError("public() needs a reason")

    def mark(view: V) -> V:
        view.tukku_public = reason  # type: ignore[attr-defined]
        return view

    return mark


def declared(view: Any) -> bool:
    """Tell whether the view declares its access."""
    return hasattr(view, "tukku_permissions") or hasattr(view, "tukku_public")
