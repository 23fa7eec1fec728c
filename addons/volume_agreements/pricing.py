"""The step of the price pipeline: what agreements say of the lines, after contracts and before campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, case, func, select, type_coerce

from core.api.catalog import Category
from core.api.data import book, db, unscoped
from core.api.i18n import translations
from core.api.pricing import (
    Candidate,
    PriceBatch,
    PriceContext,
    PriceLine,
    PriceStage,
    PriceStep,
    from_micro,
    id_table,
    id_values,
    prepared,
)
from core.api.ui import percent_text, plain

from . import engine
from .engine import PREFIX, ZERO, Part, Terms
from .models import Agreement, Entry

_, _l, ngettext, _p = translations(__name__)
STEP = "volume"
#: The tables that kept terms come from, and for how many buyers they are kept; what is left is never kept.
STAMPS, MOST = ("volume_agreements", "catalogue"), 1024
_REASON = "what a parent agreed on holds beneath it, and everybody beneath it draws from the same quantity"
_COLUMNS = (
    "id", "code", "name", "company_id", "product_id", "unit", "quantity", "kind", "value", "per", "currency",
    "valid_from", "valid_until", "status",
)  # fmt: skip


@dataclass(slots=True)
class Facts:
    """The agreements that may concern the batch, in order, what each has left, and what the document's lines hold."""

    agreements: Sequence[Terms] = ()
    left: Mapping[int, Decimal] = field(default_factory=dict)
    own: Mapping[str, Mapping[int, Decimal]] = field(default_factory=dict)


def step() -> PriceStep:
    """Return the step; it follows contracts, whose price is that of whatever no agreement takes."""
    return PriceStep(STEP, PriceStage.AGREEMENT, apply, prepare, order=200, title=_l("Volume agreement"))


def prepare(batch: PriceBatch) -> Facts | None:
    """Read what is left of the buyer's agreements, in one statement; None where it has none."""
    where = batch.context
    if where.company_id is None:
        return None
    found = [
        one
        for one in terms_of(where)
        if batch.explain or (one.status == "active" and one.valid_from <= where.instant < one.valid_until)
    ]
    if not found:
        return None
    left = {one.id: one.quantity for one in found}
    own: dict[str, dict[int, Decimal]] = {}
    dialect = db.engine.dialect.name
    rows = prepared(_taken, dialect).rows(**id_values(dialect, "agreements", left), order_id=batch.order_id or 0)
    for agreement_id, position, micros in rows:
        quantity = from_micro(int(micros))
        left[agreement_id] -= quantity
        if position:
            own.setdefault(str(position), {})[agreement_id] = quantity
    return Facts(engine.ordered(found, where.company_ids), left, own)


def _taken(dialect: str) -> Select[Any]:
    """Build the statement: what is drawn of each agreement, in millionths, by the document's own lines and by the rest.

    What a parent agreed on holds beneath it, and everybody beneath it draws from the same quantity.
    """
    entry = Entry.__table__
    place = case((entry.c.order_id == bindparam("order_id", type_=BigInteger), entry.c.position), else_=0)
    reserved, committed = (type_coerce(column, BigInteger) for column in (entry.c.reserved, entry.c.committed))
    taken = func.sum(reserved) + func.sum(committed)
    chosen = entry.c.agreement_id.in_(select(id_table(dialect, "agreements").c.id))
    return select(entry.c.agreement_id, place, taken).where(chosen).group_by(entry.c.agreement_id, place)


def terms_of(where: PriceContext) -> tuple[Terms, ...]:
    """Return the agreements of the company and its parents that are no drafts; kept while nothing of them changes."""
    kept = book(STAMPS, "volume_agreements", most=MOST)
    key = where.company_ids, where.currency
    if key not in kept:
        columns = [getattr(Agreement, name) for name in _COLUMNS]
        query = (
            select(*columns, func.coalesce(Category.path, "").label("path"))
            .outerjoin(Category, Category.id == Agreement.category_id)
            .where(Agreement.company_id.in_(where.company_ids), Agreement.currency == where.currency)
            .where(Agreement.status != "draft")
        )
        kept[key] = tuple(Terms(**row._mapping) for row in db.session.execute(unscoped(query, _REASON)))
    return kept[key]  # type: ignore[no-any-return]


def apply(batch: PriceBatch, facts: Facts) -> None:
    """Give lines the agreed price for as much as is left; lines with a price by hand draw nothing."""
    shared = dict(facts.left)
    for line in batch.lines:
        fitting = [one for one in facts.agreements if one.fits(line)] if line.known else []
        terms = batch.manual.get(line.key)
        if not fitting or (terms is not None and line.quantity >= terms.least):
            continue
        holding = [one for one in fitting if not _lost(one, line, batch.context.instant)]
        free = shared if batch.together else dict(facts.left)
        own = facts.own.get(line.key, {})
        had = {one.id: own.get(one.id, ZERO) + max(free[one.id], ZERO) for one in holding}
        parts = engine.share_out(line.base_quantity, holding, free, own)
        before = line.price
        if parts:
            _take(line, parts, had, batch.context.currency)
        if batch.explain:
            _tell(line, fitting, parts, had, batch.context)
            if parts:
                line.note(STEP, before, line.reason, str(line.reference))


def _take(line: PriceLine, parts: list[Part], had: Mapping[int, Decimal], currency: str) -> None:
    found = engine.priced(line, parts, currency)
    if found.price is None:
        line.price = line.places = None
        line.source, line.reference = "", parts[0].terms.code
        line.reason = _l("Only part of it is left in your agreement, and the rest has no price: ask for a quote.")
        return
    source = engine.source_of(parts, line.base_quantity)
    line.set_price(found.price, found.per, found.places, source, _reason(line, parts, had), parts[0].terms.code)
    line.derived = line.unit != line.base_unit
    line.locked_by = source


def _reason(line: PriceLine, parts: list[Part], had: Mapping[int, Decimal]) -> object:
    first, unit = parts[0].terms, line.base_unit
    drawn = sum((part.quantity for part in parts), ZERO)
    if drawn < line.base_quantity:
        return _l(
            "%(part)s of %(whole)s %(unit)s by your agreement %(name)s, the rest at the price without it",
            part=plain(drawn), whole=plain(line.base_quantity), unit=unit, name=first.name,
        )  # fmt: skip
    return _l(
        "Your agreement %(name)s: %(left)s of %(whole)s %(unit)s left",
        name=first.name, left=plain(had[first.id]), whole=plain(first.quantity), unit=unit,
    )  # fmt: skip


def _lost(one: Terms, line: PriceLine, instant: datetime) -> object:
    """Return why an agreement does not hold for the line at the instant, '' if it does."""
    if one.status == "ended" or one.valid_until <= instant:
        return _l("The agreement has ended.")
    if one.valid_from > instant:
        return _l("The agreement is not valid yet.")
    return _l("There is no list price to compute from.") if one.kind == "percent" and line.list_price is None else ""


def _tell(
    line: PriceLine, fitting: Sequence[Terms], parts: Sequence[Part], had: Mapping[int, Decimal], where: PriceContext
) -> None:
    """Tell every agreement about the product, and why it was not taken."""
    taken = {part.terms.id: part.quantity for part in parts}
    for one in fitting:
        lost = _lost(one, line, where.instant)
        if not lost and one.id not in taken:
            lost = _l("The agreed quantity is used up.") if not had[one.id] else _l("Another agreement comes first.")
        fixed = one.kind == "fixed"
        line.consider(
            Candidate(
                source=line.source if one.id in taken and line.source else f"{PREFIX}{one.code}",
                label=one.name,
                price=one.value if fixed else None,
                per=one.per,
                unit=one.unit,
                min_quantity=ZERO,
                lost=lost,
                selector=_l("This product")
                if one.product_id
                else _l("Category %(code)s", code=one.path.strip("/").split("/")[-1]),
                rule=_l("%(left)s of %(whole)s left", left=plain(had.get(one.id, ZERO)), whole=plain(one.quantity))
                if fixed
                else _l("%(percent)s off the list price", percent=percent_text(one.value)),
            )
        )
