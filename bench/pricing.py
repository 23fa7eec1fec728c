"""Measure prices against the fastest hand-written statement, on the same data, in the same run.

    python -m bench.pricing [--scale 1|10] [--database sqlite|postgres] [--url DATABASE_URL] [--keep FOLDER]

The data and the only right answers come from the public generator, ``bench/gen.py`` in ``TUKKU_SAMPLES_DIR``; they go in
through the ordinary importer, and prices are asked of the ordinary service. P1 is one price, P2 a page of 100, P3 an order
of 1,000 lines; with ``--scale 10`` P2 is called P7. A sample begins with a new transaction. ``wrong`` must be 0.
``--database`` makes one of the tests' own databases, ``--url`` takes another; ``--keep`` keeps the data loaded into a
SQLite file for the next run.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, request

from bench.pricing_floor import Floor
from core.data.clock import start_of_day
from core.data.db import db, make_engine, normalise_url
from core.data.migrate import addon_history, core_history, upgrade
from core.data.scope import set_actor, system
from core.imports.services import import_file
from core.pricing import services
from core.runtime.serve import settle
from core.spec.pricing import PriceRequest
from core.testing import factories
from core.testing.apps import ADDONS, closing, full_app
from core.testing.databases import Databases, _enable
from core.testing.statements import count_statements

DAY = date(2026, 11, 15)


def main() -> None:
    """Load what is not there yet, and print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, choices=(1, 10))
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--url", default="")
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        data = generated(folder / f"data-{options.scale}", options.scale)
        databases = Databases(options.database, folder)
        url = options.url or f"sqlite:///{folder}/bench-{options.scale}.sqlite"
        if options.database == "postgres":
            url = databases.empty().render_as_string(hide_password=False)
        try:
            run(url, folder, data, options.scale)
        finally:
            databases.close()


def generated(folder: Path, scale: int) -> Path:
    """Return the folder of the data, made by the public generator."""
    samples = os.environ.get("TUKKU_SAMPLES_DIR")
    if not samples:
        raise SystemExit("TUKKU_SAMPLES_DIR is not set: the generator lies there, in bench/gen.py")
    if not (folder / "expected.json").exists():
        generator = Path(samples) / "bench" / "gen.py"
        subprocess.run(
            [sys.executable, str(generator), str(folder), "--scale", str(scale)], check=True, stdout=subprocess.DEVNULL
        )
    return folder


def run(url: str, folder: Path, data: Path, scale: int) -> None:
    """Measure every case on the database at ``url``."""
    engine = make_engine(normalise_url(url))
    fresh = upgrade(engine, core_history())
    upgrade(engine, addon_history("pricing_contract", ADDONS / "pricing_contract"))
    if fresh:
        _enable(engine, ["pricing_contract"])
    floor = Floor(engine, folder, data)
    app = full_app(url, folder)
    with closing(app), app.test_request_context():
        set_actor(system("bench"))
        if fresh:
            load(app, data, folder)
            engine.dispose()
            _analyse(engine)
        settle()  # as a server does before its first request
        workload, expected = (json.loads((data / name).read_text()) for name in ("workload.json", "expected.json"))
        for case in ("p1", "p2", "p3") if scale == 1 else ("p2",):
            measure(case if scale == 1 else "p7", workload[case], expected[case], floor)


def measure(name: str, samples: Sequence[Any], expected: Sequence[Any], floor: Floor) -> None:
    """Run the samples through the product and the floor in turn, so that a slow moment of the machine meets both."""
    companies = _ids("code", "companies_company")
    ids = {int(sku.removeprefix("SKU")): number for sku, number in _ids("sku", "catalog_product").items()}
    ask = _asker(ids, companies, {sample["customer"] for sample in samples})
    for sample in samples[:20]:
        ask(sample), floor.ask(sample)
    gc.collect()
    own, least, wrong = [], [], 0
    for sample, right in zip(samples, expected, strict=True):
        prices, seconds = timed(ask, sample)
        own.append(seconds)
        floor_prices, seconds = timed(floor.ask, sample)
        least.append(seconds)
        if floor_prices != right:
            raise SystemExit(f"{name}: the floor itself is wrong")
        wrong += sum(price is None or price * 100 != cents for price, cents in zip(prices, right, strict=True))
    with count_statements() as counted:
        ask(samples[0])
    mine, bottom = statistics.median(own) * 1000, statistics.median(least) * 1000
    print(
        f"{name}: {mine:.2f} ms, floor {bottom:.2f} ms, ratio {mine / bottom:.2f}, "
        f"{counted.count} statements, {wrong} wrong prices"
    )


def timed(ask: Callable[[Any], list[Any]], sample: Any) -> tuple[list[Any], float]:
    """Return the answer, and how long it took in seconds: the least of three tries, for other work must not count."""
    least = float("inf")
    for _try in range(3):
        start = time.perf_counter()
        answer = ask(sample)
        least = min(least, time.perf_counter() - start)
    return answer, least


def _asker(ids: dict[int, int], companies: dict[str, int], customers: set[int]) -> Callable[[Any], list[Any]]:
    at = start_of_day(DAY, "UTC")

    def ask(sample: Any) -> list[Decimal | None]:
        request.environ.pop("tukku.stamps", None)  # every request reads what has changed
        where = contexts[sample["customer"]]
        requests = [PriceRequest(str(n), ids[p], "pcs", Decimal(q)) for n, (p, q) in enumerate(sample["lines"])]
        prices = [line.price for line in services.price(where, requests).lines]
        db.session.rollback()
        return prices

    # whom the prices are for is loaded once per request, and counted apart
    contexts = {customer: services.context("EUR", at, companies[f"C{customer}"]) for customer in customers}
    return ask


def _ids(column: str, table: str) -> dict[str, int]:
    rows = db.session.connection().exec_driver_sql(f"select {column}, id from {table}")
    return {row[0]: row[1] for row in rows}


def _analyse(engine: Any) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


def load(app: Flask, data: Path, folder: Path) -> None:
    """Write the data in the formats of the import, and import them."""
    factories.make_seller(zone="UTC")
    factories.make_segment("none")
    for kind, (head, rows) in files(data).items():
        path = folder / f"{kind}.csv"
        with path.open("w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(head)
            writer.writerows(rows)
        start = time.perf_counter()
        report = import_file(kind, path)
        seconds = time.perf_counter() - start
        if report.failed:
            raise SystemExit(f"{kind}: {report.failed} rows were refused: {report.errors[:3]}")
        print(f"loaded {kind}: {report.rows} rows in {seconds:.0f} s")


def files(data: Path) -> dict[str, tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """Return the head and the rows of each file of the import."""
    products = list(_rows(data, "products.csv"))
    for segment in {row[2] for row in _rows(data, "customers.csv")}:
        factories.make_segment(f"S{segment}")
    everything = "contract", "sku", "category", "unit", "min_quantity", "from", "kind", "value", "until"
    return {
        "categories": (("code", "name_en"), ((f"cat{k}", f"Category {k}") for k in sorted({row[3] for row in products}, key=int))),
        "products": (("sku", "name_en", "category", "base_unit"), ((sku, name, f"cat{k}", "pcs") for _i, sku, name, k, _b in products)),
        "list_prices": (("sku", "unit", "currency", "price"), ((row[1], "pcs", "EUR", _money(row[4])) for row in products)),
        "companies": (("code", "name", "country", "currency", "segments"), ((f"C{i}", name, "FI", "EUR", f"S{s}") for i, name, s, _c in _rows(data, "customers.csv"))),
        "contracts": (
            ("code", "name", "audience", "company", "segment", "currency"),
            (
                *((f"K{c}", f"Contract {c}", "company", f"C{c}", "", "EUR") for c in sorted({row[0] for row in _rows(data, "contract_prices.csv")}, key=int)),
                *((f"L{s}", f"List {s}", "segment", "", f"S{s}", "EUR") for s in sorted({row[2] for row in _rows(data, "customers.csv")}, key=int)),
            ),
        ),
        "contract_prices": (
            everything,
            (
                *((f"L{s}", "", f"cat{k}", "", "", "", "percent", str(Decimal(v) / 100), "") for s, k, v in _rows(data, "segment_category.csv")),
                *((f"L{s}", f"SKU{int(p):06d}", "", "pcs", "", "", "fixed", _money(v), "") for s, p, v in _rows(data, "segment_fixed.csv")),
                *((f"K{c}", f"SKU{int(p):06d}", "", "pcs", q, a, "fixed", _money(v), b) for c, p, q, v, a, b in _rows(data, "contract_prices.csv")),
            ),
        ),
    }  # fmt: skip


def _rows(data: Path, name: str) -> Iterator[list[str]]:
    with (data / name).open(newline="") as source:
        rows = csv.reader(source)
        next(rows)
        yield from rows


def _money(cents: str) -> str:
    return str(Decimal(cents) / 100)


if __name__ == "__main__":
    main()
