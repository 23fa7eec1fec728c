"""The least that a company with many contracts can cost: one indexed statement, on tables made for nothing else.

For each line the contracts are walked in their order, and the walk ends at the first that has a price for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

DAY = "2026-11-15"
_TABLES = (
    "create table floor_list (product integer primary key, cents integer)",
    "create table floor_holder (company integer, place integer, contract integer, primary key (company, place))",
    "create table floor_price (contract integer, product integer, quantity integer, starts text, cents integer, ends text, "
    "primary key (contract, product, quantity, starts))",
    "insert into floor_list select product_id, price / 10000 from pricing_list_price",
    "insert into floor_holder select company_id, -priority, id from pricing_contract_contract",
    "insert into floor_price select contract_id, product_id, min_quantity / 1000000, '2020-01-01', value / 10000, '2030-12-31' "
    "from pricing_contract_price order by contract_id, product_id, min_quantity",
)
#: Both end at the first contract that has a price; PostgreSQL is told so by an offset, which it must not take apart.
_SQLITE_TOP = """
select c.cents from floor_holder h cross join floor_price c on c.contract = h.contract
and c.product = l.product and c.quantity <= l.quantity and c.starts <= ?3 and c.ends >= ?3
where h.company = ?2 order by h.place, c.quantity desc limit 1
"""
_POSTGRES_TOP = """
select f.cents from (select contract from floor_holder where company = %(company)s order by place) h cross join lateral (
select c.cents from floor_price c where c.contract = h.contract and c.product = l.product and c.quantity <= l.quantity
and c.starts <= %(day)s and c.ends >= %(day)s order by c.quantity desc limit 1 offset 0) f limit 1
"""
SQLITE = (
    "with l(n, product, quantity) as (select key, json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?1)) "
    f"select coalesce(({_SQLITE_TOP}), p.cents) "
    "from l join floor_list p on p.product = l.product order by l.n"
)
POSTGRES = (
    f"select coalesce(({_POSTGRES_TOP}), p.cents) "
    "from unnest(%(products)s::int[], %(quantities)s::int[]) with ordinality as l(product, quantity, n) "
    "join floor_list p on p.product = l.product order by l.n"
)


class Floor:
    """Answers the lines on the same server as the product, over the bare driver."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.sqlite = engine.dialect.name == "sqlite"
        self._held: Any = None
        if self.sqlite:
            self.connection: Any = sqlite3.connect(folder / "floor.sqlite")
            self.connection.execute("pragma cache_size = -32768")  # as the product has it
            self.connection.execute("attach ? as own", (str(engine.url.database),))
        else:
            self._held = engine.raw_connection()  # else the pool takes it back, and closes it
            self.connection = self._held.driver_connection
            self.connection.rollback()
            self.connection.autocommit = True
        for statement in _TABLES:
            without = " without rowid" if self.sqlite and "primary key (" in statement else ""
            self.connection.execute(statement + without)
        if self.sqlite:
            self.connection.commit()
            self.connection.execute("detach own")
            self.connection.execute("analyze")
            self.connection.commit()
        else:
            self.connection.execute("vacuum analyze")
            self.connection.execute("set plan_cache_mode = force_generic_plan")
            self.connection.prepare_threshold = 1

    def ask(self, lines: Sequence[tuple[int, int]]) -> list[int]:
        """Return the prices in cents."""
        if self.sqlite:
            found = self.connection.execute(SQLITE, (json.dumps(lines), 1, DAY))
        else:
            products, quantities = zip(*lines, strict=True)
            values = {"products": list(products), "quantities": list(quantities), "company": 1, "day": DAY}
            found = self.connection.execute(POSTGRES, values)
        return [row[0] for row in found.fetchall()]

    def close(self) -> None:
        """Let the connection go."""
        if self._held is not None:
            self._held.invalidate()
        else:
            self.connection.close()
