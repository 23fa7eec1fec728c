"""Measure the catalogue: a facet page, a narrowed one and searches over 20,000 products, in milliseconds.

    python -m bench.catalog [--products 20000] [--url DATABASE_URL]

Without ``--url`` a SQLite file in a temporary folder is used. Figures are the median and the worst of ten runs of the
services behind the page (visibility, hits, counts, facets, one page of products), without prices and template.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.catalog import listing, saving, services
from core.catalog.models import Attribute, Category
from core.catalog.selection import Selection, read
from core.catalog.structure import attributes, tree
from core.data.db import db, make_engine, normalise_url
from core.data.migrate import core_history, upgrade
from core.data.scope import set_actor, system
from core.data.write import write
from core.testing.apps import bare_app, closing
from core.testing.statements import count_statements

THREADS = tuple(f"M{n}" for n in (3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 27, 30, 36))
CLASSES = ("4.6", "5.6", "8.8", "10.9", "12.9", "A2-70", "A4-80")
SURFACES = ("Plain", "Zinc plated", "Hot-dip galvanised", "Black oxide")
MATERIALS = ("Steel", "Stainless steel A2", "Stainless steel A4", "Brass", "Nylon")
CHOICES: dict[str, tuple[str, ...]] = {
    "thread": THREADS, "strength": CLASSES, "surface": SURFACES, "material": MATERIALS,
    "standard": tuple(f"DIN {n}" for n in range(900, 940)), "head": ("Hexagon", "Socket", "Countersunk"),
    "drive": ("Hex", "Torx", "Slot", "Phillips"), "brand": tuple(f"Brand {n}" for n in range(30)),
}  # fmt: skip
NUMBERS = ("length", "weight_class")


def main() -> None:
    """Fill a database and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/bench.sqlite"
        engine = make_engine(normalise_url(url))
        app = bare_app(url, Path(folder))
        upgrade(engine, core_history())
        engine.dispose()
        with closing(app), app.app_context():
            set_actor(system("bench"))
            took = timed(lambda: fill(options.products))
            print(f"{'saved and indexed':28} {took:8.0f} ms ({options.products / took * 1000:.0f} products/s)")
            for name, query in pages():
                report(name, query)


def fill(count: int) -> None:
    """Save the products in batches of a thousand."""
    with write() as session:
        session.add_all(Category(code=f"c{n}", path=f"/c{n}/", name={"en": f"Category {n}"}) for n in range(50))
        session.add_all(Attribute(code=c, name={"en": c}, type="choice", facet=True, labels={}) for c in CHOICES)
        session.add_all(Attribute(code=c, name={"en": c}, type="number", unit="mm", facet=True, labels={}) for c in NUMBERS)
    rows = products(count)
    while batch := list(itertools.islice(rows, 1000)):
        with write():
            saving.save_products(batch)
        db.session.expunge_all()
    db.session.connection().exec_driver_sql("ANALYZE")
    db.session.rollback()


def products(count: int) -> Iterator[dict[str, Any]]:
    """Yield screws that differ in all they can."""
    for n in range(count):
        chosen = {
            code: values[(n * (place + 1) + n // 7) % len(values)] for place, (code, values) in enumerate(CHOICES.items())
        }
        length = str(10 + (n * 5) % 200)
        name = f"{chosen['head']} screw {chosen['standard']} {chosen['thread']}x{length} {chosen['surface']}"
        yield {
            "sku": f"{chosen['standard'].replace(' ', '')}-{chosen['strength']}-{n:05}",
            "base_unit": "pcs",
            "category": f"c{n % 50}",
            "texts": {
                "en": {"name": name, "description": f"{name}, {chosen['material']}."},
                "fi": {"name": f"Ruuvi {name}"},
            },
            "attributes": {**chosen, "length": length, "weight_class": str(n % 9)},
        }


def pages() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is measured."""
    for name, arguments in (
        ("all products", []),
        ("one facet chosen", [("a.thread", "M8")]),
        ("three facets chosen", [("a.thread", "M8"), ("a.thread", "M10"), ("a.surface", "Plain"), ("a.length.max", "100")]),
        ("sorted by name", [("sort", "name")]),
        ("sorted by attribute", [("sort", "attribute:length")]),
        ("category", [("c", "c7")]),
        ("search: one word", [("q", "screw")]),
        ("search: words", [("q", "socket screw m8x40")]),
        ("search: code", [("q", "DIN933-8.8")]),
        ("search: typo", [("q", "hexagno scerw")]),
    ):
        yield name, lambda arguments=arguments: page(read(arguments, tree(), attributes()))


def page(selection: Selection) -> int:
    """Do what a page does before it is drawn."""
    results = listing.run(selection)
    services.product_views(results.ids)
    services.values_of(results.ids)
    services.own_codes(results.ids)
    return results.total


def report(name: str, query: Callable[[], int]) -> None:
    """Run and print one line."""
    with count_statements() as statements:
        total = query()
    times = [timed(query) for _ in range(10)]
    db.session.rollback()
    print(
        f"{name:28} {statistics.median(times):8.1f} ms  worst {max(times):7.1f}  "
        f"{statements.count:3} statements  {total:6} hits"
    )


def timed(work: Callable[[], Any]) -> float:
    """Return the milliseconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
