"""What is kept in memory is what the tables hold: any change, by whatever way, lets it go."""

import pytest
from sqlalchemy import delete, insert, text, update

from core.catalog.models import Category
from core.data import stamps
from core.data.db import db
from core.data.scope import set_actor, system, unscoped
from core.data.write import write
from core.pricing.models import ListPrice
from core.spec.pricing import BEGINNING
from core.testing import factories


def by_object():
    with write() as session:
        session.add(Category(code="new", path="/new/", name={"en": "New"}))


def by_statement():
    with write() as session:
        session.execute(update(Category).where(Category.code == "old").values(position=7))


def by_table():
    with write() as session:
        session.connection().execute(insert(Category.__table__).values(code="t", path="/t/", name={"en": "T"}))


def by_text():
    with write() as session:
        session.execute(unscoped(text("UPDATE catalog_category SET position = 9"), "a test"))


def by_deleting():
    with write() as session:
        session.execute(delete(Category).where(Category.code == "old"))


@pytest.fixture
def look(data_app):
    with write() as session:
        session.add(Category(code="old", path="/old/", name={"en": "Old"}))

    def found():
        with data_app.app_context():
            set_actor(system("a test"))
            rows = db.session.query(Category.code, Category.position)
            return stamps.kept("catalogue", "test", lambda: tuple(sorted(map(tuple, rows))))

    return found


@pytest.mark.parametrize("change", [by_object, by_statement, by_table, by_text, by_deleting])
def test_every_way_of_changing_lets_go_of_what_is_kept(look, change):
    before = look()
    assert look() is before
    change()
    after = look()
    assert after != before
    assert look() is after


def test_what_was_rolled_back_or_is_of_no_concern_lets_go_of_nothing(look):
    before = look()
    with pytest.raises(RuntimeError), write() as session:
        session.execute(update(Category).values(position=3))
        raise RuntimeError
    with write() as session:
        session.execute(unscoped(text("UPDATE core_generation SET number = number"), "a test"))
    assert look() is before


@pytest.mark.parametrize("change", [by_object, by_statement, by_table, by_text, by_deleting])
def test_every_way_of_changing_a_table_moves_its_mark(look, change):
    category, other = stamps.changes("catalog_category"), stamps.changes("companies_company")
    change()
    assert stamps.changes("catalog_category") != category
    assert stamps.changes("companies_company") == other


def test_nothing_is_kept_of_a_transaction_that_changes(look):
    before = look()
    with write() as session:
        session.execute(update(Category).values(position=5))
        assert stamps.current("catalogue") is None
        assert stamps.kept("catalogue", "test", lambda: "seen within") == "seen within"
    assert look() != before


def test_only_the_newest_stay(look):
    for n in range(5):
        stamps.kept("catalogue", ("few", n), lambda n=n: n, most=3)
    assert stamps.kept("catalogue", ("few", 4), lambda: "made anew", most=3) == 4
    assert stamps.kept("catalogue", ("few", 1), lambda: "made anew", most=3) == "made anew"


def test_a_book_is_shared_while_none_of_its_tables_changes(data_app):
    names = ("catalogue", "list_prices")

    def at(most=3):
        with data_app.test_request_context():
            set_actor(system("a test"))
            return stamps.book(names, "test", most=most)

    first = at()
    first["key"] = "value"
    assert at() is first
    with data_app.test_request_context(), write():
        set_actor(system("a test"))
        assert stamps.book(names, "test", most=3) == {}
    assert stamps.book(names, "test", most=3) == {}, "nor outside of requests"
    by_object()
    second = at()
    assert second == {}
    second.update(dict.fromkeys(range(4)))
    assert at() == {}, "one that is too large is put aside"


def test_a_deletion_lets_go_of_what_the_database_deletes_with_it(data_app):
    def word():
        with data_app.app_context():
            set_actor(system("a test"))
            return stamps.current("list_prices")

    with write() as session:
        product = factories.make_product("SKU-1")
        session.flush()
        session.add(ListPrice(product_id=product.id, unit="pcs", currency="EUR", price=1, valid_from=BEGINNING))
    before = word()
    with write() as session:
        session.execute(unscoped(text("DELETE FROM catalog_product"), "a test"))
    assert word() != before
