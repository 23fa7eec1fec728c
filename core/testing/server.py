"""Serve an app on a free port of this machine, in threads, for browser tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask


@contextmanager
def serving(app: Flask | Callable[..., Any], *, threads: int = 4) -> Iterator[str]:
    """Serve the WSGI app within the block; yields its address, such as ``http://127.0.0.1:41234``."""
    import waitress

    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=threads)
    address = f"http://127.0.0.1:{server.effective_port}"
    if isinstance(app, Flask):
        app.config["SERVER_NAME"] = address.removeprefix("http://")
    thread = threading.Thread(target=_run, args=(server,), name="test-server", daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.close()
        thread.join(10)


def _run(server: Any) -> None:
    try:
        server.run()
    except OSError:  # closed under its feet: the block ended
        return
