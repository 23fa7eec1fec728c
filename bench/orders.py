"""Measure orders: 500 pasted rows, a cart of 500 lines, and orders placed one after another and by several at once.

    python -m bench.orders [--rows 500] [--orders 60] [--threads 4] [--url DATABASE_URL]

Without ``--url`` a SQLite file in a temporary folder is used. The shop runs core alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask

from core.data.db import db, make_engine, normalise_url
from core.data.migrate import core_history, upgrade
from core.data.scope import Actor, Scope, acting, set_actor, system
from core.data.write import write
from core.orders import cart, pages, paste, placing, quickorder
from core.orders.merging import NewItem
from core.spec.orders import Stage
from core.testing import factories
from core.testing.apps import closing, full_app
from core.testing.statements import count_statements

MAY = frozenset({
    "catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view",
})  # fmt: skip


def main() -> None:
    """Fill a database and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/bench.sqlite"
        engine = make_engine(normalise_url(url))
        upgrade(engine, core_history())
        engine.dispose()
        app = full_app(url, Path(folder))
        with closing(app), app.app_context():
            set_actor(system("bench"))
            buyers = fill(options.rows, options.threads)
        with closing(app):
            quick_order(app, buyers[0], options.rows)
            placing_orders(app, buyers[:1], options.orders)
            placing_orders(app, buyers, options.orders)


def fill(rows: int, people: int) -> list[Actor]:
    """Make a seller, a company for each thread with a buyer, and as many products as rows."""
    factories.make_seller()
    factories.make_tax_rate()
    with write():
        for number in range(rows):
            factories.make_product(f"P-{number:05}", price="1.25")
    return [_buyer(number) for number in range(people)]


def _buyer(number: int) -> Actor:
    company = factories.make_company(f"c{number}")
    user = factories.make_user(f"b{number}@bench.example", company=company)
    own = (company.id,)
    return Actor(user.id, user.name, Scope("companies", own, own, own), company.id, permissions=MAY)


@contextmanager
def request(app: Flask, actor: Actor) -> Iterator[None]:
    """Act as ``actor`` within a request of its own."""
    with app.app_context(), app.test_request_context("/"), acting(actor):
        yield


def quick_order(app: Flask, buyer: Actor, rows: int) -> None:
    """Review pasted rows, put them into the cart, look at the cart."""
    text = "\n".join(f"P-{number:05}\t{number % 7 + 1}" for number in range(rows))
    items = [NewItem(f"P-{number:05}", Decimal(number % 7 + 1)) for number in range(rows)]
    report(app, buyer, f"{rows} pasted rows", lambda: quickorder.review(paste.parse(text)))
    report(app, buyer, f"{rows} rows into the cart", lambda: cart.add(items))
    report(app, buyer, f"cart page of {rows} lines", pages.cart_page)
    with request(app, buyer):
        cart.clear()


def report(app: Flask, buyer: Actor, name: str, work: Callable[[], Any]) -> None:
    """Print median and worst of five runs, the processor's share of the median, and the number of statements."""
    took, busy = [], []
    for _run in range(5):
        with request(app, buyer), count_statements() as seen:
            start, spent = time.perf_counter(), time.process_time()
            work()
            took.append((time.perf_counter() - start) * 1000)
            busy.append((time.process_time() - spent) * 1000)
    figures = f"{statistics.median(took):8.0f} ms  worst {max(took):6.0f} ms  cpu {statistics.median(busy):6.0f} ms"
    print(f"{name:28} {figures}  {seen.count} statements")


def placing_orders(app: Flask, buyers: list[Actor], orders: int) -> None:
    """Fill carts of five lines and place them, each buyer in a thread of its own."""
    each = orders // len(buyers)

    def work(buyer: Actor) -> None:
        for _order in range(each):
            one_order(app, buyer)

    threads = [threading.Thread(target=work, args=(buyer,)) for buyer in buyers]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    print(
        f"{f'orders by {len(buyers)} at once':28} {each * len(buyers) / took:8.1f} orders/s (5 lines, filled, shown, placed)"
    )


def one_order(app: Flask, buyer: Actor) -> None:
    """Fill a cart, show the checkout, place the order."""
    with request(app, buyer):
        cart.add([NewItem(f"P-{number:05}", Decimal(2)) for number in range(5)])
    with request(app, buyer):
        page = pages.cart_page(Stage.SUBMIT)
        assert page is not None
        assert page.order is not None
        sent = placing.Placement(
            expected_total=page.priced.totals.gross,
            cart_key=page.order.client_reference or "",
            seen=pages.read_seen(page.seen),
        )
    with request(app, buyer):
        placing.place(sent)
        db.session.remove()


if __name__ == "__main__":
    main()
