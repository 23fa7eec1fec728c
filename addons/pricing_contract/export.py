"""Rows of a contract as CSV, in the columns of the import."""

from __future__ import annotations

import csv
import io
from typing import Any

from core.api.ui import plain

from .imports import CONTRACT_PRICES, prices_of


def rows_as_csv(contract_id: int) -> str:
    """Return the rows with a head line, quoted where needed; a cell never begins a formula."""
    target = io.StringIO()
    names = [field.name for field in CONTRACT_PRICES.fields]
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    for row in prices_of(contract_id):
        writer.writerow([_cell(row.get(name)) for name in names])
    return target.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "as_tuple"):
        return plain(value)
    text = ";".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "@") else text
