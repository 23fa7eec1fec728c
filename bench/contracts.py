"""Measure an order of 1,000 lines for a company with 50 contracts, over 100,000 and over 1,000,000 price rows.

    python -m bench.contracts [--database sqlite|postgres] [--layout dense|spread] [--samples N]

``dense``: every contract has a price for every product, so that each line has fifty to choose from; ``spread``: every
contract has a tenth of the products. Each sample is asked of both sizes in turn, of the ordinary service and of the
fastest hand-written statement on tables made for nothing else; ``wrong`` must be 0. Then the larger database takes an
edit by another process, and a file of one row through the ordinary importer.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, request
from sqlalchemy import Engine, func, insert, select, text

from addons.pricing_contract.models import Contract, ContractPrice
from bench.contracts_floor import Floor
from core.catalog.models import Product
from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system, unscoped
from core.data.write import write
from core.imports.services import import_file
from core.pricing import services
from core.pricing.models import ListPrice
from core.runtime.serve import settle
from core.spec.pricing import BEGINNING, PriceContext, PriceRequest
from core.testing import factories
from core.testing.apps import closing, full_app
from core.testing.databases import Databases
from core.testing.statements import count_statements

CONTRACTS, BREAKS, LINES = 50, 2, 1000
SIZES = (100_000, 1_000_000)
#: layout -> how many of its products each contract prices: one in so many
SHARE = {"dense": 1, "spread": 10}
#: What another process does: it raises one price, as a person in the editor would.
_EDIT = """
import sys
from pathlib import Path
from addons.pricing_contract import editing, grid
from core.data.scope import set_actor, system
from core.testing.apps import full_app
app = full_app(sys.argv[1], Path(sys.argv[2]))
with app.test_request_context():
    set_actor(system("bench"))
    contract = editing.contract_by_code(sys.argv[3])
    row = grid.page_of(contract, sys.argv[4]).rows[0]
    row.value = sys.argv[5]
    outcome = editing.save_grid(contract, [row])
    raise SystemExit(outcome.written != 1)
"""


_TOUCH = "update pricing_contract_price set per = per where contract_id = 1 and target = 1"


class Size:
    """A database with so many price rows, its app, and the floor on the same server."""

    def __init__(self, databases: Databases, folder: Path, rows: int, layout: str) -> None:
        self.rows, self.folder = rows, folder / f"{layout}-{rows}"
        self.folder.mkdir()
        self.url = databases.migrated(["pricing_contract"]).render_as_string(hide_password=False)
        self.app: Flask = full_app(self.url, self.folder)
        #: the first contract that has the first product; contracts have the ids 1 to 50
        self.first = f"K{-2 % SHARE[layout]:02d}"
        self.products = rows // CONTRACTS // BREAKS * SHARE[layout]
        start = time.perf_counter()
        with self.app.test_request_context():
            set_actor(system("bench"))
            load(self.products, SHARE[layout])
            _analyse(db.engine)
            self.floor = Floor(db.engine, self.folder)
        print(f"{layout}: {rows:,} rows written in {time.perf_counter() - start:.0f} s", flush=True)

    @contextmanager
    def inside(self) -> Iterator[PriceContext]:
        """Be in a request of this database's app; gives whom the prices are for."""
        with self.app.test_request_context():
            set_actor(system("bench"))
            yield services.context("EUR", company_id=1)

    def sample(self, seed: int) -> list[tuple[int, int]]:
        """Return lines: products and quantities."""
        chance = random.Random(seed)
        found = chance.sample(range(1, self.products + 1), min(LINES, self.products))
        return [(product, chance.choice((1, 3, 10, 40))) for product in found]


def ask(where: PriceContext, lines: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return the prices in cents, as a new request gets them; whom they are for is loaded once per request, before."""
    request.environ.pop("tukku.stamps", None)
    requests = [PriceRequest(str(n), product, "pcs", Decimal(q)) for n, (product, q) in enumerate(lines)]
    found = services.price(where, requests).lines
    db.session.rollback()
    return [None if line.price is None else int(line.price * 100) for line in found]


_ROWS = """
insert into pricing_contract_price
(contract_id, target, unit, min_quantity, valid_from, kind, value, per, product_id)
select c.id, p.id, 'pcs', :quantity * 1000000, l.valid_from, 'fixed',
  (200 + (p.id * 37 + c.id * 11) % 9000 - :quantity) * 10000, 1000000, p.id
from pricing_contract_contract c cross join catalog_product p
join pricing_list_price l on l.product_id = p.id
where c.code = :code and (p.id + c.id) % :share = 0 order by p.id
"""


def load(products: int, share: int) -> None:
    """Write a company, its contracts, and their rows."""
    factories.make_seller(zone="UTC")
    company = factories.make_company("BIG")
    now = clock.now()
    ids = range(1, products + 1)
    with write() as session:
        for start in range(0, products, 20_000):
            codes = [f"P{n:06d}" for n in ids[start : start + 20_000]]
            made = {"base_unit": "pcs", "created_at": now, "updated_at": now}
            rows = [{"sku": code, "sku_folded": code.lower(), **made} for code in codes]
            session.execute(insert(Product.__table__), rows)  # type: ignore[arg-type]
            price = {"unit": "pcs", "currency": "EUR", "price": Decimal(100), "per": Decimal(1), "valid_from": BEGINNING}
            prices = [{"product_id": n, **price} for n in ids[start : start + 20_000]]
            session.execute(insert(ListPrice.__table__), prices)  # type: ignore[arg-type]
        head = {"audience": "company", "company_id": company.id, "currency": "EUR", "created_at": now, "updated_at": now}
        heads = [{"code": f"K{n:02d}", "name": f"Contract {n}", "priority": -n, **head} for n in range(CONTRACTS)]
        session.execute(insert(Contract), heads)
        for one in heads:
            for quantity in (1, 10):
                values = {"quantity": quantity, "share": share, "code": one["code"]}
                session.execute(unscoped(text(_ROWS), "bench"), values)


def _analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")
    db.session.remove()
    engine.dispose()  # SQLite reads its statistics when a connection begins


def timed(call: Callable[[], Any], tries: int = 3) -> tuple[Any, float]:
    """Return the answer, and the least time of some tries in milliseconds: other work of the machine must not count."""
    least, answer = float("inf"), None
    for _try in range(tries):
        start = time.perf_counter()
        answer = call()
        least = min(least, (time.perf_counter() - start) * 1000)
    return answer, least


def compare(sizes: Sequence[Size], samples: int, layout: str) -> None:
    """Ask every sample of both sizes and both floors in turn."""
    own: dict[int, list[float]] = {size.rows: [] for size in sizes}
    least: dict[int, list[float]] = {size.rows: [] for size in sizes}
    counted = wrong = 0
    settle()  # as a server does before its first request
    for seed in range(samples + 2):
        for size in sizes:
            lines = size.sample(seed)
            with size.inside() as where:
                prices, mine = timed(partial(ask, where, lines))
                right, bottom = timed(partial(size.floor.ask, lines))
                with count_statements() as statements:
                    ask(where, lines)
            counted = max(counted, statements.count)
            wrong += sum(a != b for a, b in zip(prices, right, strict=True))
            if seed > 1:  # the first two warm what is kept
                own[size.rows].append(mine)
                least[size.rows].append(bottom)
    for size in sizes:
        mine, bottom = statistics.median(own[size.rows]), statistics.median(least[size.rows])
        print(f"{layout}, {size.rows:,} rows: {mine:.2f} ms, floor {bottom:.2f} ms, ratio {mine / bottom:.2f}")
    small, large = (statistics.median(own[size.rows]) for size in sizes)
    print(f"{layout}: {large / small:.2f} times as long for {sizes[1].rows // sizes[0].rows} times the rows, "
          f"{counted} statements at most, {wrong} wrong prices", flush=True)  # fmt: skip


def first_request(size: Size) -> None:
    """Say what the first request of a process costs, and the first one after an edit: time, memory and statements."""
    lines = size.sample(1)
    with size.inside() as where:
        for name in ("of a process", "after an edit"):
            for kept in ("tukku.books", "tukku.kept"):
                if name == "of a process":
                    size.app.extensions.pop(kept, None)
            if name == "after an edit":
                with write() as session:
                    session.execute(unscoped(text(_TOUCH), "bench"))
            tracemalloc.start()
            with count_statements() as statements:
                ask(where, lines)
            held = tracemalloc.get_traced_memory()[0] / 1024
            tracemalloc.stop()
            print(f"the first request {name}: {statements.count} statements, {held:,.0f} kB more in memory")


def edit_elsewhere(size: Size) -> None:
    """Let another process change a price, and see that the next request has it."""
    with size.inside() as where:
        before = ask(where, [(1, 1)])
        price = Decimal((before[0] or 0) - 1) / 100
        arguments = [sys.executable, "-c", _EDIT, size.url, str(size.folder), size.first, "P000001", str(price)]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        after, lasted = timed(partial(ask, where, [(1, 1)]), 1)
    said = "the next request has it" if after == [int(price * 100)] else f"NOT SEEN: {after} instead of {price}"
    print(f"a price changed by another process: {said}, in {lasted:.1f} ms")


def import_one(size: Size) -> None:
    """Import a file of one row into the contracts, and count what it changes and how long it takes."""
    path = size.folder / "one.csv"
    path.write_text(f"contract,sku,unit,min_quantity,value\n{size.first},P000001,pcs,10,1.23\n", encoding="utf-8")
    with size.inside():
        with count_statements() as statements:
            report, lasted = timed(lambda: import_file("contract_prices", path), 1)
        changed = db.session.scalar(select(func.count()).where(ContractPrice.value == Decimal("1.23")))
    print(f"a file of one row: {report.counts['updated']} changed ({changed} with its price), "
          f"{lasted:.0f} ms, {statements.count} statements")  # fmt: skip


def main() -> None:
    """Measure the layouts one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--layout", choices=tuple(SHARE), default="")
    parser.add_argument("--samples", type=int, default=15)
    options = parser.parse_args()
    for layout in [options.layout] if options.layout else SHARE:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            databases = Databases(options.database, folder)
            sizes = [Size(databases, folder, rows, layout) for rows in SIZES]
            try:
                compare(sizes, options.samples, layout)
                first_request(sizes[1])
                edit_elsewhere(sizes[1])
                import_one(sizes[1])
            finally:
                for size in sizes:
                    with closing(size.app):
                        size.floor.close()
                databases.close()


if __name__ == "__main__":
    main()
