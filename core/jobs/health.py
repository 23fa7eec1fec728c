"""How mail and background work are set up, and how they are right now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from core.data import clock
from core.data.db import db
from core.i18n import _, _l, ngettext
from core.jobs.models import Job
from core.settings.services import get
from core.spec.app import ConfigCheck, ConfigFinding, HealthCheck

LATE = timedelta(minutes=5)


def mail_is_set_up() -> Iterator[ConfigFinding]:
    """Find out whether mail leaves the house, and from whom."""
    if not os.environ.get("TUKKU_SMTP_URL"):
        text = _("No mail server is set: mail is only laid into the folder “mail” of the data directory.")
        yield ConfigFinding("MAIL-SERVER", "warning", text, _("Set TUKKU_SMTP_URL and start the shop again."))
    sender = str(get("jobs", "mail_from"))
    if "@localhost" in sender or "@" not in sender:
        text = _("Mail is sent from “%(sender)s”, to which nobody can reply.", sender=sender)
        yield ConfigFinding("MAIL-SENDER", "warning", text, _("Open the setting"), "settings_admin.owner", {"name": "jobs"})


CHECKS = (ConfigCheck("mail", _l("Mail server and sender"), mail_is_set_up, order=50),)


def health() -> Iterator[HealthCheck]:
    """Say whether jobs run in time, and whether some have failed."""
    oldest = db.session.scalar(select(func.min(Job.run_at)).where(Job.state == "waiting", Job.run_at <= clock.now()))
    title = _l("Background work runs in time")
    if oldest is not None and clock.now() - oldest > LATE:
        minutes = int((clock.now() - oldest).total_seconds() // 60)
        text = ngettext(
            "The oldest job has waited for %(count)s minute. Is `tukku worker` running?",
            "The oldest job has waited for %(count)s minutes. Is `tukku worker` running?",
            minutes,
        )
        yield HealthCheck("in_time", title, "failing", text)
    else:
        yield HealthCheck("in_time", title, "ok", _("No job waits for longer than five minutes."))
    failed = db.session.scalar(select(func.count(Job.id)).where(Job.state == "failed")) or 0
    yield HealthCheck(
        "failed",
        _l("Jobs that failed"),
        "warning" if failed else "ok",
        ngettext("%(count)s job has failed for good.", "%(count)s jobs have failed for good.", failed),
    )
