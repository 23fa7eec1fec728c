"""What the back-office may ask of the platform. The runtime, which stands above it, answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from flask import current_app

from core.registry.operations import Proposal
from core.registry.overview import Overview
from core.registry.removal import Removal, RemovalKind

EXTENSION = "tukku.operator"


class Operator(Protocol):
    """The addons of the deployment, looked at once for each request."""

    def overview(self) -> Overview:
        """Return every addon with its state."""

    def contributions(self, name: str) -> Mapping[str, Sequence[str]]:
        """Return what a running addon contributes, by hook; empty for one that does not run."""

    def propose(self, kind: str, names: Sequence[str]) -> Proposal:
        """Return what enabling, disabling or upgrading (of all that is behind) would do."""

    def propose_removal(self, kind: RemovalKind, name: str) -> Removal:
        """Return what uninstalling or purging would remove."""

    def start(self, kind: str, names: Sequence[str], actor: str, *options: str) -> str:
        """Start the operation in a process of its own and return the id to follow it by."""


def operator() -> Operator:
    """Return an operator for the current request."""
    make = cast(Callable[[], Operator], current_app.extensions[EXTENSION])
    return make()
