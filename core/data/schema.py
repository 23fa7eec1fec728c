"""All of core's mapped classes, imported in one place, for migrations and tests."""

from __future__ import annotations

import importlib

MODULES = (
    "core.data.models",
    "core.registry.models",
    "core.jobs.models",
    "core.settings.models",
    "core.accounts.models",
    "core.ui.models",
    "core.notifications.models",
    "core.companies.models",
    "core.catalog.models",
    "core.pricing.models",
    "core.orders.models",
    "core.restapi.models",
)


def load() -> None:
    """Map every class of core."""
    for module in MODULES:
        importlib.import_module(module)


if __name__ == "__main__":  # python -m core.data.schema: write the first revision anew (before the first release)
    from core.data.migrate import core_history, write_initial

    load()
    print(write_initial(core_history()))
