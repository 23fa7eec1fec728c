"""Jobs as a domain: the mail job, housekeeping, settings and permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.i18n import _l
from core.jobs import health, mail, queue, sweeps
from core.spec.app import ConfigCheck, DataCheck, HealthCheck, JobSpec, Permission, SettingSpec
from core.spec.markers import hookimpl


class Plugin:
    """What jobs contribute."""

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Send mail; remove old rows at night."""
        yield JobSpec("mail", mail.deliver, title=_l("Send mail"))
        yield JobSpec("prune", _prune, at="03:40", title=_l("Remove old jobs"))

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Say who sends the shop's mail."""
        yield SettingSpec(
            "mail_from",
            str,
            "Tukku <shop@localhost>",
            _l("Sender of mail"),
            _l("Name and address from which the shop writes, such as “Example Oy <shop@example.com>”."),
            minimum=3,
            maximum=200,
            group=_l("Mail"),
        )

    @hookimpl
    def config_checks(self) -> Iterable[ConfigCheck]:
        """Ask whether mail leaves the house."""
        return health.CHECKS

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of jobs."""
        return sweeps.CHECKS

    @hookimpl
    def addon_health(self) -> Iterable[HealthCheck]:
        """Say whether jobs run in time."""
        return health.health()

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Let administrators see and repeat background work."""
        yield Permission("jobs.job.view", _l("See background work"), ("admin",))
        yield Permission("jobs.job.retry", _l("Repeat and discard background work"), ("admin",))


def _prune(_payload: dict[str, Any]) -> None:
    queue.prune()
