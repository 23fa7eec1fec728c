"""The back-office's frame, home, command field and settings."""

from __future__ import annotations

from collections.abc import Iterable

from core.backoffice import addons, checks, figures, reports, settings, settings_targets, work
from core.backoffice.report_commands import report_group
from core.backoffice.shell import office_shell
from core.backoffice.views import bp
from core.i18n import _l
from core.spec.app import Command, Mount, Permission, TemplateHelper
from core.spec.markers import hookimpl
from core.spec.ui import Card, NavItem

assert settings_targets.bp is settings.bp  # the second module adds its page to the blueprint of the first


class Plugin:
    """What the back-office contributes."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the home and the command field."""
        yield Mount(bp, "admin", prefix="/admin")
        yield Mount(settings.bp, "admin", prefix="/admin")
        yield Mount(work.bp, "admin", prefix="/admin")
        yield Mount(addons.bp, "admin", prefix="/admin")
        yield Mount(checks.bp, "admin", prefix="/admin")
        yield Mount(reports.bp, "admin", prefix="/admin")

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Add `tukku report`."""
        yield Command(report_group)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Let the staff in."""
        yield Permission("backoffice.home.view", _l("Open the back-office"), ("admin", "sales", "finance", "warehouse"))
        yield Permission(settings.EDIT, _l("Change the settings"), ("admin",))
        yield Permission(reports.USE, _l("Read reports"), ("admin", "sales", "finance"))
        yield Permission(work.SEE_AUDIT, _l("See who changed what"), ("admin",))
        yield Permission(checks.VIEW, _l("See what is set up wrongly, and the status of the shop"), ("admin",))
        yield Permission(addons.VIEW, _l("See the addons and their incidents"), ("admin",))
        yield Permission(addons.MANAGE, _l("Switch addons on and off"), ("admin",))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the settings, the addons, the background work and the trail."""
        yield NavItem("reports", _l("Reports"), "reports_admin.overview", reports.USE, "reports", icon="bar-chart", order=10)
        yield NavItem(
            "jobs", _l("Background work"), "work_admin.jobs", work.SEE_JOBS, "setup",
            icon="clock-history", badge=work.failed_jobs, order=80,
        )  # fmt: skip
        audit = _l("Who changed what")
        yield NavItem("audit", audit, "work_admin.audit", work.SEE_AUDIT, "setup", icon="list-check", order=85)
        yield NavItem(
            "settings", _l("Settings"), "settings_admin.overview", settings.EDIT, "setup", icon="sliders", order=90
        )
        yield NavItem(
            "checks", _l("Set-up checks"), "checks_admin.overview", checks.VIEW, "setup", icon="list-check", order=92
        )
        yield NavItem("status", _l("Status"), "checks_admin.status", checks.VIEW, "setup", icon="stopwatch", order=93)
        yield NavItem("addons", _l("Addons"), "addons_admin.overview", addons.VIEW, "setup", icon="puzzle", order=95)

    @hookimpl
    def ui_cards(self) -> Iterable[Card]:
        """Show the month's figures, failed work and a wrong set-up among what waits, and what was changed lately."""
        yield Card("figures", "backoffice/_figures.html", figures.load, "figures", "", "orders.desk.view", order=10)
        yield Card("jobs", "backoffice/_queue.html", work.queues, "queue", "", work.SEE_JOBS, order=90)
        yield Card("lately", "backoffice/_lately.html", work.lately, "half", _l("Lately"), work.SEE_AUDIT, order=90)

    @hookimpl
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Give templates what the frame shows."""
        yield TemplateHelper("office_shell", office_shell)
