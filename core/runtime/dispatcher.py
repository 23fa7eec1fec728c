"""The WSGI entry: serves the app of the present generation, and builds the next one when the number rose.

The number is read over a connection of its own: at most once a second for GET and HEAD, and for every other
request, since what changes something must not run on an old set. Safe requests never wait for a build; requests
in flight finish on the app they began on, whose connections are closed after the last of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from werkzeug.wsgi import ClosingIterator

from core.data.db import db, make_engine
from core.registry.registry import EXTENSION, Registry
from core.registry.sources import Discovery
from core.registry.state import Snapshot, glance, read_snapshot
from core.runtime import health
from core.runtime.app import build_app, find_addons
from core.runtime.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

LOG = logging.getLogger("tukku.dispatcher")
TTL = 1.0  # seconds for which GET and HEAD trust the last reading
BACK_OFF = 30.0  # seconds after a failed build in which no other is tried
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: A page that follows an operation names the generation it waits for: ?generation=7
AWAITED = "generation="

Build = Callable[[Config, Snapshot, Discovery], "Flask"]


class Served:
    """An app and the number of requests on it; its engine is closed when it is retired and idle."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.registry: Registry = app.extensions[EXTENSION]
        self._lock = threading.Lock()
        self._active = 0
        self._retired = False

    @property
    def generation(self) -> int:
        """Return the generation of the app's registry."""
        return self.registry.generation

    def enter(self) -> bool:
        """Count a request in; False when the app was retired meanwhile."""
        with self._lock:
            if self._retired:
                return False
            self._active += 1
            return True

    def leave(self) -> None:
        """Count a request out."""
        with self._lock:
            self._active -= 1
            idle = self._retired and self._active == 0
        if idle:
            self._dispose()

    def retire(self) -> None:
        """Let no further request in, and close the connections once the last has ended."""
        with self._lock:
            self._retired = True
            idle = self._active == 0
        if idle:
            self._dispose()

    def _dispose(self) -> None:
        with self.app.app_context():
            db.engine.dispose()


class Dispatcher:
    """A WSGI application that follows the generation. ``clock`` and ``build`` are for tests."""

    def __init__(self, config: Config, *, clock: Callable[[], float] = time.monotonic, build: Build = build_app) -> None:
        self.config, self._clock, self._build = config, clock, build
        self._engine: Engine = make_engine(config.database_url)
        self._building = threading.Lock()
        self._checked = self._clock()
        self._blocked_until = 0.0
        self._listeners: list[Callable[[Served], None]] = []
        self._served = self._make()

    @property
    def served(self) -> Served:
        """Return what is served at present."""
        return self._served

    def on_swap(self, listener: Callable[[Served], None]) -> None:
        """Call ``listener`` after each change of the app, in the thread that built it."""
        self._listeners.append(listener)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in health.ADDRESSES:
            return health.answer(environ["PATH_INFO"], self._served.app)(environ, start_response)
        safe = environ.get("REQUEST_METHOD", "GET") in SAFE
        awaited = AWAITED in environ.get("QUERY_STRING", "")
        self.refresh(wait=not safe or awaited, force=not safe or awaited)
        served = self._enter()
        try:
            answer = served.app(environ, start_response)
        except BaseException:
            served.leave()
            raise
        return ClosingIterator(answer, served.leave)

    def refresh(self, *, wait: bool = True, force: bool = True) -> Served:
        """Bring the app to the present generation; without ``wait``, leave a running build to its thread."""
        now = self._clock()
        if not force and now - self._checked < TTL:
            return self._served
        self._checked = now
        if self._behind() and now >= self._blocked_until and self._building.acquire(blocking=wait):
            try:
                if self._behind():  # the build that was waited for may have been the one
                    self._swap()
            finally:
                self._building.release()
        return self._served

    def close(self) -> None:
        """Close all connections."""
        self._served.retire()
        self._engine.dispose()

    def _enter(self) -> Served:
        while True:
            served = self._served
            if served.enter():
                return served

    def _behind(self) -> bool:
        try:
            return glance(self._engine) != self._served.generation
        except Exception as error:  # the driver's own; whatever it is, what is served goes on
            LOG.warning("the generation cannot be read, going on with %s: %s", self._served.generation, error)
            return False

    def _swap(self) -> None:
        old = self._served
        try:
            new = self._make()
        except Exception:
            LOG.exception("the build failed, going on with generation %s", old.generation)
            self._blocked_until = self._clock() + BACK_OFF
            return
        self._served = new
        old.retire()
        LOG.info("generation %s is served: %s", new.generation, ", ".join(new.registry.addons) or "no addons")
        for listener in self._listeners:
            listener(new)

    def _make(self) -> Served:
        discovery = find_addons(self.config)
        return Served(self._build(self.config, read_snapshot(self._engine, discovery), discovery))
