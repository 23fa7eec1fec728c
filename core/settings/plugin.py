"""Settings as a domain: the permission to change them."""

from __future__ import annotations

from collections.abc import Iterable

from core.i18n import _l
from core.spec.app import Permission
from core.spec.markers import hookimpl


class Plugin:
    """What settings contribute."""

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Let administrators see and change the deployment's settings."""
        yield Permission("settings.setting.view", _l("See settings"), ("admin",))
        yield Permission("settings.setting.edit", _l("Change settings"), ("admin",))
