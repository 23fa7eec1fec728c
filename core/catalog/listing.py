"""A product list: what is asked for becomes one condition, its counts, and one page of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from core.catalog import facets, habits, prices, visibility
from core.catalog.facets import Facet
from core.catalog.habits import Habit
from core.catalog.models import Product, ProductAttribute, ProductText
from core.catalog.search import query as search
from core.catalog.search.index import Hits, Term
from core.catalog.selection import LAST_PAGE, Selection
from core.catalog.services import code_hits
from core.catalog.structure import AttributeInfo, CategoryNode, Tree, attributes, tree
from core.catalog.units import units_of
from core.data.db import db
from core.i18n import current_locale

PAGE = 24
#: So many products at most are priced to be sorted by price.
MOST_PRICED = 500
#: Above so many hits the search text says too little for a ranking by it to be worth its time.
MOST_RANKED = 5000


@dataclass(frozen=True, slots=True)
class Match:
    """What a search text finds: products by code (``exact`` of them by the whole of it, which stand first) and, in
    ``hits``, by words. ``loose``: typos were forgiven."""

    code_ids: tuple[int, ...] = ()
    hits: Hits | None = None
    loose: bool = False
    exact: int = 0

    def condition(self) -> ColumnElement[bool]:
        """Return the condition on ``Product``; by words nobody is led to what is no longer sold."""
        ways: list[ColumnElement[bool]] = [Product.id.in_(self.code_ids)] if self.code_ids else []
        if self.hits is not None:
            ways.append(and_(Product.status != "discontinued", Product.id.in_(self.hits.ids)))
        return or_(*ways) if ways else false()


@dataclass(frozen=True)
class Results:
    """A page of a product list. ``counts`` are products by category with what lies beneath; ``facets`` is empty where
    ``too_many`` says that the list has to be narrowed first."""

    selection: Selection
    ids: tuple[int, ...]
    total: int
    counts: Mapping[int, int] = field(default_factory=dict)
    facets: tuple[Facet, ...] = ()
    too_many: bool = False
    loose: bool = False
    may_sort_by_price: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are, as far as one may turn them."""
        return min(max(1, -(-self.total // PAGE)), LAST_PAGE)


def run(selection: Selection) -> Results:
    """Return the page that is asked for; the number of statements does not depend on what is found."""
    known, categories = attributes(), tree()
    match = find(selection.text) if selection.text else None
    base = _base(selection, categories, match)
    chosen = facets.conditions(selection, known)
    by_category = facets.category_counts(facets.listed(base, chosen))
    total = sum(by_category.values())
    too_many = total > facets.MOST_HITS
    priced = prices.visible() and total <= MOST_PRICED
    sort = "" if not priced and selection.sort.strip("-") == "price" else selection.sort
    ranking = match if total <= MOST_RANKED else None
    return Results(
        selection,
        _page(and_(base, *chosen.values()), selection, sort, ranking, known),
        total,
        categories.sums(by_category),
        () if too_many else facets.facets(base, chosen, selection, known, total),
        too_many,
        match.loose if match else False,
        priced,
    )


def counts() -> dict[int, int]:
    """Return how many products the reader sees in each category, with what lies beneath; two statements."""
    return tree().sums(facets.category_counts(facets.listed(visibility.condition(), {})))


def filled(nodes: Sequence[CategoryNode]) -> set[int]:
    """Return the ids of those of the categories in which, or beneath which, the reader sees a product; one statement."""
    known, seen = tree(), visibility.condition()
    inside = [
        (node.id, select(Product.id).where(Product.category_id.in_(known.below(node)), seen).exists()) for node in nodes
    ]
    ways = [select(literal(node_id)).where(holds) for node_id, holds in inside]
    return set(db.session.scalars(union_all(*ways))) if ways else set()


def first(text: str, count: int, most_habits: int) -> tuple[Sequence[Habit], list[int]]:
    """Return what the reader's company bought before of what ``text`` finds, and the ids of the first others, best first."""
    match = find(text)
    seen = select(Product.id).where(visibility.condition(discontinued=True), match.condition())
    known = habits.among(seen, most_habits)
    others = seen.where(Product.id.not_in([habit.product_id for habit in known])) if known else seen
    return known, list(db.session.scalars(_ordered(others, "", match, {}).limit(count)))


def find(text: str) -> Match:
    """Return what ``text`` finds: codes, then words; where no word is known, similar ones. At most five statements."""
    asked = search.parse(text)
    if asked.empty:
        return Match()
    by_code = code_hits(asked.code)
    code_ids, exact = tuple(product_id for product_id, _whole in by_code), sum(whole for _id, whole in by_code)
    words = search.hits(search.terms(asked))
    if code_ids or _any(words):
        return Match(code_ids, words, exact=exact)
    similar: list[Term] | None = search.corrected(asked)
    return Match((), search.hits(similar), loose=True) if similar else Match((), words)


def found_by(text: str) -> ColumnElement[bool]:
    """Return the condition on ``Product`` for what ``text`` finds, for lists of other domains and of addons."""
    return find(text).condition()


def _any(hits: Hits) -> bool:
    seen = select(Product.id).where(Product.id.in_(hits.ids), visibility.condition())
    return db.session.scalar(seen.limit(1)) is not None


def _base(selection: Selection, categories: Tree, match: Match | None) -> ColumnElement[bool]:
    parts = [visibility.condition(discontinued=match is not None)]
    if selection.text:
        parts.append(match.condition() if match else false())
    if selection.category:
        parts.append(Product.category_id.in_(categories.below(selection.category)))
    return and_(*parts)


def _page(
    condition: ColumnElement[bool], selection: Selection, sort: str, match: Match | None, known: Mapping[str, AttributeInfo]
) -> tuple[int, ...]:
    start = (selection.page - 1) * PAGE
    if sort.strip("-") == "price":
        ids = db.session.scalars(select(Product.id).where(condition).order_by(Product.sku_sort).limit(MOST_PRICED)).all()
        return tuple(_by_price(ids, turned=sort.startswith("-"))[start : start + PAGE])
    statement = _ordered(select(Product.id).where(condition), sort, match, known)
    return tuple(db.session.scalars(statement.limit(PAGE).offset(start)))


def _ordered(statement: Select[Any], sort: str, match: Match | None, known: Mapping[str, AttributeInfo]) -> Select[Any]:
    name, turned = sort.lstrip("-"), sort.startswith("-")
    if name == "code":
        keys: list[Any] = [Product.sku_sort]
    elif name == "name":
        statement, keys = _by_name(statement)
    elif name.startswith("attribute:"):
        statement, keys = _by_attribute(statement, known[name.removeprefix("attribute:")])
    elif match is not None:
        return _by_relevance(statement, match)
    else:
        return statement.order_by(Product.position, Product.sku_sort, Product.id)
    direction = (lambda key: key.desc()) if turned else (lambda key: key.asc())
    return statement.order_by(*(direction(key).nulls_last() for key in keys), Product.id)


def _by_name(statement: Select[Any]) -> tuple[Select[Any], list[Any]]:
    own, english = aliased(ProductText), aliased(ProductText)
    for text, locale in ((own, current_locale()), (english, "en")):
        statement = statement.outerjoin(text, and_(text.product_id == Product.id, text.locale == locale))
    return statement, [func.coalesce(own.name_folded, english.name_folded, Product.sku_sort)]


def _by_attribute(statement: Select[Any], attribute: AttributeInfo) -> tuple[Select[Any], list[Any]]:
    value: Any = aliased(ProductAttribute)
    joined = statement.outerjoin(value, and_(value.product_id == Product.id, value.attribute_id == attribute.id))
    return joined, [value.number, value.text] if attribute.numeric else [value.text]


def _by_relevance(statement: Select[Any], match: Match) -> Select[Any]:
    """Codes first, those that are the whole text before those that begin with it; then words by rank; else by code."""
    keys: list[Any] = []
    if match.code_ids:
        places = {product_id: min(place, match.exact) for place, product_id in enumerate(match.code_ids)}
        keys.append(case(places, value=Product.id, else_=match.exact + 1))
    if match.hits is not None:
        ranked = match.hits.ranked
        statement = statement.outerjoin(ranked, ranked.c.product_id == Product.id)
        keys.append(func.coalesce(ranked.c.rank, 0))
    return statement.order_by(*keys, Product.sku_sort, Product.id)


def _by_price(ids: Sequence[int], *, turned: bool) -> list[int]:
    """Sort by the price of one first unit at its least quantity, which is what the list shows."""
    first = {i: next(iter(units.values())) for i, units in units_of(ids).items() if units}
    least = {(i, unit.unit): unit.minimum for i, unit in first.items()}
    shown = prices.shown(list(least), quantities=least)
    costs = {i: prices.comparable(shown.get((i, unit.unit))) for i, unit in first.items()}
    return sorted(ids, key=partial(_cost, costs, -1 if turned else 1))


def _cost(costs: Mapping[int, Decimal], sign: int, product_id: int) -> tuple[bool, Decimal]:
    """What has no price comes last, whichever way round."""
    cost = costs.get(product_id, Decimal("Infinity"))
    return cost.is_infinite(), Decimal(0) if cost.is_infinite() else cost * sign
