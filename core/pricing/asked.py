"""Parameters that are tables: the lines of a question go to the database as one value, whatever their number.

SQLite reads JSON by ``json_each`` (flat, so that nothing is parsed twice), PostgreSQL arrays by ``unnest``. The statement
text never depends on the number of lines, so it is compiled and planned once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, FromClause, Join, String, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles

from core.data.prepared import Prepared, id_table, id_values, instant_value, prepared

__all__ = [
    "InOrder",
    "Prepared",
    "id_table",
    "id_values",
    "instant_value",
    "line_table",
    "line_values",
    "prepared",
    "quantity_table",
    "quantity_values",
]


def line_table(dialect: str, name: str) -> FromClause:
    """Return a table of the lines bound as ``name``: ``n`` (from 0), ``id`` and ``unit``."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name)).table_valued(column("key"), column("value"), name=f"{name}_each")
        # a cast reads the number at the start of "17 box"
        unit = func.substr(each.c.value, func.instr(each.c.value, " ") + 1)
        chosen = select(each.c.key.label("n"), cast(each.c.value, BigInteger).label("id"), unit.label("unit"))
        return chosen.cte(name).prefix_with("MATERIALIZED")  # else each use of the unit cuts it out again
    ids = cast(bindparam(f"{name}_ids"), ARRAY(BigInteger))
    units = cast(bindparam(f"{name}_units"), ARRAY(String))
    each = func.unnest(ids, units).table_valued(
        column("id", BigInteger), column("unit", String), with_ordinality="n", name=f"{name}_each"
    )
    each = each.render_derived()
    return select((each.c.n - 1).label("n"), each.c.id, each.c.unit).cte(name)


def line_values(dialect: str, name: str, lines: Sequence[Any]) -> dict[str, Any]:
    """Return the parameters for ``line_table``: each line has ``product_id`` and ``unit``."""
    if dialect == "sqlite":
        return {name: json.dumps([f"{line.product_id} {line.unit}" for line in lines])}
    return {
        f"{name}_ids": [line.product_id for line in lines],
        f"{name}_units": [line.unit for line in lines],
    }


def quantity_table(dialect: str, name: str) -> FromClause:
    """Return a table of the products bound as ``name`` with a whole number each: ``id`` and ``value``."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name)).table_valued(column("key"), column("value"), name=f"{name}_each")
        chosen = select(cast(each.c.key, BigInteger).label("id"), each.c.value.label("value"))
    else:
        ids = cast(bindparam(f"{name}_ids"), ARRAY(BigInteger))
        values = cast(bindparam(f"{name}_values"), ARRAY(BigInteger))
        each = func.unnest(ids, values).table_valued(
            column("id", BigInteger), column("value", BigInteger), name=f"{name}_each"
        )
        each = each.render_derived()
        chosen = select(each.c.id, each.c.value)
    return chosen.cte(name)


def quantity_values(dialect: str, name: str, quantities: Mapping[int, int]) -> dict[str, Any]:
    """Return the parameters for ``quantity_table``, whose rows come in the order of ``quantities``."""
    if dialect == "sqlite":
        # whole numbers need no escaping, and the encoder takes three times as long
        return {name: "{" + ",".join([f'"{key}":{value}' for key, value in quantities.items()]) + "}"}
    return {f"{name}_ids": list(quantities), f"{name}_values": list(quantities.values())}


class InOrder(Join):
    """An inner join that SQLite runs in the order written, left first.

    Its planner takes a table of parameters for a few rows and would scan it once for every row of a large table.
    """

    inherit_cache = True


@compiles(InOrder, "sqlite")
def _cross_join(join: InOrder, compiler: Any, asfrom: bool = False, **kwargs: Any) -> str:
    left = compiler.process(join.left, asfrom=True, **kwargs)
    right = compiler.process(join.right, asfrom=True, **kwargs)
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **kwargs)}"
