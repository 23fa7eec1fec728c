"""The home page of the catalogue, a product's own page, and what is offered while a search is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from flask import request

from core.catalog import addresses, limits, listing, media, prices, services, visibility
from core.catalog.folding import fold, tokens
from core.catalog.habits import Habit
from core.catalog.media import MediaView
from core.catalog.pages import Choice, crumbs
from core.catalog.prices import ShownPrice
from core.catalog.services import ProductView
from core.catalog.structure import CategoryNode, attributes, tree
from core.catalog.units import UnitInfo
from core.data import stamps
from core.i18n import current_locale

SUGGESTED, MOST_HABITS = 6, 3
#: So many categories with a name that fits are looked into; above that a text says too little.
MOST_CATEGORIES = 20
#: So many pages of products are kept while the catalogue stays as it is.
PRODUCTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Branch:
    """A category of the home page with what lies directly beneath it."""

    name: str
    url: str
    count: int
    children: tuple[Choice, ...]


def branches() -> tuple[Branch, ...]:
    """Return the top categories that have anything the reader sees."""
    seen = visibility.by_catalogue_alone()
    if seen is None:
        return _branches()
    return stamps.kept("catalogue", ("branches", seen, current_locale(), request.script_root), _branches)


def _branches() -> tuple[Branch, ...]:
    counts, known = listing.counts(), tree()

    def choice(node: CategoryNode) -> Choice:
        return Choice(node.name, addresses.category_url(node), counts[node.id])

    return tuple(
        Branch(
            node.name,
            addresses.category_url(node),
            counts[node.id],
            tuple(choice(child) for child in known.children.get(node.id, ()) if counts[child.id]),
        )
        for node in known.children.get(None, ())
        if counts[node.id]
    )


@dataclass(frozen=True, slots=True)
class Package:
    """A unit of a product on its page, with its price and what it holds."""

    unit: UnitInfo
    price: ShownPrice | None

    @property
    def holds(self) -> Decimal | None:
        """Base units in it, None for the base unit itself."""
        return None if self.unit.is_base else Decimal(self.unit.numerator) / Decimal(self.unit.denominator)


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product's own page."""

    product: ProductView
    packages: tuple[Package, ...]
    facts: tuple[tuple[str, str], ...]
    images: tuple[MediaView, ...]
    documents: tuple[MediaView, ...]
    own_codes: Sequence[str]
    crumbs: tuple[tuple[str, str], ...]
    heir: ProductView | None
    prices_shown: bool

    @property
    def buyable(self) -> bool:
        """True where it is sold."""
        return self.product.sold and bool(self.packages)


def product_page(sku: str) -> ProductPage | None:
    """Return the page of a product, None where the reader may not see it. Prices and own codes are read anew."""
    seen = visibility.by_catalogue_alone()
    if seen is None:
        bare = _bare(sku)
    else:
        key = ("product", sku, seen, prices.visible(), current_locale(), request.script_root)
        bare = stamps.kept("catalogue", key, lambda: _bare(sku), most=PRODUCTS_KEPT)
    if bare is None:
        return None
    product = bare.product
    units = limits.for_reader({(product.id, name): unit for name, unit in product.units.items()})
    shown = prices.with_ladders(units)
    return replace(
        bare,
        packages=tuple(Package(unit, shown.get(pair)) for pair, unit in units.items()),
        own_codes=services.own_codes([product.id]).get(product.id, ()),
    )


def _bare(sku: str) -> ProductPage | None:
    """Return the page without what differs from reader to reader."""
    product_id = services.product_id_of(sku)
    if product_id is None:
        return None
    product = services.product_views([product_id])[product_id]
    pictures = media.of(product_id)
    node = tree().nodes.get(product.category_id or 0)
    way = crumbs(node)[:-1] if node else crumbs(None)[:1]
    if node:
        way = (*way, (node.name, addresses.category_url(node)))
    return ProductPage(
        product,
        (),
        _facts(product_id),
        tuple(m for m in pictures if m.kind == "image"),
        tuple(m for m in pictures if m.kind == "document"),
        (),
        (*way, (product.sku, "")),
        _heir(product),
        prices.visible(),
    )


def _facts(product_id: int) -> tuple[tuple[str, str], ...]:
    values = services.values_of([product_id]).get(product_id, {})
    return tuple((a.name, a.value(values[a.id])) for a in attributes().values() if a.id in values)


def _heir(product: ProductView) -> ProductView | None:
    """Return what replaces the product, if the reader may see it."""
    found = services.product_id_of(product.superseded_by_sku) if product.superseded_by_sku else None
    return services.product_views([found])[found] if found else None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What is offered while a search is typed."""

    text: str
    #: What the reader's company has ordered before, with how often and when last.
    habits: tuple[tuple[ProductView, Sequence[str], Habit], ...] = ()
    products: tuple[tuple[ProductView, Sequence[str]], ...] = ()
    categories: tuple[Choice, ...] = ()

    def __bool__(self) -> bool:
        """False where there is nothing to offer."""
        return bool(self.habits or self.products or self.categories)


def suggestions(text: str) -> Suggestions:
    """Return products (by code, own code and words; those ordered before first) and categories that begin like ``text``."""
    if len(text.strip()) < 2:
        return Suggestions(text)
    known, ids = listing.first(text, SUGGESTED, MOST_HABITS)
    every = [*(habit.product_id for habit in known), *ids]
    products, own = services.product_views(every), services.own_codes(every)
    return Suggestions(
        text,
        tuple((products[h.product_id], own.get(h.product_id, ()), h) for h in known if h.product_id in products),
        tuple((products[i], own.get(i, ())) for i in ids if i in products),
        _categories(text),
    )


def _categories(text: str) -> tuple[Choice, ...]:
    """Return categories that hold something for the reader, and in whose names, in any language, every word of ``text``
    begins a word; one statement where any does."""
    asked, known = tokens(text), tree()
    found = [n for n in known.nodes.values() if asked and known.shown(n) and any(_holds(t, asked) for t in n.texts.values())]
    filled = listing.filled(found[:MOST_CATEGORIES])
    return tuple(Choice(node.name, addresses.category_url(node)) for node in found if node.id in filled)[:4]


def _holds(name: str, words: Sequence[str]) -> bool:
    return all(f" {word}" in f" {fold(name)}" for word in words)
