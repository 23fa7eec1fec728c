"""Change one category or attribute: the tree's paths, what is found by it, and what must not be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from core.catalog import structure
from core.catalog.models import Attribute, Category, Product, ProductAttribute
from core.catalog.saving import reindex_category
from core.catalog.search.documents import reindex
from core.data import audit
from core.data.db import db
from core.data.write import locked
from core.i18n import _, _l
from core.spec.errors import Conflict, Invalid, NotFound

TYPES = ("text", "number", "choice", "boolean")
NO_SLASH = _l("A slash parts categories in addresses, so a code cannot have one. Write another sign, such as a hyphen.")


def category_by_code(code: str) -> Category:
    """Return a category; NotFound if there is none."""
    found = db.session.scalar(select(Category).where(Category.code == code))
    if found is None:
        raise NotFound("CATEGORY-UNKNOWN", _("There is no category “%(code)s”.", code=code))
    return found


def save_category(category: Category | None, code: str, parent: Category | None, values: Mapping[str, Any]) -> Category:
    """Create or change a category; ``values`` are name, position and hidden. Call inside ``write()``."""
    created = category is None
    hold_tree()
    for known in (category, parent):
        if known is not None:
            db.session.refresh(known)
    if category is None:
        if "/" in code:
            raise Invalid("CATEGORY-CODE", NO_SLASH, details={"field": "code"})
        _refuse_taken(Category, code)
        category = Category(code=code, path="", **values)
        db.session.add(category)
    else:
        for name, value in values.items():
            setattr(category, name, value)
    if parent is not None and not created and parent.path.startswith(category.path):
        raise Invalid(
            "CATEGORY-CIRCLE", _("A category cannot lie within itself. Choose another place."), details={"field": "parent"}
        )
    category.parent_id = parent.id if parent else None
    _move(category, f"{parent.path if parent else '/'}{code}/")
    db.session.flush()
    audit.record("category", code, "created" if created else "changed", after={"path": category.path, **values})
    structure.forget()
    reindex_category(category.path)
    return category


def hold_tree() -> None:
    """Let nobody else move categories until ``write()`` ends: two who move at once would leave paths of another tree."""
    roots = select(Category.id).where(Category.parent_id.is_(None)).order_by(Category.id)
    # products may be put into them meanwhile
    db.session.execute(locked(roots, key_share=True))


def _move(category: Category, path: str) -> None:
    """Give a category and everything beneath it a new path."""
    before, category.path = category.path, path
    if before in ("", path):
        return
    for below in db.session.scalars(select(Category).where(Category.path.startswith(before, autoescape=True))):
        if below is not category:
            below.path = path + below.path.removeprefix(before)


def delete_category(category: Category) -> None:
    """Delete an empty category; Conflict says what is still in it. Call inside ``write()``."""
    below = db.session.scalar(select(func.count()).where(Category.parent_id == category.id)) or 0
    held = db.session.scalar(select(func.count()).where(Product.category_id == category.id)) or 0
    if below or held:
        raise Conflict(
            "CATEGORY-USED",
            _(
                "“%(code)s” still holds %(products)s products and %(categories)s categories. Move them first, or hide it.",
                code=category.code,
                products=held,
                categories=below,
            ),
        )
    db.session.delete(category)
    audit.record("category", category.code, "deleted")
    structure.forget()


def attribute_by_code(code: str) -> Attribute:
    """Return an attribute; NotFound if there is none."""
    found = db.session.scalar(select(Attribute).where(Attribute.code == code))
    if found is None:
        raise NotFound("ATTRIBUTE-UNKNOWN", _("There is no attribute “%(code)s”.", code=code))
    return found


def save_attribute(attribute: Attribute | None, code: str, values: Mapping[str, Any]) -> Attribute:
    """Create or change an attribute; its type stays once products have values. Call inside ``write()``."""
    created = attribute is None
    if attribute is None:
        _refuse_taken(Attribute, code)
        attribute = Attribute(code=code, **values)
        db.session.add(attribute)
    else:
        if values["type"] != attribute.type and uses_of(attribute):
            raise Invalid(
                "ATTRIBUTE-TYPE",
                _("The type stays: %(count)s products have a value of this attribute.", count=uses_of(attribute)),
                details={"field": "type"},
            )
        for name, value in values.items():
            setattr(attribute, name, value)
    db.session.flush()
    audit.record("attribute", code, "created" if created else "changed", after=values)
    structure.forget()
    if not created:
        reindex(db.session.scalars(select(ProductAttribute.product_id).where(ProductAttribute.attribute_id == attribute.id)))
    return attribute


def attributes_in(category: str) -> set[int]:
    """Return the ids of the attributes that products of the category with this code have."""
    having = (
        select(ProductAttribute.product_id)
        .join(Product, Product.id == ProductAttribute.product_id)
        .join(Category, Category.id == Product.category_id)
        .where(ProductAttribute.attribute_id == Attribute.id, Category.code == category)
    )
    return set(db.session.scalars(select(Attribute.id).where(having.exists())))


def uses_of(attribute: Attribute) -> int:
    """Return how many products have a value of an attribute."""
    v = ProductAttribute
    return db.session.scalar(select(func.count()).where(v.attribute_id == attribute.id)) or 0


def delete_attribute(attribute: Attribute) -> None:
    """Delete an attribute with its values; call inside ``write()``."""
    product_ids = list(
        db.session.scalars(select(ProductAttribute.product_id).where(ProductAttribute.attribute_id == attribute.id))
    )
    db.session.delete(attribute)
    db.session.flush()
    audit.record("attribute", attribute.code, "deleted", after={"values": len(product_ids)})
    structure.forget()
    reindex(product_ids)


def _refuse_taken(model: Any, code: str) -> None:
    if db.session.scalar(select(model.id).where(model.code == code)) is not None:
        raise Invalid(
            "CODE-TAKEN", _("The code “%(code)s” is taken. Choose another one.", code=code), details={"field": "code"}
        )
