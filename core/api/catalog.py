"""Products and categories: for reading and foreign keys, and what is asked about them."""

from core.catalog.listing import found_by
from core.catalog.models import Category, ItemCode, Product, ProductText, ProductUnit
from core.catalog.services import find_codes, product_views
from core.catalog.units import exact
from core.catalog.visibility import condition as visible_products
from core.catalog.visibility import of_company as visible_to_company
from core.catalog.visibility import query_for as visibility_query

__all__ = [
    # for reading and foreign keys
    "Category", "ItemCode", "Product", "ProductText", "ProductUnit",
    # questions
    "find_codes", "found_by", "product_views", "visible_products", "visible_to_company", "visibility_query",
    # an exact quantity as it is stored
    "exact",
]  # fmt: skip
