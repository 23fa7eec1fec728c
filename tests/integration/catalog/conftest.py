"""A small catalogue."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from core.catalog import saving
from core.catalog.models import Attribute, Category
from core.data.write import write


@pytest.fixture
def app(app_with: Callable[..., Flask]) -> Flask:
    """The app without any addon: the catalogue stands on its own."""
    return app_with()


@pytest.fixture
def save() -> Callable[..., list[saving.Saved]]:
    """Save products from keyword rows and check that nothing was refused."""

    def save(*rows: dict[str, Any]) -> list[saving.Saved]:
        with write():
            saved = saving.save_products([{"base_unit": "pcs", **row} for row in rows])
        assert [s for s in saved if s.outcome == "error"] == []
        return saved

    return save


def product(
    sku: str, en: str = "", *, fi: str = "", pl: str = "", tr: str = "", description: str = "", **values: Any
) -> dict[str, Any]:
    """Return a row for ``save``."""
    names = {"en": en, "fi": fi, "pl": pl, "tr": tr}
    texts = {locale: {"name": name} for locale, name in names.items() if name} or {"en": {"name": sku}}
    if description:
        texts["en"]["description"] = description
    return {"sku": sku, "texts": texts, **values}


def categories(*codes: str, hidden: tuple[str, ...] = ()) -> None:
    """Make categories from "parent/child" routes, parents first."""
    with write() as session:
        made: dict[str, Category] = {}
        for route in codes:
            parent, _slash, code = route.rpartition("/")
            node = Category(
                code=code,
                path=f"/{route}/",
                parent_id=made[parent].id if parent else None,
                name={"en": code.title()},
                hidden=code in hidden,
            )
            session.add(node)
            session.flush()
            made[route] = node


def attribute(code: str, kind: str = "choice", *, unit: str = "", labels: dict[str, dict[str, str]] | None = None) -> None:
    """Make an attribute that is a facet."""
    with write() as session:
        session.add(Attribute(code=code, name={"en": code.title()}, type=kind, unit=unit, facet=True, labels=labels or {}))
