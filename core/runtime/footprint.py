"""What core itself can count of an addon, whether or not its code loads: what is lost, or rests, while it is off."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import func, select, table

from core.accounts.roles import TITLES
from core.data.db import db
from core.i18n import ngettext
from core.jobs.models import Job
from core.jobs.work import all_work
from core.orders.models import Hold, Order
from core.registry.models import OwnedTable
from core.registry.registry import Registry
from core.runtime.mounting import BLUEPRINTS, owner_of
from core.settings.models import Setting
from core.spec.app import Impact


def footprint(name: str, app: Flask, registry: Registry) -> Iterator[Impact]:
    """Yield what disabling ``name`` means, with counts; nothing is said of what there is none of."""
    for said in (*_stored(name), *(_shown(name, app, registry) if name in registry.addons else ())):
        if said.count:
            yield said


def _stored(name: str) -> Iterator[Impact]:
    """Count rows: they stay, and wait."""
    open_ = (Hold.owner == name, Hold.released_at.is_(None), Order.state.in_(("submitted", "confirmed")))
    held = db.session.scalar(select(func.count(Hold.order_id.distinct())).join(Order).where(*open_)) or 0
    yield Impact(
        ngettext(
            "%(count)s order stays on hold by it; staff may release it with a reason.",
            "%(count)s orders stay on hold by it; staff may release them with a reason.",
            held,
        ),
        held,
        "severe",
    )
    rows = _rows(name)
    yield Impact(ngettext("%(count)s row of its tables rests.", "%(count)s rows of its tables rest.", rows), rows)
    values = db.session.scalar(select(func.count()).select_from(Setting).where(Setting.owner == name)) or 0
    yield Impact(ngettext("%(count)s setting has no effect.", "%(count)s settings have no effect.", values), values)
    due = (Job.addon == name, Job.state.in_(("waiting", "held")), func.coalesce(Job.unique_key, "").not_like("periodic:%"))
    jobs = db.session.scalar(select(func.count(Job.id)).where(*due)) or 0
    yield Impact(ngettext("%(count)s job of it is held.", "%(count)s jobs of it are held.", jobs), jobs)


def _shown(name: str, app: Flask, registry: Registry) -> Iterator[Impact]:
    """Count what an addon that runs contributes: it is gone at once."""
    times = sum(1 for work in all_work() if work.owner == name and work.periodic)
    said = ngettext("%(count)s schedule of background work rests.", "%(count)s schedules of background work rest.", times)
    yield Impact(said, times)
    owners = app.extensions.get(BLUEPRINTS, {})
    pages = sum(1 for rule in app.url_map.iter_rules() if owner_of(owners, rule.endpoint.rpartition(".")[0]) == name)
    yield Impact(ngettext("%(count)s address is not found.", "%(count)s addresses are not found.", pages), pages)
    links, panels = (_contributed(name, registry, *hooks) for hooks in (("ui_nav",), ("ui_panels", "ui_cards")))
    yield Impact(ngettext("%(count)s link is missing in menus.", "%(count)s links are missing in menus.", links), links)
    yield Impact(ngettext("%(count)s panel is missing on pages.", "%(count)s panels are missing on pages.", panels), panels)
    permissions = [found.value for found in registry.contributions("app_permissions") if found.owner == name]
    granted = [permission for permission in permissions if permission.roles]
    roles = sorted({str(TITLES.get(role, role)) for permission in granted for role in permission.roles})
    said = ngettext(
        "%(count)s permission of these roles rests: %(roles)s.",
        "%(count)s permissions of these roles rest: %(roles)s.",
        len(granted),
        roles=", ".join(roles),
    )
    yield Impact(said, len(granted))


def _contributed(name: str, registry: Registry, *hooks: str) -> int:
    return sum(found.owner == name for hook in hooks for found in registry.contributions(hook))


def _rows(name: str) -> int:
    """Count over a connection: the session reads tables with an owner by their mapped class only, which may be gone."""
    owned = db.session.scalars(select(OwnedTable.name).where(OwnedTable.owner == name)).all()
    with db.engine.connect() as connection:
        return sum(connection.scalar(select(func.count()).select_from(table(one))) or 0 for one in owned)
