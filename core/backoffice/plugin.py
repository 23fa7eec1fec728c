"""The back-office's frame, home, command field and settings."""

from __future__ import annotations

from collections.abc import Iterable

from core.backoffice import settings
from core.backoffice.shell import office_shell
from core.backoffice.views import bp
from core.i18n import _l
from core.spec.app import Mount, Permission, TemplateHelper
from core.spec.markers import hookimpl
from core.spec.ui import NavItem


class Plugin:
    """What the back-office contributes."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the home and the command field."""
        yield Mount(bp, "admin", prefix="/admin")
        yield Mount(settings.bp, "admin", prefix="/admin")

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Let the staff in."""
        yield Permission("backoffice.home.view", _l("Open the back-office"), ("admin", "sales", "finance", "warehouse"))
        yield Permission(settings.EDIT, _l("Change the settings"), ("admin",))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the settings."""
        yield NavItem("settings", _l("Settings"), "settings_admin.overview", settings.EDIT, "setup", icon="sliders", order=90)

    @hookimpl
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Give templates what the frame shows."""
        yield TemplateHelper("office_shell", office_shell)
