"""The least that the price question can cost: one indexed statement on tables made for nothing else."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

DAY = "2026-11-15"
TABLES = {
    "floor_product": ("products.csv", "id integer primary key, sku text, name text, category integer, cents integer"),
    "floor_company": ("customers.csv", "id integer primary key, name text, segment integer, credit bigint"),
    "floor_percent": (
        "segment_category.csv",
        "segment integer, category integer, points integer, primary key (segment, category)",
    ),
    "floor_list": ("segment_fixed.csv", "segment integer, product integer, cents integer, primary key (segment, product)"),
    "floor_contract": (
        "contract_prices.csv",
        "company integer, product integer, quantity integer, cents integer, starts text, ends text, "
        "primary key (company, product, quantity, starts)",
    ),
}
_PRICE = """
coalesce(({top}), f.cents, (p.cents * (10000 - d.points) + 5000) / 10000, p.cents)
"""
_JOINS = """
join floor_product p on p.id = l.product
join floor_company u on u.id = {company}
left join floor_list f on f.segment = u.segment and f.product = l.product
left join floor_percent d on d.segment = u.segment and d.category = p.category
order by l.n
"""
_TOP = """
select c.cents from floor_contract c where c.company = {company} and c.product = l.product and c.quantity <= l.quantity
and c.starts <= {day} and c.ends >= {day} order by c.quantity desc limit 1
"""
SQLITE = (
    "with l(n, product, quantity) as (select key, json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?1)) select"
    + _PRICE.format(top=_TOP.format(company="?2", day="?3"))
    + "from l"
    + _JOINS.format(company="?2")
)
POSTGRES = (
    "select"
    + _PRICE.format(top=_TOP.format(company="%(company)s", day="%(day)s"))
    + "from unnest(%(products)s::int[], %(quantities)s::int[]) with ordinality as l(product, quantity, n)"
    + _JOINS.format(company="%(company)s")
)


class Floor:
    """Answers the samples on the same server as the product, over the bare driver."""

    def __init__(self, engine: Engine, folder: Path, data: Path) -> None:
        self.sqlite = engine.dialect.name == "sqlite"
        if self.sqlite:
            path = folder / f"floor-{data.name}.sqlite"
            made = path.exists()
            self.connection: Any = sqlite3.connect(path)
            self.connection.execute("pragma journal_mode=wal")
        else:
            self._held = engine.raw_connection()  # else the pool takes it back, and closes it
            self.connection = self._held.driver_connection
            self.connection.autocommit = True
            self.connection.execute("set plan_cache_mode = force_generic_plan")
            self.connection.prepare_threshold = 1
            made = self.connection.execute("select to_regclass('floor_contract')").fetchone()[0] is not None
        if not made:
            self._load(data)

    def ask(self, sample: Any) -> list[int]:
        """Return the prices of a sample in cents."""
        if self.sqlite:
            found = self.connection.execute(SQLITE, (json.dumps(sample["lines"]), sample["customer"], DAY))
        else:
            products, quantities = zip(*sample["lines"], strict=True)
            values = {"products": list(products), "quantities": list(quantities), "company": sample["customer"], "day": DAY}
            found = self.connection.execute(POSTGRES, values)
        return [row[0] for row in found.fetchall()]

    def _load(self, data: Path) -> None:
        mark = "?" if self.sqlite else "%s"
        for table, (name, columns) in TABLES.items():
            without = " without rowid" if self.sqlite and "primary key (" in columns else ""
            self.connection.execute(f"create table {table} ({columns}){without}")
            rows = sorted(_rows(data / name))
            marks = ", ".join([mark] * len(rows[0]))
            cursor = self.connection.cursor()
            cursor.executemany(f"insert into {table} values ({marks})", rows)
        if self.sqlite:
            self.connection.commit()
        self.connection.execute("analyze")
        if self.sqlite:
            self.connection.commit()


def _rows(path: Path) -> Iterator[list[Any]]:
    with path.open(newline="") as source:
        rows = csv.reader(source)
        next(rows)
        for row in rows:
            yield [int(cell) if cell.isdigit() else cell for cell in row]
