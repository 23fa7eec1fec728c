"""Sweeps of `tukku doctor` in tests: break a row as no code would, and see which check names it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import text

from core.data.db import db
from core.data.scope import acting, system
from core.runtime.sweeps import sweep


def break_rows(app: Flask, *statements: str, **values: Any) -> None:
    """Run SQL past the code of the shop, in one transaction; ``values`` are parameters of all statements."""
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), {name: v for name, v in values.items() if f":{name}" in statement})


def swept(app: Flask, owner: str = "") -> dict[str, list[str]]:
    """Return the names of broken rows by the code of the check that finds them, of one owner if given; all can be asked."""
    with app.app_context(), acting(system("doctor")):
        answers = list(sweep())
    assert [a for a in answers if a.failure] == []
    return {a.check.code: list(a.names) for a in answers if a.count and owner in ("", a.owner)}
