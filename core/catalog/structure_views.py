"""Back-office pages of categories, attributes and companies' own item codes."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.catalog import editing, facets, structuring
from core.catalog.admin_views import bp
from core.catalog.forms import TYPE_NAMES, AttributeBase, CategoryBase, ItemCodeForm, named_form, names_of
from core.catalog.listings import ITEM_CODES
from core.catalog.models import Attribute, Category, Product
from core.catalog.structure import attributes, tree
from core.data.write import write
from core.i18n import _, _l, ngettext, pick
from core.spec.errors import TukkuError
from core.spec.ui import Action
from core.ui.access import requires
from core.ui.forms import show_form
from core.ui.listing import show_list
from core.ui.listpage import Empty

STRUCTURE = "catalog.structure.manage"
CODES = "catalog.item_code.manage"


@bp.get("/categories/")
@requires(STRUCTURE)
def categories() -> str:
    """Show the tree of categories."""
    known = tree()
    counts = known.sums(facets.category_counts(facets.listed(Product.id.is_not(None), {})))
    rows = [(node, len(known.line(node)) - 1, counts[node.id]) for node in _in_order()]
    return render_template("catalog/admin_categories.html", rows=rows)


def _in_order() -> list[Any]:
    known = tree()
    found: list[Any] = []

    def walk(parent: int | None) -> None:
        for node in known.children.get(parent, ()):
            found.append(node)
            walk(node.id)

    walk(None)
    return found


@bp.route("/new-category", methods=["GET", "POST"])
@requires(STRUCTURE)
def new_category() -> Any:
    """Add a category."""
    return _category(named_form(CategoryBase, data={"position": 0, "parent": request.args.get("parent", "")}), None)


@bp.route("/categories/<path:code>", methods=["GET", "POST"])
@requires(STRUCTURE)
def category(code: str) -> Any:
    """Change a category."""
    found = structuring.category_by_code(code)
    parent = tree().nodes.get(found.parent_id or 0)
    data = {"code": found.code, "parent": parent.code if parent else "", "position": found.position, "hidden": found.hidden}
    return _category(named_form(CategoryBase, data={**data, **names_of(found.name)}), found)


def _page(form: Any, found: Category | Attribute | None) -> dict[str, Any]:
    """Return what the page of a category or attribute shows; the code of one that exists stays."""
    if found is not None:
        form.code.data = found.code
    return {"code": found.code if found else "", "title": pick(found.name) if found else ""}


def _category(form: Any, found: Category | None) -> Any:
    def save() -> Any:
        values = {"name": form.names(), "position": form.position.data or 0, "hidden": form.hidden.data}
        with write():
            parent = structuring.category_by_code(form.parent.data) if form.parent.data else None
            structuring.save_category(found, form.code.data, parent, values)
        flash(_("The category is saved."), "success")
        return redirect(url_for("catalog_admin.categories"), 303)

    return show_form(form, "catalog/admin_category.html", save, **_page(form, found))


@bp.post("/delete-category/<path:code>")
@requires(STRUCTURE)
def delete_category(code: str) -> Any:
    """Delete an empty category."""
    return _deleted(code, lambda: structuring.delete_category(structuring.category_by_code(code)), "categories", "category")


@bp.get("/attributes/")
@requires(STRUCTURE)
def attribute_list() -> str:
    """Show the attributes."""
    return render_template("catalog/admin_attributes.html", attributes=list(attributes().values()), types=TYPE_NAMES)


@bp.route("/new-attribute", methods=["GET", "POST"])
@requires(STRUCTURE)
def new_attribute() -> Any:
    """Add an attribute."""
    return _attribute(named_form(AttributeBase, data={"position": 0, "type": "choice"}), None)


@bp.route("/attributes/<path:code>", methods=["GET", "POST"])
@requires(STRUCTURE)
def attribute(code: str) -> Any:
    """Change an attribute."""
    found = structuring.attribute_by_code(code)
    data = {name: getattr(found, name) for name in ("code", "type", "unit", "facet", "position")}
    return _attribute(named_form(AttributeBase, data={**data, **names_of(found.name)}), found)


def _attribute(form: Any, found: Attribute | None) -> Any:
    def save() -> Any:
        values = {"name": form.names(), "position": form.position.data or 0}
        values |= {name: form[name].data for name in ("type", "unit", "facet")}
        with write():
            structuring.save_attribute(found, form.code.data, values)
        flash(_("The attribute is saved."), "success")
        return redirect(url_for("catalog_admin.attribute_list"), 303)

    uses = structuring.uses_of(found) if found else 0
    return show_form(form, "catalog/admin_attribute.html", save, **_page(form, found), uses=uses)


@bp.post("/delete-attribute/<path:code>")
@requires(STRUCTURE)
def delete_attribute(code: str) -> Any:
    """Delete an attribute with its values."""
    return _deleted(
        code, lambda: structuring.delete_attribute(structuring.attribute_by_code(code)), "attribute_list", "attribute"
    )


def _deleted(code: str, delete: Any, done: str, back: str) -> Any:
    """Delete what was named by typing its code."""
    here = redirect(url_for(f"catalog_admin.{back}", code=code), 303)
    if request.form.get("confirm_name", "").strip() != code:
        flash(_("Type %(name)s to confirm.", name=code), "error")
        return here
    try:
        with write():
            delete()
    except TukkuError as error:
        flash(str(error.message), "error")
        return here
    flash(_("%(name)s is deleted.", name=code), "success")
    return redirect(url_for(f"catalog_admin.{done}"), 303)


_CODE_ACTIONS = (
    Action(
        "remove", "catalog.item_codes", _l("Take away"), "catalog_admin.remove_item_codes", CODES, "trash", dangerous=True
    ),
)


@bp.get("/item-codes/")
@requires(CODES)
def item_codes() -> Any:
    """List companies' own codes."""
    empty = Empty(
        _("No item code yet"), _("A company's own code for a product finds it in search and quick order."), "upc-scan"
    )
    form = ItemCodeForm(formdata=None)
    return show_list(ITEM_CODES, "catalog/admin_item_codes.html", actions=_CODE_ACTIONS, empty=empty, form=form)


@bp.post("/item-codes/")
@requires(CODES)
def add_item_code() -> Any:
    """Add a code."""
    form = ItemCodeForm()
    if form.validate():
        try:
            with write():
                editing.add_item_code(form.company.data or "", (form.code.data or "").strip(), form.sku.data or "")
        except TukkuError as error:
            flash(str(error.message), "error")
        else:
            flash(_("%(code)s is saved.", code=form.code.data), "success")
    for errors in form.errors.values():
        flash(str(errors[0]), "error")
    return redirect(url_for("catalog_admin.item_codes"), 303)


@bp.post("/remove-item-codes")
@requires(CODES)
def remove_item_codes() -> Any:
    """Take the chosen codes away."""
    with write():
        count = editing.remove_item_codes(request.form.getlist("code"))
    flash(ngettext("%(count)s code was taken away.", "%(count)s codes were taken away.", count), "success")
    return redirect(url_for("catalog_admin.item_codes"), 303)
