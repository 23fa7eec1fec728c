"""`tukku jobs` and `tukku worker`: background work seen, repeated, and run in a process of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import click
from flask import Flask

from core.cli.context import config_of, emit, json_option, table, working
from core.jobs import services
from core.jobs.models import Job
from core.runtime.app import build_app

STATES = ("waiting", "running", "done", "failed", "held", "discarded")


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


@jobs.command("discard")
@click.argument("job_id", type=int)
def discard(job_id: int) -> None:
    """Give up a job that waits, failed or is held. Example: tukku jobs discard 17"""
    with working(build_app(config_of())):
        services.discard(job_id)
    click.echo(f"Job {job_id} is discarded.")


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 32), default=2, show_default=True, help="Jobs at the same time.")
@click.option(
    "--broker",
    envvar="TUKKU_BROKER_URL",
    metavar="URL",
    help="Share the jobs through Celery and this broker (redis://… or amqp://…).  [env: TUKKU_BROKER_URL]",
)
def worker(threads: int, broker: str | None) -> None:
    """Run background work in a process of its own, beside `tukku serve --no-jobs`. Example: tukku worker

    Any number of workers may run, on any number of machines, with or without a broker: none takes another's job.
    """
    from core.jobs.runner import EmbeddedRunner
    from core.runtime.dispatcher import Dispatcher
    from core.runtime.process import Heartbeat
    from core.runtime.serve import check_database

    config = config_of()
    check_database(config)
    with ExitStack() as stack:
        dispatcher = Dispatcher(config)
        stack.callback(dispatcher.close)

        def start(*parts: Any) -> None:
            for part in parts:
                part.start()
                stack.callback(part.stop)

        def app_of() -> Flask:
            return dispatcher.refresh().app

        heartbeat = Heartbeat(dispatcher, "worker")
        if broker:
            start(heartbeat)
            _consume(broker, app_of, threads, start)  # Celery heeds signals by itself
        else:
            stop = _told_to_stop()  # before the first job is taken, so that none is cut off
            start(heartbeat, EmbeddedRunner(app_of, threads))
            click.echo("Running background work. Stop with Ctrl+C.")
            while not stop.wait(1):
                pass


def _consume(url: str, app_of: Callable[[], Flask], threads: int, start: Callable[..., None]) -> None:
    """Relay due jobs to the broker and run what comes back, until a signal; Celery ends its running jobs first."""
    from core.jobs.broker import BrokerMissing, BrokerRunner, make_celery

    try:
        celery = make_celery(url)
    except BrokerMissing as missing:
        raise click.ClickException(str(missing)) from None
    start(BrokerRunner(app_of, celery))
    click.echo("Running background work from the broker. Stop with Ctrl+C.")
    options = {"pool": "threads", "concurrency": threads, "without_gossip": True, "without_mingle": True}
    celery.Worker(**options, loglevel="WARNING", quiet=True).start()


def _told_to_stop() -> threading.Event:
    """Return what a supervisor's signal, or Ctrl+C, sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


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
