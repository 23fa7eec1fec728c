"""`tukku jobs` and `tukku worker`: background work seen, repeated, and run in a process of its own."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from typing import Any

import click

from core.cli.context import config_of, emit, json_option, table, working
from core.jobs import services
from core.jobs.models import Job
from core.runtime.app import build_app

STATES = ("waiting", "running", "done", "failed", "held")


@click.group("jobs")
def jobs() -> None:
    """See background work, and repeat what failed. Example: tukku jobs list --state failed"""


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only jobs in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
@json_option
def list_(state: str | None, limit: int, as_json: bool) -> None:
    """List jobs, newest first. Example: tukku jobs list --state failed"""
    with working(build_app(config_of())):
        found = [_plain(job) for job in services.newest(state or "", limit)]
    if as_json:
        emit(found)
        return
    rows = [(str(j["id"]), j["state"], j["name"], j["run_at"][:19], str(j["attempts"]), j["error"]) for j in found]
    table(rows, ("ID", "STATE", "NAME", "RUNS AT (UTC)", "ATTEMPTS", "ERROR"))


@jobs.command("retry")
@click.argument("job_id", type=int)
def retry(job_id: int) -> None:
    """Run a failed or held job again. Example: tukku jobs retry 17"""
    with working(build_app(config_of())):
        services.retry(job_id)
    click.echo(f"Job {job_id} will run again.")


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 32), default=2, show_default=True, help="Jobs at the same time.")
def worker(threads: int) -> None:
    """Run background work in a process of its own, beside `tukku serve --no-jobs`. Example: tukku worker"""
    from core.jobs.runner import EmbeddedRunner
    from core.runtime.dispatcher import Dispatcher
    from core.runtime.process import Heartbeat
    from core.runtime.serve import check_database

    config = config_of()
    check_database(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        dispatcher = Dispatcher(config)
        stack.callback(dispatcher.close)
        for part in (Heartbeat(dispatcher, "worker"), EmbeddedRunner(lambda: dispatcher.refresh().app, threads)):
            part.start()
            stack.callback(part.stop)
        click.echo("Running background work. Stop with Ctrl+C.")
        while not stop.wait(1):
            pass


def _plain(job: Job) -> dict[str, Any]:
    last_line = job.error.strip().rsplit("\n", 1)[-1] if job.error else ""
    return {
        "id": job.id,
        "name": job.name,
        "addon": job.addon,
        "state": job.state,
        "run_at": job.run_at.isoformat(),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "error": last_line[:200],
    }
