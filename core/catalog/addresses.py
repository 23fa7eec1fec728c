"""Addresses of the catalogue's pages."""

from __future__ import annotations

from urllib.parse import quote

from flask import url_for

from core.catalog.selection import Selection, query_string
from core.catalog.structure import CategoryNode


def category_url(node: CategoryNode) -> str:
    """Return the address of a category's page."""
    return url_for("catalog.category", path=node.route)


def product_url(sku: str) -> str:
    """Return the address of a product's page."""
    return url_for("catalog.product", sku=sku)


def media_url(key: str) -> str:
    """Return the address of a picture or document, '' for none."""
    return url_for("catalog.media", key=key) if key else ""


def list_path(selection: Selection) -> str:
    """Return the path of a list: the category's page, unless words are searched for."""
    if in_path(selection) and selection.category:
        return category_url(selection.category)
    return url_for("catalog.search")


def in_path(selection: Selection) -> bool:
    """Tell whether the path of the list says its category."""
    return bool(selection.category and not selection.text)


def list_url(selection: Selection) -> str:
    """Return the address of a list."""
    return list_path(selection) + query_string(selection.pairs(category=not in_path(selection)))


def search_url(text: str) -> str:
    """Return the address of a search."""
    return f"{url_for('catalog.search')}?q={quote(text, safe='')}"
