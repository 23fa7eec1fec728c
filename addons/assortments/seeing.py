"""What a buyer sees: the assortments that concern it, combined into one condition on products.

What every ``only`` names together, or everything where there is none; without what any ``without`` names; and what any
``also`` names. These are unions of sets: neither the order of rows nor that of edits changes the result, nobody's assortment
overrides another's, and an ``also`` never hides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.companies import country_of
from core.api.data import book, db, unscoped
from core.api.hooks import VisibilityQuery

from .models import Assortment, AssortmentRow

STAMP = "assortments"
Target = tuple[str, int | str]
_REASON = "what a buyer sees is decided by assortments that it does not read"


@dataclass(frozen=True, slots=True)
class Head:
    """An active assortment; ``products`` and ``categories`` tell whether it names any."""

    id: int
    code: str
    name: str
    audience: str
    company_id: int | None
    segment_id: int | None
    country: str
    mode: str
    valid_from: datetime
    valid_until: datetime | None
    products: bool
    categories: bool

    def holds(self, instant: datetime) -> bool:
        """Tell whether it is valid at an instant."""
        return self.valid_from <= instant and (self.valid_until is None or instant < self.valid_until)

    @property
    def target(self) -> Target:
        """For whom it is: the audience, and the id of the company or segment, or the country (0 for everybody)."""
        return self.audience, self.company_id or self.segment_id or self.country or 0


def concerning(query: VisibilityQuery) -> list[Head]:
    """Return the assortments that concern a buyer at the instant of the question; no statement while none changes."""
    known = active()
    targets: list[Target] = [
        ("public", 0),
        ("location", _country(query, known)),
        *(("segment", segment_id) for segment_id in query.segment_ids),
        *(("company", company_id) for company_id in query.ancestor_ids),
    ]
    return [head for target in targets for head in known.get(target, ()) if head.holds(query.instant)]


def _country(query: VisibilityQuery, known: Mapping[Target, Any]) -> str:
    """Return the company's own country, '' for a visitor; not asked for while no assortment is for a country."""
    if query.company_id is None or not any(audience == "location" for audience, _of in known):
        return ""
    return country_of(query.company_id)


def active() -> Mapping[Target, Sequence[Head]]:
    """Return the active assortments by their target, kept while no assortment changes; one statement."""
    kept = book((STAMP,), "assortments", most=1)
    if "active" not in kept:
        found: dict[Target, list[Head]] = {}
        for row in db.session.execute(unscoped(_heads(), _REASON)):
            head = Head(*row)
            found.setdefault(head.target, []).append(head)
        kept["active"] = found
    return kept["active"]  # type: ignore[no-any-return]


def _heads() -> Select[Any]:
    names = ("id", "code", "name", "audience", "company_id", "segment_id", "country", "mode", "valid_from", "valid_until")
    mine = AssortmentRow.assortment_id == Assortment.id
    return (
        select(
            *(getattr(Assortment, name) for name in names),
            exists().where(mine, AssortmentRow.product_id.is_not(None)).correlate(Assortment),
            exists().where(mine, AssortmentRow.category_id.is_not(None)).correlate(Assortment),
        )
        .where(Assortment.status == "active")
        .order_by(Assortment.code)
    )


def conditions(query: VisibilityQuery) -> tuple[ColumnElement[bool], ...]:
    """Return the condition on ``Product`` for what the buyer sees; none where no assortment hides anything from it."""
    condition = condition_of(concerning(query))
    return () if condition is None else (condition,)


def condition_of(heads: Iterable[Head]) -> ColumnElement[bool] | None:
    """Return the condition of some assortments together; None where they hide nothing."""
    by_mode: dict[str, list[Head]] = {"only": [], "without": [], "also": []}
    for head in heads:
        if head.mode == "only" or head.products or head.categories:
            by_mode[head.mode].append(head)
    parts = [named_by(by_mode["only"])] if by_mode["only"] else []
    if by_mode["without"]:
        parts.append(~named_by(by_mode["without"]))
    if not parts:
        return None
    condition = and_(*parts)
    return or_(condition, named_by(by_mode["also"])) if by_mode["also"] else condition


def named_by(heads: Iterable[Head]) -> ColumnElement[bool]:
    """Return the condition on ``Product`` of being named by any of the assortments; never NULL."""
    known = list(heads)
    by_product = [head.id for head in known if head.products]
    by_category = [head.id for head in known if head.categories]
    ways: list[ColumnElement[bool]] = []
    if by_product:
        rows = select(AssortmentRow.product_id).where(
            AssortmentRow.assortment_id.in_(by_product), AssortmentRow.product_id.is_not(None)
        )
        ways.append(Product.id.in_(rows))
    if by_category:
        ways.append(and_(Product.category_id.is_not(None), Product.category_id.in_(_categories(by_category))))
    return or_(*ways) if ways else false()


def _categories(ids: Sequence[int]) -> Select[Any]:
    """Return the categories that the assortments name, with everything below them."""
    named: Any = aliased(Category)
    below: Any = aliased(Category)
    beneath = func.substr(below.path, 1, func.length(named.path)) == named.path
    return (
        select(below.id)
        .join(named, beneath)
        .join(AssortmentRow, AssortmentRow.category_id == named.id)
        .where(AssortmentRow.assortment_id.in_(ids))
    )
