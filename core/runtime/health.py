"""Is the process alive, and may it be sent requests: for supervisors and load balancers, before any view or session.

`/healthz` touches nothing. `/readyz` answers 503 with the names of the checks that fail; neither says what runs here.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import select
from werkzeug.wrappers import Response

from core.data import clock
from core.data.db import db
from core.data.migrate import core_history, pending
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.registry.models import Generation
from core.registry.registry import registry

LOG = logging.getLogger("tukku.health")
ALIVE, READY = "/healthz", "/readyz"
ADDRESSES = frozenset({ALIVE, READY})
FREE = 0.05  # of the disk with the data
PATIENCE = timedelta(minutes=5)  # for work that is due


def answer(path: str, app: Flask) -> Response:
    """Return the answer to one of the two addresses."""
    if path == ALIVE:
        return _json('{"status": "alive"}', 200)
    with app.app_context(), acting(system("readiness")):
        failing = [name for name, check in CHECKS.items() if not _passes(name, check)]
    if failing:
        names = ", ".join(f'"{name}"' for name in failing)
        return _json(f'{{"status": "not ready", "failing": [{names}]}}', 503)
    return _json('{"status": "ready"}', 200)


def _json(text: str, status: int) -> Response:
    return Response(text + "\n", status, {"Cache-Control": "no-store"}, mimetype="application/json")


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:  # the driver's own; whatever it is, the process is not ready
        LOG.warning("not ready, %s: %s", name, error)
        return False


def _writes() -> bool:
    """Take the write lock and give it back: a full disk, or a lock that somebody holds, shows here."""
    with write() as session:
        session.execute(select(Generation.number).limit(1))
    return True


def _migrated() -> bool:
    return not pending(db.engine, core_history())


def _complete() -> bool:
    return not registry().degraded


def _room() -> bool:
    disk = shutil.disk_usage(current_app.config["TUKKU_DATA_DIR"])
    return disk.free > disk.total * FREE


def _prompt() -> bool:
    due = select(Job.id).where(Job.state == "waiting", Job.run_at < clock.now() - PATIENCE).limit(1)
    return db.session.execute(due).first() is None


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _writes,
    "migrations": _migrated,
    "addons": _complete,
    "disk": _room,
    "jobs": _prompt,
}
