"""`tukku serve`: waitress with the dispatcher, the heartbeat and, unless told otherwise, the jobs in threads."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

from core.data.db import make_engine
from core.data.migrate import core_history, pending
from core.runtime.config import Config, ConfigInvalid
from core.runtime.dispatcher import Dispatcher
from core.runtime.process import Heartbeat

LOG = logging.getLogger("tukku.serve")
THREADS = 8


def serve(config: Config, host: str, port: int, *, jobs: bool = True, announce: Callable[[str], None] = print) -> None:
    """Serve until interrupted. Raises `ConfigInvalid` when the database is behind the code."""
    import waitress

    check_database(config)
    dispatcher = Dispatcher(config)
    with ExitStack() as stack:
        stack.callback(dispatcher.close)
        server = waitress.create_server(
            dispatcher,
            host=host,
            port=port,
            threads=THREADS,
            ident="",
            max_request_body_size=2**31,
            trusted_proxy=None,
            clear_untrusted_proxy_headers=False,
        )
        start_background(dispatcher, stack, jobs=jobs)
        announce(f"Tukku serves {config.url} (listening on {host}:{server.effective_port}).")
        try:
            server.run()
        finally:
            server.close()


def check_database(config: Config) -> None:
    """Refuse to serve a database that was not set up or that is behind the code."""
    config.require_secret()
    engine = make_engine(config.database_url)
    try:
        behind = pending(engine, core_history())
    finally:
        engine.dispose()
    if behind:
        raise ConfigInvalid(
            "The database's tables are not at the version of this code. "
            "Run `tukku init` for a new database, or `tukku upgrade` after an update."
        )


def start_background(dispatcher: Dispatcher, stack: ExitStack, *, jobs: bool) -> None:
    """Start heartbeat and embedded jobs; ``stack`` stops them."""
    heartbeat = Heartbeat(dispatcher, "web")
    heartbeat.start()
    stack.callback(heartbeat.stop)
    runner = job_runner(dispatcher) if jobs else None
    if runner is not None:
        runner.start()
        stack.callback(runner.stop)


def job_runner(dispatcher: Dispatcher) -> Any:
    """Return the embedded runner of `core.jobs.runner`, which asks for the present app before each job."""
    if find_spec("core.jobs.runner") is None:
        return None
    module = importlib.import_module("core.jobs.runner")
    return module.EmbeddedRunner(lambda: dispatcher.refresh().app)
