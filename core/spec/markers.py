"""Markers of hook specifications and implementations, with each hook's kind and error policy.

Kinds: ``contribute`` hooks are called once per build and return an iterable of one frozen dataclass;
``batch`` hooks are called while serving, with a whole batch, never in a loop; ``notify`` hooks return nothing.
Error policies: ``build`` (the addon is left out), ``isolate`` (its contribution is, staff see a box),
``fail`` (the operation is refused: money, credit, stock, approval).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pluggy

PROJECT = "tukku"
Kind = Literal["contribute", "batch", "notify"]
Policy = Literal["build", "isolate", "fail"]
F = TypeVar("F", bound=Callable[..., Any])

hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


def spec(*, kind: Kind, on_error: Policy, result: type | None = None, since: str = "0.1") -> Callable[[F], F]:
    """Mark a hook specification; ``result`` is the dataclass that implementations return iterables of."""

    def mark(function: F) -> F:
        function.kind = kind  # type: ignore[attr-defined]
        function.on_error = on_error  # type: ignore[attr-defined]
        function.result = result  # type: ignore[attr-defined]
        function.since = since  # type: ignore[attr-defined]
        return _hookspec(function)

    return mark
