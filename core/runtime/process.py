"""The heartbeat of a serving process: what it serves, so that an operator sees who lags behind.

It also looks every second whether the generation has moved: a process that nobody asks follows as well.
"""

from __future__ import annotations

import logging
import threading

from core.data import clock
from core.registry.code import running
from core.registry.processes import BEAT, forget, record
from core.runtime.dispatcher import Dispatcher, Served

LOG = logging.getLogger("tukku.process")


class Heartbeat:
    """Writes the process's row every ten seconds and at each change of the app."""

    def __init__(self, dispatcher: Dispatcher, kind: str) -> None:
        self.dispatcher, self.kind = dispatcher, kind
        self.started = clock.now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        dispatcher.on_swap(self.beat)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and take the row away."""
        self._stop.set()
        self._thread.join(timeout=BEAT)
        with self.dispatcher.served.app.app_context():
            forget()

    def beat(self, served: Served) -> None:
        """Write the row; a failure is logged and tried again at the next beat."""
        try:
            with served.app.app_context():
                code = running(served.registry)
                record(self.kind, served.generation, served.registry.addons, self.started, code)
        except Exception:
            LOG.exception("the heartbeat could not be written")

    def _run(self) -> None:
        while True:
            self.beat(self.dispatcher.served)
            for _second in range(int(BEAT)):
                if self._stop.wait(1.0):
                    return
                self.dispatcher.refresh(wait=False, force=False)
