"""`tukku serve`: waitress with the dispatcher, the heartbeat and, unless told otherwise, the jobs in threads."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from core.data.db import make_engine
from core.data.migrate import core_history, pending
from core.jobs.runner import EmbeddedRunner
from core.runtime.config import Config, ConfigInvalid
from core.runtime.dispatcher import Dispatcher
from core.runtime.process import Heartbeat

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
        end_on_term()
        announce(f"Tukku serves {config.url} (listening on {host}:{server.effective_port}).")
        try:
            server.run()  # waitress takes Ctrl-C for the end
        finally:
            server.close()


def end_on_term() -> None:
    """Let SIGTERM end the process as Ctrl-C does: what runs is stopped, nothing is cut off."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def settle() -> None:
    """Leave what was built out of every later garbage collection: it stays, and each would walk through all of it."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


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
    settle()
    dispatcher.on_swap(lambda _served: settle())
    heartbeat = Heartbeat(dispatcher, "web")
    heartbeat.start()
    stack.callback(heartbeat.stop)
    if jobs:
        runner = EmbeddedRunner(lambda: dispatcher.refresh().app)
        runner.start()
        stack.callback(runner.stop)
