"""Keyset pages: every row once, forwards and backwards, rows without a value last."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, case, create_engine, select

from core.ui.keyset import Cursor, Sort, decode, window

VALUES = [3, 1, None, 2, 2, None, 1, 5, 2]
ROWS = Table("keyset_rows", MetaData(), Column("id", Integer, primary_key=True), Column("value", Integer))


@pytest.fixture(scope="module")
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        ROWS.metadata.create_all(connection)
        connection.execute(ROWS.insert(), [{"id": at, "value": value} for at, value in enumerate(VALUES, start=1)])
        yield connection


def _page(connection, sort, size, after=None, before=None):
    statement = select(ROWS.c.id.label("id_"), ROWS.c.value.label("sort_"))
    if before or after:
        statement = statement.where(sort.beyond(before or after, backwards=before is not None))
    statement = sort.order(statement, backwards=before is not None).limit(size + 1)
    return window(connection.execute(statement).all(), size, after=after, before=before)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 20])
def test_pages_forwards_then_backwards_show_every_row_once(connection, descending, size):
    sort = Sort(ROWS.c.value, ROWS.c.id, descending)
    everything = [row.id_ for row in _page(connection, sort, 99).rows]
    assert [VALUES[at - 1] for at in everything][-2:] == [None, None]
    page = _page(connection, sort, size)
    pages = [page]
    while page.after:
        page = _page(connection, sort, size, after=page.after)
        pages.append(page)
    assert [row.id_ for p in pages for row in p.rows] == everything
    assert pages[0].before is None
    back = [pages[-1]]
    while back[-1].before:
        back.append(_page(connection, sort, size, before=back[-1].before))
    assert [row.id_ for p in reversed(back) for row in p.rows] == everything


@pytest.mark.parametrize("value", [None, 7, True, "Ä'\"", Decimal("1.50"), datetime(2026, 11, 22, tzinfo=UTC)])
def test_cursors_survive_an_address(value):
    assert decode(Cursor(value, 12).encode()) == Cursor(value, 12)


@pytest.mark.parametrize("text", ["", "x", "e30", "WyJ6IiwxLDJd", "' or 1=1 --", "💥", "WyJkIiwiTmFOeCIsMV0"])
def test_other_text_is_no_cursor(text):
    assert decode(text) is None


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_amounts_are_sorted_within_their_currency(connection, descending, size):
    """Pages go on in the next currency, forwards and backwards; whatever the amounts, currencies stay together."""
    currency = case((ROWS.c.id % 3 == 0, "EUR"), (ROWS.c.id % 3 == 1, "PLN"), else_="SEK")
    sort = Sort(ROWS.c.value, ROWS.c.id, descending, currency)

    def page(after=None, before=None):
        statement = select(*sort.columns())
        if before or after:
            statement = statement.where(sort.beyond(decode((before or after).encode()), backwards=before is not None))
        statement = sort.order(statement, backwards=before is not None).limit(size + 1)
        return window(connection.execute(statement).all(), size, after=after, before=before)

    pages = [page()]
    while pages[-1].after:
        pages.append(page(after=pages[-1].after))
    found = [(row.group_, row.sort_) for p in pages for row in p.rows]
    assert [group for group, _value in found] == ["EUR"] * 3 + ["PLN"] * 3 + ["SEK"] * 3
    for group in ("EUR", "PLN", "SEK"):
        values = [value for g, value in found if g == group and value is not None]
        assert values == sorted(values, reverse=descending)
    back = [pages[-1]]
    while back[-1].before:
        back.append(page(before=back[-1].before))
    assert [row.id_ for p in reversed(back) for row in p.rows] == [row.id_ for p in pages for row in p.rows]
