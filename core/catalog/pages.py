"""What the shop's product pages show, as plain values for their templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from flask import current_app, request, url_for
from markupsafe import Markup

from core.catalog import addresses, limits, listing, prices, services, visibility
from core.catalog.facets import Facet, FacetValue
from core.catalog.listing import Results
from core.catalog.prices import ShownPrice
from core.catalog.selection import Selection
from core.catalog.services import ProductView
from core.catalog.structure import AttributeInfo, CategoryNode, attributes, tree
from core.catalog.units import UnitInfo
from core.data import stamps
from core.i18n import _, current_locale
from core.ui.formats import plain, qty
from core.ui.listpage import Chip, Pager

MOST_COLUMNS = 5
#: A facet shows so many values at once; the others are folded.
FIRST_VALUES = 10
#: So many pages of lists are kept while the catalogue stays as it is, some 200 kB each.
LISTS_KEPT = 128
#: So many ways of writing a price are kept: the words and figures, not the prices.
PRICES_KEPT = 4000


class Drawn:
    """What has been drawn of something that is the same for many readers: each part once, by the macro of a template.

    A macro that is given here may use its arguments only, and what the key of the kept list says (the language).
    """

    def __init__(self, most: int = 100) -> None:
        self._parts: dict[Any, Markup] = {}
        self._most = most

    def __call__(self, part: Any, macro: Callable[..., Markup], *arguments: Any) -> Markup:
        """Return the part, drawn by ``macro`` the first time; of more than ``most`` the earlier are drawn again."""
        found = self._parts.get(part)
        if found is None:
            if len(self._parts) >= self._most:
                self._parts.clear()
            found = self._parts[part] = macro(*arguments)
        return found


@dataclass(frozen=True, slots=True)
class Item:
    """A product in a list; ``price`` is None where the reader may not see prices. ``cells`` are by attribute code.

    ``heir`` is the code of what replaces a discontinued one, '' where that is not sold to the reader either.
    """

    product: ProductView
    unit: UnitInfo | None
    cells: Mapping[str, str]
    url: str
    image_url: str
    drawn: Drawn
    price: ShownPrice | None = None
    own_codes: Sequence[str] = ()
    heir: str = ""

    @property
    def heir_url(self) -> str:
        """The page of what replaces it."""
        return addresses.product_url(self.heir)

    def draw_price(self, macro: Callable[..., Markup]) -> Markup:
        """Return how the price is written; the same figures with the same reason are written the same way for everybody."""
        price = self.price
        if price is None:
            return Markup("")
        drawn: Drawn = current_app.extensions.setdefault("tukku.drawn_prices", Drawn(PRICES_KEPT))
        figures = (price.amount, price.currency, price.unit, price.per, price.list_price, str(price.reason), price.ladder)
        return drawn((current_locale(), *figures), macro, price)

    @property
    def buyable(self) -> bool:
        """True where a form to add it to the cart makes sense: it is sold, and has a price if prices are shown."""
        sold = self.product.sold and self.unit is not None and not self.unit.refused
        return sold and (self.price is None or self.price.amount is not None)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: an attribute, how to sort by it, and how it is sorted now ("asc", "desc" or "")."""

    label: str
    sort_url: str
    sorted: str
    attribute: AttributeInfo | None = None

    @property
    def numeric(self) -> bool:
        """True for figures."""
        return self.attribute is not None and self.attribute.numeric


@dataclass(frozen=True, slots=True)
class Choice:
    """A link to the same list, asked differently."""

    label: str
    url: str
    count: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class FacetBox:
    """A facet as the page shows it: values to be toggled, those folded away, and for numbers a form for a range."""

    facet: Facet
    first: tuple[Choice, ...]
    more: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    low: str
    high: str


@dataclass(frozen=True)
class ProductList:
    """A product list as the page shows it."""

    results: Results
    title: str
    path: str
    crumbs: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    columns: tuple[Head, ...]
    code_head: Head
    name_head: Head
    price_head: Head
    below: tuple[Choice, ...]
    facets: tuple[FacetBox, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    sorts: tuple[Choice, ...]
    views: tuple[Choice, ...]
    pager: Pager
    here: str
    prices_shown: bool
    drawn: Drawn

    @property
    def selection(self) -> Selection:
        """What was asked for."""
        return self.results.selection

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The parts of the address that a new order of the list keeps."""
        pairs = self.selection.pairs(category=not addresses.in_path(self.selection))
        return [(name, value) for name, value in pairs if name not in ("sort", "page")]


def product_list(selection: Selection) -> ProductList:
    """Return the page of a selection; a constant number of statements.

    What the catalogue alone decides is kept until it changes; prices and own codes are read anew for each reader.
    """
    seen = visibility.by_catalogue_alone()
    if seen is None or selection.text or selection.sort.strip("-") == "price":  # own codes are searched, prices sort
        bare = _bare(selection)
    else:
        key = ("list", selection.key, seen, prices.visible(), current_locale(), request.script_root)
        bare = stamps.kept("catalogue", key, lambda: _bare(selection), most=LISTS_KEPT)
    return replace(bare, items=_priced(bare.items))


def _priced(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items with the reader's prices and own codes."""
    own = services.own_codes([item.product.id for item in items])
    every = {(item.product.id, unit.unit): unit for item in items if item.unit for unit in _offered(item, item.unit)}
    may = limits.for_reader(every)
    chosen = [_orderable(item, may) for item in items]
    pairs = {(item.product.id, unit.unit): unit for item, unit in zip(items, chosen, strict=True) if unit is not None}
    shown = prices.with_ladders(pairs)
    return tuple(
        replace(
            item,
            unit=unit,
            price=shown.get((item.product.id, unit.unit)) if unit else None,
            own_codes=own.get(item.product.id, ()),
        )
        for item, unit in zip(items, chosen, strict=True)
    )


def _offered(item: Item, first: UnitInfo) -> Sequence[UnitInfo]:
    """Return the units in which a row of the list may offer the product: its own first."""
    return (first, *(unit for unit in item.product.units.values() if unit.unit != first.unit))


def _orderable(item: Item, may: Mapping[tuple[int, str], UnitInfo]) -> UnitInfo | None:
    """Return the unit in which the reader may order the product first, with its limits; its own where that is none."""
    if item.unit is None:
        return None
    found = [may[item.product.id, unit.unit] for unit in _offered(item, item.unit)]
    return next((unit for unit in found if not unit.refused), found[0])


def _bare(selection: Selection) -> ProductList:
    """Return the page without what differs from reader to reader."""
    results = listing.run(selection)
    known = attributes()
    items, columns = _items(results.ids, known)
    node = selection.category
    return ProductList(
        results=results,
        title=node.name if node and not selection.text else _("All products"),
        path=addresses.list_path(selection),
        crumbs=crumbs(node) if not selection.text else (),
        items=items,
        columns=tuple(_head(selection, a.name, f"attribute:{a.code}", a) for a in columns),
        code_head=_head(selection, _("Code"), "code"),
        name_head=_head(selection, _("Product"), "name"),
        price_head=_head(selection, _("Price"), "price") if results.may_sort_by_price else Head(_("Price"), "", ""),
        below=_below(selection, results),
        facets=tuple(_box(selection, facet) for facet in results.facets),
        chips=_chips(selection, results.facets),
        clear_url=addresses.list_url(selection.cleared()) if selection.chosen else "",
        sorts=_sorts(selection, results),
        views=tuple(
            Choice(label, addresses.list_url(replace(selection, view=view)), current=selection.view == view)
            for view, label in (("table", _("Table")), ("cards", _("Cards")))
        ),
        pager=_pager(selection, results),
        here=addresses.list_url(selection),
        prices_shown=prices.visible(),
        drawn=Drawn(),
    )


def _items(ids: Sequence[int], known: Mapping[str, AttributeInfo]) -> tuple[tuple[Item, ...], list[AttributeInfo]]:
    """Return the products with what stands beside them, and the attributes that most of them have."""
    products = services.product_views(ids)
    values = services.values_of(ids)
    columns = _columns(known, values, len(products))
    gone = {i: product.superseded_by_sku for i, product in products.items() if product.status == "discontinued"}
    heirs = services.sold(gone.values())
    items = tuple(
        Item(
            product,
            next(iter(product.units.values()), None),
            {a.code: a.value(text) for a in columns if (text := values.get(i, {}).get(a.id))},
            addresses.product_url(product.sku),
            addresses.media_url(product.image),
            Drawn(),
            heir=gone[i] if gone.get(i) in heirs else "",
        )
        for i, product in products.items()
    )
    return items, columns


def _columns(known: Mapping[str, AttributeInfo], values: Mapping[int, Mapping[int, str]], rows: int) -> list[AttributeInfo]:
    having = {a.id: sum(a.id in found for found in values.values()) for a in known.values()}
    return [a for a in known.values() if having[a.id] * 2 >= rows > 0][:MOST_COLUMNS]


def _head(selection: Selection, label: str, name: str, attribute: AttributeInfo | None = None) -> Head:
    now = {name: "asc", f"-{name}": "desc"}.get(selection.sort, "")
    asked = replace(selection, sort=f"-{name}" if now == "asc" else name, page=1)
    return Head(label, addresses.list_url(asked), now, attribute)


def crumbs(node: CategoryNode | None) -> tuple[tuple[str, str], ...]:
    """Return the way to a category as (label, address); the last without address."""
    line = tree().line(node)
    home = (_("Products"), url_for("catalog.home"))
    if not line:
        return (home, (_("All products"), ""))
    return (home, *((step.name, addresses.category_url(step)) for step in line[:-1]), (line[-1].name, ""))


def _below(selection: Selection, results: Results) -> tuple[Choice, ...]:
    """Return the categories one step further in that have something in them; in a search also the way back up."""
    node = selection.category
    found = [
        Choice(child.name, addresses.list_url(replace(selection, category=child, page=1)), results.counts.get(child.id, 0))
        for child in tree().children.get(node.id if node else None, ())
        if results.counts.get(child.id)
    ]
    if node and selection.text:
        found.insert(0, Choice(_("All categories"), addresses.list_url(replace(selection, category=None, page=1))))
    return tuple(found)


def _box(selection: Selection, facet: Facet) -> FacetBox:
    code = facet.attribute.code
    best = sorted(facet.values, key=lambda v: (not v.chosen, -v.count))[:FIRST_VALUES]
    first = [v for v in facet.values if v in best or len(facet.values) <= FIRST_VALUES + 2]
    kept = list(selection.without(code).pairs(category=not addresses.in_path(selection)))
    kept += [(f"a.{code}", value) for value in selection.values.get(code, ())]
    return FacetBox(
        facet,
        tuple(_toggle(selection, code, v) for v in first),
        tuple(_toggle(selection, code, v) for v in facet.values if v not in first),
        tuple(kept),
        plain(facet.bounds.low),
        plain(facet.bounds.high),
    )


def _toggle(selection: Selection, code: str, value: FacetValue) -> Choice:
    return Choice(value.label, addresses.list_url(selection.toggled(code, value.text)), value.count, value.chosen)


def _chips(selection: Selection, facets: Sequence[Facet]) -> tuple[Chip, ...]:
    """Return what narrows the list, each as a sentence with the address without it."""
    known = attributes()
    chips: list[Chip] = []
    for code, texts in selection.values.items():
        name = known[code].name
        chips += [
            Chip(
                _("%(name)s: %(value)s", name=name, value=known[code].value(t)),
                addresses.list_url(selection.toggled(code, t)),
            )
            for t in texts
        ]
    for code, bounds in selection.bounds.items():
        without = replace(selection, bounds={c: b for c, b in selection.bounds.items() if c != code}, page=1)
        chips.append(Chip(_range(known[code], bounds.low, bounds.high), addresses.list_url(without)))
    return tuple(chips)


def _range(attribute: AttributeInfo, low: Decimal | None, high: Decimal | None) -> str:
    unit = attribute.unit
    if low is not None and high is not None:
        return _("%(name)s: %(low)s to %(high)s", name=attribute.name, low=qty(low), high=qty(high, unit))
    if low is not None:
        return _("%(name)s: from %(low)s", name=attribute.name, low=qty(low, unit))
    return _("%(name)s: up to %(high)s", name=attribute.name, high=qty(high or Decimal(0), unit))


def _sorts(selection: Selection, results: Results) -> tuple[Choice, ...]:
    usual = _("Best match") if selection.text else _("Usual order")
    offered = [("", usual), ("code", _("Code")), ("name", _("Name"))]
    if results.may_sort_by_price:
        offered += [("price", _("Price, lowest first")), ("-price", _("Price, highest first"))]
    return tuple(Choice(label, sort, current=selection.sort == sort) for sort, label in offered)


def _pager(selection: Selection, results: Results) -> Pager:
    def at(page: int) -> str:
        return addresses.list_url(replace(selection, page=page))

    start = (selection.page - 1) * listing.PAGE
    text = _(
        "%(first)s to %(last)s of %(total)s",
        first=qty(start + 1),
        last=qty(start + len(results.ids)),
        total=qty(results.total),
    )
    return Pager(
        text if results.ids else "",
        at(1) if selection.page > 2 else "",
        at(selection.page - 1) if selection.page > 1 else "",
        at(selection.page + 1) if selection.page < results.pages else "",
    )
