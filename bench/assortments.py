"""Measure what an assortment costs: the pages of ``bench.catalog`` for a visitor whom none restricts, and for one whom three do.

    python -m bench.assortments [--products 20000] [--url DATABASE_URL]

An *only* of 35 categories and a quarter of the products, a *without* of 3 categories and a tenth, an *also* of a fortieth.
Figures are the best of ten runs, in milliseconds, once what may be kept is kept, and the statements that were asked.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, select

from addons.assortments import models, seeing
from core.catalog import visibility
from core.catalog.models import Category, Product
from core.data import clock
from core.data.db import db, make_engine, normalise_url
from core.data.migrate import addon_history, core_history, upgrade
from core.data.scope import acting, guest, set_actor, system
from core.data.write import write
from core.registry.registry import EXTENSION, Implementation
from core.testing.apps import bare_app, closing
from core.testing.registries import give_registry
from core.testing.statements import count_statements

from . import catalog

FOLDER = Path(models.__file__).parent


def main() -> None:
    """Fill a database, and print each page without and with assortments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/bench.sqlite"
        engine = make_engine(normalise_url(url))
        app = bare_app(url, Path(folder))
        upgrade(engine, core_history())
        upgrade(engine, addon_history("assortments", FOLDER))
        engine.dispose()
        with closing(app), app.app_context():
            give_registry(app, {})
            set_actor(system("bench"))
            catalog.fill(options.products)
            made = app.extensions[EXTENSION]
            hook = Implementation("assortments", seeing.conditions, ("query",))
            app.extensions[EXTENSION] = replace(made, implementations={"catalog_visibility": (hook,)})
            free = [measure(app, name, query) for name, query in catalog.pages()]
            restrict()
            print(f"{'':22} {'free':>9} {'restricted':>12} {'ratio':>7}  statements")
            for (name, before, few), (_name, after, many) in zip(
                free, (measure(app, name, query) for name, query in catalog.pages()), strict=True
            ):
                print(f"{name:22} {before:6.1f} ms {after:9.1f} ms {after / before:7.2f}  {few} and {many}")


def restrict() -> None:
    """Make the three assortments, for everybody."""
    now = clock.now()
    with write() as session:
        for mode in models.MODES:
            session.add(
                models.Assortment(
                    code=mode, name=mode, audience="public", mode=mode, status="active", created_at=now, updated_at=now
                )
            )
    ids = dict(db.session.execute(select(models.Assortment.mode, models.Assortment.id)).all())
    products = list(db.session.scalars(select(Product.id).order_by(Product.id)))
    categories = list(db.session.scalars(select(Category.id).order_by(Category.id)))
    quarter, tenth, little = (len(products) // share for share in (4, 10, 40))
    named = {
        "only": (products[:quarter], categories[:35]),
        "without": (products[tenth : 2 * tenth], categories[5:8]),
        "also": (products[tenth : tenth + little], []),
    }
    rows = [
        {"assortment_id": ids[mode], "product_id": product_id, "category_id": category_id}
        for mode, (some, others) in named.items()
        for product_id, category_id in [*((one, None) for one in some), *((None, one) for one in others)]
    ]
    with write() as session:
        session.execute(insert(models.AssortmentRow), rows)
    db.session.connection().exec_driver_sql("ANALYZE")
    db.session.commit()


@contextmanager
def visit(app: Flask) -> Iterator[None]:
    """Run the block as a request of a visitor."""
    with app.app_context(), app.test_request_context("/"), acting(guest({visibility.VIEW})):
        yield


def measure(app: Flask, name: str, query: Callable[[], int]) -> tuple[str, float, int]:
    """Return a page's name, the fewest milliseconds that it took and its statements."""
    times = []
    with visit(app):
        query()
    with visit(app), count_statements() as statements:
        query()
    for _run in range(10):
        with visit(app):
            times.append(catalog.timed(query))
    db.session.rollback()
    return name, min(times), statements.count


if __name__ == "__main__":
    main()
