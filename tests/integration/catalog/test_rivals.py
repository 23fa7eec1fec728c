"""Two people at the tree of categories in the same moment leave one tree, whose paths are its own."""

from core.catalog import structuring
from core.catalog.models import Category
from core.data.db import db
from core.data.write import write
from core.spec.errors import Invalid
from core.testing.factories import make_category
from core.testing.rivals import rival


def move(code, parent):
    with write():
        category, above = structuring.category_by_code(code), structuring.category_by_code(parent)
        values = {"name": category.name, "position": 0, "hidden": False}
        structuring.save_category(category, code, above, values)


def paths():
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Category.path)))


def test_a_category_moves_into_one_that_moves_itself(app):
    for code in ("a", "b", "c"):
        make_category(code)
    with rival("FROM catalog_category", lambda: move("b", "c")):
        move("a", "b")
    assert paths() == ["/c/", "/c/b/", "/c/b/a/"]


def test_two_categories_do_not_move_into_each_other(app):
    for code in ("a", "b"):
        make_category(code)
    with rival("^UPDATE catalog_category", lambda: move("b", "a")) as others:
        move("a", "b")
    assert isinstance(others[0], Invalid)
    assert paths() == ["/b/", "/b/a/"]
