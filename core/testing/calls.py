"""Ask a served shop over the network, and wait until something holds: for tests with processes of their own."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable


def call(url: str, key: str = "", body: object = None) -> tuple[int, str]:
    """GET, or POST ``body`` as JSON; returns the status and the text, 0 where nobody answered."""
    request = urllib.request.Request(url, method="GET" if body is None else "POST")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, repr(error)


def wait_until(true: Callable[[], object], seconds: float) -> None:
    """Return once it holds; fail after ``seconds``."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)
