"""Products and categories, for reading and foreign keys."""

from core.catalog.models import Category, ItemCode, Product, ProductText, ProductUnit

__all__ = ["Category", "ItemCode", "Product", "ProductText", "ProductUnit"]
