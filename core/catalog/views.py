"""The catalogue in the shop: categories, lists, products, search, suggestions, pictures and documents."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file

from core.catalog import addresses, media, pages, product_pages
from core.catalog.selection import Selection, read
from core.catalog.structure import CategoryNode, attributes, tree
from core.data import files
from core.i18n import _
from core.spec.errors import NotFound
from core.ui.access import requires
from core.ui.slots import panels

bp = Blueprint("catalog", __name__)
VIEW = "catalog.product.view"
_DAY = 86_400


@bp.get("/products")
@requires(VIEW)
def home() -> str:
    """Show the categories."""
    return render_template("catalog/home.html", branches=product_pages.branches())


@bp.get("/c/<path:path>")
@requires(VIEW)
def category(path: str) -> str:
    """Show the products of a category and of all beneath it."""
    known = tree()
    node = known.by_code.get(path.rpartition("/")[2])
    if node is None or node.route != path or not known.shown(node):
        raise NotFound(
            "CATEGORY-UNKNOWN", _("There is no such category. It may have been renamed: look for it under Products.")
        )
    return _list(_asked(node))


@bp.get("/search")
@requires(VIEW)
def search() -> Any:
    """Show what a text finds, or all products."""
    asked = _asked(None)
    if asked.category and not asked.text:
        return redirect(addresses.list_url(asked))
    return _list(asked)


@bp.get("/suggest")
@requires(VIEW)
def suggest() -> str:
    """Offer products and categories while a search is typed."""
    return render_template("catalog/_suggest.html", found=product_pages.suggestions(request.args.get("q", "")[:200]))


@bp.get("/p/<path:sku>")
@requires(VIEW)
def product(sku: str) -> str:
    """Show a product."""
    page = product_pages.product_page(sku)
    if page is None:
        raise NotFound(
            "PRODUCT-UNKNOWN", _("There is no product “%(sku)s” in your assortment. Search for it, or ask us.", sku=sku[:80])
        )
    slots = {slot: panels("storefront.product", slot, page.product.id, sku) for slot in ("price", "main", "side", "tabs")}
    return render_template("catalog/product.html", page=page, slots=slots)


@bp.get("/media/<key>", endpoint="media")
@requires(VIEW)
def media_file(key: str) -> Response:
    """Serve a picture or document of a product that the reader may see; nothing in it can run."""
    found = media.visible_file(key)
    if found is None or not files.path_of(found).is_file():
        abort(404)
    download = found.type == media.SVG  # an <img> shows it all the same; opened by itself it is saved, not run
    response = send_file(
        files.path_of(found), mimetype=found.type, download_name=found.name, as_attachment=download, etag=found.sha256
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = f"private, max-age={_DAY}"
    return response


def _asked(node: CategoryNode | None) -> Selection:
    return read(request.args.items(multi=True), tree(), attributes(), node)


def _list(asked: Selection) -> str:
    page = pages.product_list(asked)
    if not page.items and not asked.chosen and asked.text:
        return render_template("catalog/nothing.html", page=page, branches=product_pages.branches())
    return render_template("catalog/list.html", page=page)
