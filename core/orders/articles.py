"""What the catalogue says about the products on a document: may they be bought, in which units, under which name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import case, literal, select
from sqlalchemy.orm import aliased

from core.catalog import visibility
from core.catalog.models import Product, ProductText
from core.catalog.units import UnitInfo, units_of
from core.data.db import db
from core.i18n import _, current_locale

Availability = Literal["ok", "invisible", "blocked", "discontinued"]


@dataclass(frozen=True, slots=True)
class Article:
    """A product as a document needs it; ``successor`` is the SKU that replaces it, '' if none."""

    id: int
    sku: str
    name: str
    status: str
    visible: bool
    tax_class: str
    base_unit: str
    successor: str
    units: Mapping[str, UnitInfo]

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
                return _("%(sku)s is no longer sold; it was replaced by %(successor)s.", sku=self.sku, successor=self.successor)
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
    """Return the articles by id, those that the actor may not see included (marked so); three statements."""
    ids = {i for i in product_ids if i is not None}
    return {a.id: a for a in _load(Product.id.in_(ids), locale)} if ids else {}


def by_sku(skus: Iterable[str], locale: str | None = None) -> dict[str, Article]:
    """Return the visible articles by SKU; what the actor may not see is not told apart from what does not exist."""
    wanted = set(skus)
    return {a.sku: a for a in _load(Product.sku.in_(wanted), locale) if a.visible} if wanted else {}


def _load(condition: object, locale: str | None) -> list[Article]:
    successor = aliased(Product)
    seen = case((visibility.condition(discontinued=True), literal(1)), else_=literal(0))
    rows = db.session.execute(
        select(Product.id, Product.sku, Product.status, seen, Product.tax_class, Product.base_unit, successor.sku)
        .outerjoin(successor, successor.id == Product.superseded_by_id)
        .where(condition)  # type: ignore[arg-type]
    ).all()
    ids = [row[0] for row in rows]
    names, units = _names(ids, locale or current_locale()), units_of(ids)
    return [
        Article(id, sku, names.get(id, sku), status, bool(visible), tax_class, base, after or "", units.get(id, {}))
        for id, sku, status, visible, tax_class, base, after in rows
    ]


def _names(ids: list[int], locale: str) -> dict[int, str]:
    """Return names in ``locale``, else in English, else in any language."""
    rows = db.session.execute(
        select(ProductText.product_id, ProductText.locale, ProductText.name)
        .where(ProductText.product_id.in_(ids))
    )
    rank = {locale: 2, "en": 1}
    best: dict[int, tuple[int, str]] = {}
    for product_id, found, name in rows:
        entry = (rank.get(found, 0), name)
        if product_id not in best or entry[0] > best[product_id][0]:
            best[product_id] = entry
    return {product_id: name for product_id, (_rank, name) in best.items()}
