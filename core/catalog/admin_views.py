"""Back-office pages of products: the list, a product with its texts, units, values, pictures and documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms import Field

from core.catalog import editing, media, services
from core.catalog.forms import MediaForm, ProductBase, attribute_field, language_name, product_form
from core.catalog.listings import PRODUCTS
from core.catalog.models import Product
from core.catalog.structure import attributes
from core.catalog.structuring import attributes_in
from core.catalog.unit_rows import UnitRow, posted_rows, rows_of
from core.data.db import db
from core.data.write import write
from core.i18n import LOCALES, _, _l, ngettext
from core.spec.errors import Invalid, NotFound, TukkuError
from core.spec.ui import Action
from core.ui.access import requires
from core.ui.forms import Sections, refuse, sections_of
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.slots import panels

bp = Blueprint("catalog_admin", __name__)
EDIT = "catalog.product.manage"
_ACTIONS = (
    Action("activate", "catalog.products", _l("Activate"), "catalog_admin.activate", EDIT, "check2"),
    Action("block", "catalog.products", _l("Block"), "catalog_admin.block", EDIT, "lock"),
    Action("discontinue", "catalog.products", _l("Discontinue"), "catalog_admin.discontinue", EDIT, "x-circle"),
)


@bp.get("/products/")
@requires(EDIT)
def products() -> Any:
    """List the products."""
    empty = Empty(
        _("No product yet"),
        _("Add the first one, or import them from a file."),
        "box-seam",
        _("Add a product"),
        url_for("catalog_admin.new_product"),
    )
    return show_list(PRODUCTS, "catalog/admin_products.html", actions=_ACTIONS, empty=empty)


@bp.post("/products/activate")
@requires(EDIT)
def activate() -> Any:
    """Put the chosen products on sale."""
    return _set_status("active")


@bp.post("/products/block")
@requires(EDIT)
def block() -> Any:
    """Stop the sale of the chosen products; they are still shown."""
    return _set_status("blocked")


@bp.post("/products/discontinue")
@requires(EDIT)
def discontinue() -> Any:
    """Take the chosen products out of lists."""
    return _set_status("discontinued")


def _set_status(status: str) -> Any:
    with write():
        count = editing.set_status(request.form.getlist("code"), status)
    flash(ngettext("%(count)s product was changed.", "%(count)s products were changed.", count), "success")
    return redirect(url_for("catalog_admin.products"), 303)


@bp.route("/new-product", methods=["GET", "POST"])
@requires(EDIT)
def new_product() -> Any:
    """Add a product."""
    return _edit(product_form(data={"status": "active", "tax_class": "standard"}), None)


@bp.route("/products/<path:sku>", methods=["GET", "POST"])
@requires(EDIT)
def product(sku: str) -> Any:
    """Show and change a product."""
    found = product_by_sku(sku)
    return _edit(product_form(data=_form_data(found)), found)


def product_by_sku(sku: str) -> Product:
    """Return a product; NotFound if there is none."""
    found = db.session.scalar(select(Product).where(Product.sku == sku))
    if found is None:
        raise NotFound("PRODUCT-UNKNOWN", _("There is no product “%(sku)s”.", sku=sku[:80]))
    return found


_PLAIN = ("base_unit", "status", "tax_class", "gtin", "manufacturer", "manufacturer_code", "weight_kg", "position")


def _form_data(found: Product) -> dict[str, Any]:
    data: dict[str, Any] = {name: getattr(found, name) for name in (*_PLAIN, "sku", "version")}
    data["category"] = found.category.code if found.category else ""
    data["superseded_by"] = found.superseded_by.sku if found.superseded_by else ""
    for text in found.texts:
        data |= {f"name_{text.locale}": text.name, f"description_{text.locale}": text.description}
    for attribute in attributes().values():
        value = next((v for v in found.values if v.attribute_id == attribute.id), None)
        if value is not None:
            data[attribute_field(attribute)] = value.number if attribute.numeric else value.text
    return data


def _edit(form: ProductBase, found: Product | None) -> Any:
    if found is not None:
        form.sku.data, form.base_unit.data = found.sku, found.base_unit
    product_id, name = (found.id, _name(found)) if found else (None, "")
    rows = posted_rows(request.form) if form.is_submitted() else rows_of(found.units if found else ())
    sections = sections_of("product.edit", product_id)
    if form.is_submitted() and form.validate() & sections.validate():
        try:
            sku = _save(form, rows, sections, found)
        except TukkuError as error:
            refuse(form, error)
            return _page(form, rows, sections, product_id, name), error.status
        flash(_("%(sku)s is saved.", sku=sku), "success")
        return redirect(url_for("catalog_admin.product", sku=sku), 303)
    return _page(form, rows, sections, product_id, name), 422 if form.is_submitted() else 200


def _name(found: Product) -> str:
    return services.texts_of([found.id]).get(found.id, (found.sku, ""))[0]


def _save(form: ProductBase, rows: list[UnitRow], sections: Sections, found: Product | None) -> str:
    version = int(form.version.data) if found and str(form.version.data).isdigit() else None
    with write():
        product_id = editing.save_product(_row(form), rows, version)
        sections.save(product_id)
    return str(form.sku.data)


def _row(form: ProductBase) -> dict[str, Any]:
    """Return the form as a row for `save_products`."""
    row: dict[str, Any] = {name: form[name].data for name in ("sku", *_PLAIN)}
    row["position"] = row["position"] or 0
    row["category"] = form.category.data or None
    row["superseded_by"] = form.superseded_by.data or None
    row["texts"] = {
        locale: {"name": form[f"name_{locale}"].data, "description": form[f"description_{locale}"].data or ""}
        for locale in LOCALES
    }
    row["attributes"] = {a.code: _value(form[attribute_field(a)].data) for a in attributes().values()}
    return row


def _value(data: Any) -> Any:
    return None if data is None or str(data).strip() == "" else data


def _page(form: ProductBase, rows: list[UnitRow], sections: Sections, product_id: int | None, name: str) -> str:
    slots = {
        s: panels("backoffice.product", s, product_id, form.sku.data) if product_id else [] for s in ("main", "side", "tabs")
    }
    usual, others = _values(form)
    return render_template(
        "catalog/admin_product.html",
        form=form,
        rows=rows,
        blank=UnitRow(),
        sections=sections,
        name=name,
        sku=form.sku.data if product_id else "",
        texts=[(language_name(locale), form[f"name_{locale}"], form[f"description_{locale}"]) for locale in LOCALES],
        values=usual,
        more_values=others,
        files=media.of(product_id) if product_id else [],
        media_form=MediaForm(formdata=None),
        slots=slots,
    )


def _values(form: ProductBase) -> tuple[list[Field], list[Field]]:
    """Return the fields of attributes: those that the product or others of its category have, and the rest."""
    known = attributes_in(form.category.data) if form.category.data else set()
    fields = [(a.id in known, form[attribute_field(a)]) for a in attributes().values()]
    usual = [field for known_one, field in fields if known_one or field.data not in (None, "") or field.errors]
    return (usual, [field for _known, field in fields if field not in usual]) if usual else ([f for _k, f in fields], [])


@bp.post("/media/<path:sku>")
@requires(EDIT)
def add_media(sku: str) -> Any:
    """Add a picture or document."""
    found, form = product_by_sku(sku), MediaForm()
    if not form.validate():
        for message in _messages(form):
            flash(message, "error")
    else:
        _attach(found.id, form)
    return redirect(url_for("catalog_admin.product", sku=sku) + "#media", 303)


def _messages(form: MediaForm) -> Iterable[str]:
    return (str(message) for errors in form.errors.values() for message in errors)


def _attach(product_id: int, form: MediaForm) -> None:
    content = form.file.data.read(max(media.LARGEST.values()) + 1)
    title = {locale: form.title.data for locale in LOCALES[:1] if form.title.data}
    try:
        with write():
            added = media.attach(product_id, content, form.file.data.filename or "", title=title)
    except Invalid as error:
        flash(str(error.message), "error")
        return
    flash(
        _("The file was added.") if added else _("The product has this very file already."), "success" if added else "info"
    )


@bp.post("/media-remove/<path:sku>")
@requires(EDIT)
def remove_media(sku: str) -> Any:
    """Take a picture or document away, or make it the first."""
    found = product_by_sku(sku)
    key, first = request.form.get("key", ""), bool(request.form.get("first"))
    chosen = [m.id for m in media.of(found.id) if m.key == key]
    with write():
        if first:
            media.put_first(found.id, chosen)
        else:
            media.detach(found.id, chosen)
    flash(_("The file comes first now.") if first else _("The file was taken away."), "success")
    return redirect(url_for("catalog_admin.product", sku=sku) + "#media", 303)
