"""What the catalogue says about the products on a document: may they be bought, in which units, under which name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from core.catalog import visibility
from core.catalog.models import Product
from core.catalog.services import ProductView, product_views, sold
from core.catalog.units import UnitInfo
from core.data.db import db
from core.i18n import _

_kept: ContextVar[dict[int, Article] | None] = ContextVar("articles", default=None)
Availability = Literal["ok", "invisible", "blocked", "discontinued"]


@dataclass(frozen=True, slots=True)
class Article:
    """A product as a document needs it; ``successor`` is the SKU that replaces it, '' where the actor may not buy that one;
    ``image`` a file's key."""

    id: int
    sku: str
    name: str
    status: str
    visible: bool
    tax_class: str
    base_unit: str
    successor: str
    units: Mapping[str, UnitInfo]
    image: str = ""

    @property
    def availability(self) -> Availability:
        """Whether the actor may order it, and if not, why."""
        if self.status in ("blocked", "discontinued"):
            return self.status  # type: ignore[return-value]
        return "ok" if self.visible else "invisible"

    @property
    def refusal(self) -> str:
        """Why it cannot be ordered, as a sentence; '' if it can."""
        match self.availability:
            case "ok":
                return ""
            case "discontinued" if self.successor:
                return _(
                    "%(sku)s is no longer sold; it was replaced by %(successor)s.", sku=self.sku, successor=self.successor
                )
            case "discontinued":
                return _("%(sku)s is no longer sold.", sku=self.sku)
            case "blocked":
                return _("%(sku)s cannot be ordered at present; ask us for an alternative.", sku=self.sku)
        return _("%(sku)s is not part of your assortment; ask us if you need it.", sku=self.sku)

    def unit(self, name: str = "") -> UnitInfo | None:
        """Return the unit by name, in any case of letters; without a name, the one it is sold in first."""
        if not name:
            return next(iter(self.units.values()), None)
        return self.units.get(name) or next((u for u in self.units.values() if u.unit.casefold() == name.casefold()), None)


def by_id(product_ids: Iterable[int | None], locale: str | None = None) -> dict[int, Article]:
    """Return the articles by id, those that the actor may not see included (marked so); six statements at most."""
    ids = {i for i in product_ids if i is not None}
    kept = _kept.get()
    known = {i: kept[i] for i in ids if i in kept} if kept is not None else {}
    missing = ids - known.keys()
    if missing:
        seen = visibility.condition(discontinued=True)
        shown = set(db.session.scalars(select(Product.id).where(Product.id.in_(missing), seen)))
        views = product_views(missing, locale)
        heirs = _heirs(views.values())
        known |= {i: _article(view, i in shown, heirs) for i, view in views.items()}
        if kept is not None:
            kept |= known
    return known


@contextmanager
def remembered() -> Iterator[None]:
    """Read each article once within the block, in the language of the first who asks: prices and rules look at the same."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def by_sku(skus: Iterable[str], locale: str | None = None) -> dict[str, Article]:
    """Return the visible articles by SKU; what the actor may not see is not told apart from what does not exist."""
    wanted = set(skus)
    if not wanted:
        return {}
    seen = visibility.condition(discontinued=True)
    ids = list(db.session.scalars(select(Product.id).where(Product.sku.in_(wanted), seen)))
    views = product_views(ids, locale).values()
    heirs = _heirs(views)
    return {view.sku: _article(view, True, heirs) for view in views}


def _heirs(views: Iterable[ProductView]) -> set[str]:
    """Return the SKUs that replace some of the products and that the actor may buy: others are not named to it."""
    return sold(view.superseded_by_sku for view in views if view.status == "discontinued")


def _article(view: ProductView, visible: bool, heirs: Container[str]) -> Article:
    return Article(
        view.id,
        view.sku,
        view.name,
        view.status,
        visible,
        view.tax_class,
        view.base_unit,
        view.superseded_by_sku if view.superseded_by_sku in heirs else "",
        view.units,
        view.image,
    )
