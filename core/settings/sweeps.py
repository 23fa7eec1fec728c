"""What always holds of stored settings."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from core.data.db import db
from core.registry.owners import known_owners
from core.registry.registry import registry
from core.settings.models import Setting
from core.spec.app import DataCheck


def unread() -> Iterator[str]:
    """Find stored settings that nobody declares: the addon is gone, or what runs has no such setting."""
    here, known = registry(), known_owners()
    declared = {(found.owner, found.value.key) for found in here.contributions("app_settings")}
    query = select(Setting.owner, Setting.key, Setting.target).order_by(Setting.owner, Setting.key, Setting.target)
    for owner, key, target in db.session.execute(query):
        if owner not in known or (here.runs(owner) and (owner, key) not in declared):
            yield f"{owner}.{key}" + (f" for {target}" if target else "")


CHECKS = (
    DataCheck(
        "SETTING-UNREAD", "Each stored setting is declared by core or by an addon that is installed.", unread,
        "Install the addon again, or forget the value: `tukku settings reset NAME`, with `--for` where it is said.",
        "warning",
    ),
)  # fmt: skip
