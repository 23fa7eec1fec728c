"""Measure pages of the shop over HTTP: pages a second of one worker, beside a lean and a static page of the same server.

    python -m bench.pages [--seconds 6] [--clients 2] [--url DATABASE_URL]

The demo merchant with contract prices is served by gunicorn with one worker; buyers of several companies are signed in
and turn the pages of categories of 24 products. The lean page is a Flask view with two statements (products, list prices)
and one template; the static page is 30 kB from memory: what the server itself costs. Each figure has its ratio to the
lean page of the same run, since the speed of a machine wanders. Where Linux tells, the worker's own time stands beside: how
many pages it would give in a second of one core that nobody else uses.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response

PASSWORD = "ruuvi-laakeri-demo"
BUYERS = ("anna@konepaja.example", "erik@nordbygg.example", "minna@konepaja.example")
LISTS = ("/c/fasteners", "/c/bearings", "/search", "/search?a.thread=M8")
PRODUCTS = ("/p/4017-8.8-ZN-M8X40", "/p/4017-8.8-ZN-M10X40")
STATIC = ("<!doctype html><title>Static</title>" + "<p>lorem ipsum dolor sit amet</p>" * 1000)[:30_000]
LEAN = """<!doctype html><title>Catalogue</title><ol>{% for p in products %}<li><article>
<a href="/p/{{ p.sku }}"><img src="/media/{{ p.sku }}.jpg" alt="{{ p.name }}"></a><h3><a href="/p/{{ p.sku }}">{{ p.name }}</a></h3>
<p>{{ '%.2f' | format(prices.get(p.id, 0)) }}</p><p>{{ p.sku }}</p><form action="/cart/add" method="post">
<input type="hidden" name="csrf" value="{{ csrf }}"><input name="quantity" value="1"><button>Add</button></form>
<!-- {{ 'x' * 560 }} --></article></li>{% endfor %}</ol>"""


def lean() -> Flask:
    """Return the app of the lean and the static page, on the same database."""
    from sqlalchemy import bindparam, text

    from core.data.db import make_engine
    from core.runtime.config import load_config

    app, engine = Flask("lean"), make_engine(load_config().database_url)
    template = app.jinja_env.from_string(LEAN)
    listed = text(
        "SELECT p.id, p.sku, t.name FROM catalog_product p JOIN catalog_product_text t ON t.product_id = p.id"
        " AND t.locale = 'en' ORDER BY p.sku_sort LIMIT 24 OFFSET :start"
    )
    priced = text(
        "SELECT product_id, price FROM pricing_list_price WHERE currency = 'EUR' AND product_id IN :ids"
    ).bindparams(bindparam("ids", expanding=True))

    @app.get("/static-page")
    def static_page() -> Response:
        return Response(STATIC, mimetype="text/html")

    @app.get("/lean")
    def page() -> str:
        from flask import request

        with engine.connect() as connection:
            products = connection.execute(listed, {"start": 24 * (int(request.args.get("page", 1)) - 1)}).all()
            ids = [row.id for row in products]
            rows = connection.execute(priced, {"ids": ids})
            prices = {row.product_id: row.price / 10**6 for row in rows}
        return template.render(products=products, prices=prices, csrf="t" * 64)

    return app


def main() -> None:
    """Load the demo, serve and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "TUKKU_DATA_DIR": folder, **({"TUKKU_DATABASE_URL": options.url} if options.url else {})}
        subprocess.run(
            [sys.executable, "-m", "core.cli.main", "init", "--demo"], check=True, env=environ, stdout=subprocess.DEVNULL
        )
        run = Run(options.seconds, options.clients)
        with served("bench.pages:lean()", environ) as lean_server:
            floor = run.measure(lean_server, "lean page", [f"/lean?page={n}" for n in range(1, 21)], [""], None)
            run.measure(lean_server, "static page, 30 kB", ["/static-page"], [""], floor)
        with served("core.runtime.wsgi:application", environ) as shop:
            cookies = [sign_in(shop.port, email) for email in BUYERS]
            lists = [f"{path}{'&' if '?' in path else '?'}page={n}" for path in LISTS for n in range(1, 6)]
            run.measure(shop, "catalogue page, 24 prices", lists, cookies, floor)
            cards = [f"{path}&view=cards" for path in lists]
            run.measure(shop, "catalogue page, cards", cards, cookies, floor)
            run.measure(shop, "product page", PRODUCTS, cookies, floor)
            run.measure(shop, "home", ["/"], cookies, floor)
            for cookie in cookies:
                fill_cart(shop.port, cookie)
            run.measure(shop, "cart of ten lines", ["/cart"], cookies, floor)


@dataclass(frozen=True)
class Server:
    """Where an app is served, and by which process with its workers."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Return the seconds that its workers have computed, 0 where nobody tells."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # a process that has just ended
                fields = stat.read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12]) if int(fields[1]) == self.pid else 0
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def served(app: str, environ: dict[str, str]) -> Iterator[Server]:
    """Serve an app by gunicorn with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--workers",
        "1",
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "error",
        app,
    ]
    process = subprocess.Popen(command, env={**environ, "TUKKU_URL": f"http://127.0.0.1:{port}"})
    try:
        for _attempt in range(300):
            with contextlib.suppress(OSError):
                get(port, "/", "")
                break
            time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def get(port: int, path: str, cookie: str, body: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
    """Ask for a page over a connection of its own, as gunicorn's plain worker serves it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": cookie} if cookie else {}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if body is None else "POST", path, urlencode(body) if body else None, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def sign_in(port: int, email: str) -> str:
    """Sign in and return the cookies."""
    jar = SimpleCookie()
    _status, headers, content = get(port, "/login", "")
    take(jar, headers)
    token = re.search(rb'csrf-token" content="([^"]+)"', content)
    form = {"email": email, "password": PASSWORD, "csrf_token": token[1].decode() if token else ""}
    status, headers, content = get(port, "/login", written(jar), form)
    if status != 303:
        raise RuntimeError(f"{email} cannot sign in: {status} {content[:300]!r}")
    take(jar, headers)
    return written(jar)


def fill_cart(port: int, cookie: str) -> None:
    """Put ten products of a list into the cart."""
    _status, _headers, content = get(port, "/search", cookie)
    token = re.search(rb'csrf-token" content="([^"]+)"', content)
    for sku, unit in re.findall(rb'name="sku" value="([^"]+)">\s*<input type="hidden" name="unit" value="([^"]+)"', content)[
        :10
    ]:
        form = {
            "csrf_token": token[1].decode() if token else "",
            "sku": sku.decode(),
            "unit": unit.decode(),
            "quantity": "1",
        }
        status, _headers, answer = get(port, "/cart/add", cookie, form)
        if status not in (200, 303):
            raise RuntimeError(f"{sku!r} cannot be added: {status} {answer[:300]!r}")


def take(jar: SimpleCookie, headers: Any) -> None:
    """Put the cookies of an answer into the jar."""
    for header in headers.get_all("Set-Cookie", ()):
        jar.load(header)


def written(jar: SimpleCookie) -> str:
    """Return the jar as the header of a request."""
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items() if morsel.value)


class Run:
    """Clients that ask one page after another, each for so many seconds."""

    def __init__(self, seconds: float, clients: int) -> None:
        self.seconds, self.clients = seconds, clients

    def measure(self, server: Server, name: str, paths: Sequence[str], cookies: Sequence[str], floor: float | None) -> float:
        """Print and return pages a second; every page is asked once before."""
        size = 0
        for path, cookie in itertools.product(paths, cookies):
            status, _headers, content = get(server.port, path, cookie)
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
            size = max(size, len(content))
        times: list[float] = []
        end = time.perf_counter() + self.seconds
        threads = [
            threading.Thread(target=self._ask, args=(server.port, paths, cookies, place, end, times))
            for place in range(self.clients)
        ]
        start, busy = time.perf_counter(), server.cpu()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate, busy = len(times) / (time.perf_counter() - start), server.cpu() - busy
        alone = len(times) / busy if busy else rate
        p95 = statistics.quantiles(times, n=20)[-1] * 1000
        beside = "" if floor is None else f"   {alone / floor:5.2f} of the lean page"
        print(
            f"{name:26} {rate:7.1f} pages/s {alone:7.1f} of a core's own  p50 {statistics.median(times) * 1000:6.1f} ms  p95 {p95:6.1f}"
            f"  {size / 1000:6.1f} kB{beside}",
            flush=True,
        )
        return alone

    def _ask(
        self, port: int, paths: Sequence[str], cookies: Sequence[str], place: int, end: float, times: list[float]
    ) -> None:
        for n in itertools.count(place * 7):
            begun = time.perf_counter()
            if begun > end:
                return
            status, _headers, _content = get(port, paths[n % len(paths)], cookies[n % len(cookies)])
            if status != 200:
                raise RuntimeError(f"{paths[n % len(paths)]}: {status}")
            times.append(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
