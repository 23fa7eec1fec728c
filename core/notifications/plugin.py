"""Notifications as a domain: the person's page and choices, the morning's digests, housekeeping."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from core.i18n import _l
from core.notifications import digest, services
from core.notifications.views import OWN, bp
from core.spec.app import JobSpec, Mount
from core.spec.markers import hookimpl
from core.spec.ui import NavItem


class Plugin:
    """What notifications contribute."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the person's page and choices."""
        yield Mount(bp, "shop", prefix="/notifications")

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Send digests in the morning; forget what was read long ago."""
        yield JobSpec("digest", digest.send, at="07:00", title=_l("Send digests"))
        yield JobSpec("prune", _prune, every=timedelta(hours=24), title=_l("Remove old notifications"))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to one's notifications."""
        yield NavItem("notifications", _l("Notifications"), "notifications.inbox", OWN, "account", "shop", "bell", order=15)


def _prune(_payload: dict[str, Any]) -> None:
    services.prune()
