"""Load the reference data that domains and addons bring along; one that fails is said, and stops none of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection

from core.data.seeds import load
from core.registry.registry import registry


def load_seeds(echo: Callable[[str], None], names: Collection[str] | None = None) -> None:
    """Load every seed of the present app, or those of ``names``; inside an app context, as whoever acts."""
    for contribution in registry().contributions("app_seeds"):
        owner, found = contribution.owner, contribution.value
        if names is not None and owner not in names:
            continue
        attempt = registry().attempt(owner, "app_seeds", load, owner, found)
        if attempt.value is None:
            echo(f"{owner}: {found.name} could not be loaded; the incident is recorded.")
        elif attempt.value.added or attempt.value.updated:
            done = attempt.value
            echo(f"{owner}: {found.name}: {done.added} added, {done.updated} brought up to date, {done.kept} kept.")
