"""Who may own a row that names its owner: core, its domains, what runs, and every addon that was not uninstalled."""

from __future__ import annotations

from sqlalchemy import select

from core.data.db import db
from core.registry.models import AddonState
from core.registry.registry import registry


def known_owners() -> frozenset[str]:
    """Return their names; whoever is not among them is gone, and nobody reads its rows. One statement."""
    here = registry()
    return frozenset({"core", *here.domains, *here.addons, *db.session.scalars(select(AddonState.name))})
