"""What is set up wrongly, with the link that mends it; and how the shop and its addons are right now."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, render_template
from sqlalchemy import func, select

from core.backoffice.settings import titles
from core.data.db import db
from core.jobs.models import Job
from core.registry.code import on_disk
from core.registry.processes import alive
from core.registry.registry import registry
from core.ui.access import requires
from core.ui.findings import Checked, check_all

bp = Blueprint("checks_admin", __name__)
VIEW = "backoffice.check.view"
STATES = ("ok", "warning", "failing")


@bp.get("/checks")
@requires(VIEW)
def overview() -> str:
    """Show every check by its owner: what is wrong, how to mend it, and what is in order."""
    checked = check_all()
    wrong = [c for c in checked if c.findings]
    return render_template(
        "backoffice/checks.html",
        groups=list(_grouped(wrong)),
        fine=[c for c in checked if not c.findings],
        count=sum(len(c.findings) for c in wrong),
        titles=titles(),
    )


@bp.get("/status")
@requires(VIEW)
def status() -> str:
    """Show the health of domains and addons, the processes and the background work."""
    found = registry().batch("addon_health")
    states = dict(db.session.execute(select(Job.state, func.count(Job.id)).group_by(Job.state)).all())
    return render_template(
        "backoffice/status.html",
        health=[(owner, checks) for owner, checks in found if checks],
        worst=max((STATES.index(check.state) for _owner, checks in found for check in checks), default=0),
        processes=alive(),
        code=on_disk(registry()),
        generation=registry().generation,
        addons=registry().addons,
        jobs=states,
        titles=titles(),
    )


def _grouped(checked: list[Checked]) -> Iterator[tuple[str, list[Checked]]]:
    owners = dict.fromkeys(c.owner for c in checked)
    yield from ((owner, [c for c in checked if c.owner == owner]) for owner in owners)
