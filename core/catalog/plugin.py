"""What the catalogue contributes: its pages in both faces, permissions, imports, commands and menus."""

from __future__ import annotations

from collections.abc import Iterable

from core.catalog import admin_views, structure_views, sweeps, views
from core.catalog.commands import search_group
from core.catalog.imports import IMPORTS
from core.catalog.permissions import PERMISSIONS
from core.i18n import _l
from core.spec.app import Command, DataCheck, Mount, Permission
from core.spec.imports import DataImport
from core.spec.markers import hookimpl
from core.spec.ui import NavItem

assert structure_views.bp is admin_views.bp  # the second module adds its pages to the blueprint of the first


class Plugin:
    """Products, categories, attributes, units, media and search."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the shop's and the back-office's pages."""
        yield Mount(views.bp, "shop", prefix="", order=30)
        yield Mount(admin_views.bp, "admin", prefix="/admin/catalog", order=30)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Name what may be done about products."""
        return PERMISSIONS

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Add `tukku search`."""
        yield Command(search_group)

    @hookimpl
    def data_checks(self) -> Iterable[DataCheck]:
        """Say what holds of the catalogue."""
        return sweeps.CHECKS

    @hookimpl
    def data_imports(self) -> Iterable[DataImport]:
        """Import and export categories, attributes, products, units and item codes."""
        return IMPORTS

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to products in both faces."""
        yield NavItem("shop", _l("Products"), "catalog.home", views.VIEW, "main", "shop", "grid", order=10)
        edit, structure, codes = admin_views.EDIT, structure_views.STRUCTURE, structure_views.CODES
        yield NavItem("products", _l("Products"), "catalog_admin.products", edit, "catalogue", icon="box-seam", order=10)
        yield NavItem(
            "categories", _l("Categories"), "catalog_admin.categories", structure, "catalogue", icon="diagram-3", order=20
        )
        yield NavItem(
            "attributes", _l("Attributes"), "catalog_admin.attribute_list", structure, "catalogue", icon="sliders", order=30
        )
        yield NavItem(
            "item_codes", _l("Item codes"), "catalog_admin.item_codes", codes, "catalogue", icon="upc-scan", order=40
        )
