"""Order numbers: given at submit, unique; gaps are allowed (invoices have their own rules)."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from core.data.db import db
from core.orders.models import NumberSeries

FIRST = 10001


def next_number(seller_id: int, kind: str = "order", prefix: str = "") -> str:
    """Take the next number of a series; call inside ``write()``, late, because it locks the series until the commit.

    A new series starts at ``FIRST`` with ``prefix``.
    """
    series = (NumberSeries.seller_id == seller_id, NumberSeries.kind == kind)
    statement = (
        update(NumberSeries)
        .where(*series)
        .values(next_value=NumberSeries.next_value + 1)
        .returning(NumberSeries.prefix, NumberSeries.next_value)
    )
    row = db.session.execute(statement).first() or _begin(seller_id, kind, prefix) or db.session.execute(statement).one()
    return f"{row[0]}{row[1] - 1}"


def _begin(seller_id: int, kind: str, prefix: str) -> tuple[str, int] | None:
    """Begin the series; None if somebody else began it at the same moment."""
    try:
        with db.session.begin_nested():
            db.session.add(NumberSeries(seller_id=seller_id, kind=kind, prefix=prefix, next_value=FIRST + 1))
    except IntegrityError:
        return None
    return prefix, FIRST + 1
