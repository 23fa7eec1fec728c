"""Quick order: pasted or typed rows become proposals. Every row gets an outcome, none is dropped, nothing is guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rapidfuzz import fuzz, process
from sqlalchemy import select

from core.catalog import visibility
from core.catalog.folding import fold_code
from core.catalog.models import Product
from core.catalog.services import CodeMatch, find_codes
from core.catalog.units import UnitInfo
from core.data.db import db
from core.i18n import _
from core.i18n.numbers import Marks, marks_of
from core.orders import articles, unit_words
from core.orders.articles import Article
from core.orders.paste import MAX_ROWS, Pasted, PastedRow, Reading
from core.orders.proposals import Choice, Proposal, priced
from core.orders.quantities import parse_quantity
from core.spec.errors import Invalid
from core.ui.formats import unit_name

MAX_PROPOSED = 40


def review(pasted: Pasted, marks: Marks | None = None, *, given: Collection[int] = ()) -> tuple[Proposal, ...]:
    """Return a proposal for every row, in their order; statements constant in rows. Invalid above ``MAX_ROWS`` rows.

    A row without a quantity is proposed with the least that is sold, and says so; rows whose numbers are in ``given``
    had a field for it, which must be filled.
    """
    if len(pasted.rows) > MAX_ROWS:
        raise Invalid(
            "TOO-MANY-ROWS",
            _("%(count)s rows are too many at once; paste at most %(most)s.", count=len(pasted.rows), most=MAX_ROWS),
        )
    matches = find_codes({reading.code for row in pasted.rows for reading in row.readings})
    chosen = [_choose(row, matches) for row in pasted.rows]
    with articles.remembered():
        known = articles.by_id({m.product_id for c in chosen for m in c.matches})
        rows = [_proposal(c, known, marks or marks_of(), c.row.number in given) for c in chosen]
        return priced(_with_choices(_merge(rows)))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The reading of a row whose code exists (else the likeliest), and what it stands for."""

    row: PastedRow
    reading: Reading
    matches: tuple[CodeMatch, ...]


def _choose(row: PastedRow, matches: Mapping[str, Sequence[CodeMatch]]) -> _Chosen:
    for reading in row.readings:
        if found := matches.get(reading.code):
            return _Chosen(row, reading, tuple(found))
    told = [reading for reading in row.readings if reading.amount is not None] or row.readings[:1]
    # Codes are longer than quantities, and seldom have a space in them.
    return _Chosen(row, max(told, key=lambda reading: (" " not in reading.code, len(reading.code))), ())


def _proposal(chosen: _Chosen, known: Mapping[int, Article], marks: Marks, given: bool) -> Proposal:
    row, reading = chosen.row, chosen.reading
    base = Proposal(row.number, row.text, "ok", reference=reading.reference)
    if not chosen.matches:
        return replace(
            base,
            outcome="unknown",
            message=_("No article has the code %(code)s.", code=reading.code[:60])
            if reading.code
            else _("The row has no code."),
            quantity=reading.amount,
        )
    if len({m.product_id for m in chosen.matches}) > 1:
        choices = tuple(Choice(known[m.product_id].sku, known[m.product_id].name) for m in chosen.matches)
        message = _("%(code)s stands for several articles; choose one.", code=reading.code[:60])
        return replace(base, outcome="several", message=message, choices=choices, quantity=reading.amount)
    match, article = chosen.matches[0], known[chosen.matches[0].product_id]
    if article.availability != "ok":
        outcome = "discontinued" if article.availability == "discontinued" else "not_allowed"
        return replace(base, outcome=outcome, message=article.refusal, article=article, quantity=reading.amount)
    if match.kind == "superseded":
        message = _("%(code)s is no longer sold; %(sku)s replaces it.", code=reading.code[:60], sku=article.sku)
        base = replace(base, outcome="replaced", message=message)
    return _with_amount(replace(base, article=article), match, reading, marks, given)


def _with_amount(row: Proposal, match: CodeMatch, reading: Reading, marks: Marks, given: bool) -> Proposal:
    """Add unit and quantity as typed; where none was, the least that is sold, unless there was a field for it."""
    article = row.article
    assert article is not None
    unit = _unit(article, reading.unit or match.unit)
    if unit is None:
        message = _(
            "%(sku)s is not sold in “%(unit)s”; it is sold in %(units)s.",
            sku=article.sku,
            unit=reading.unit[:20],
            units=", ".join(map(unit_name, article.units)),
        )
        return replace(row, outcome="bad_unit", message=message, quantity=reading.amount)
    if not reading.quantity and not given:
        said = _("No quantity was given; this is the least that is sold.")
        return replace(row, unit=unit, quantity=unit.minimum, message=f"{row.message} {said}".strip())
    try:
        quantity = parse_quantity(reading.quantity, marks)
    except Invalid as refused:
        return replace(row, outcome="bad_quantity", message=str(refused.message), unit=unit, wrong=reading.quantity)
    return replace(row, unit=unit, quantity=quantity)


def _unit(article: Article, name: str) -> UnitInfo | None:
    """Return the unit by its code, or by a word for it in any language."""
    return article.unit(name) or article.units.get(unit_words.meant(name, article.units))


def _merge(rows: Sequence[Proposal]) -> list[Proposal]:
    """Add the quantity of a repeated article to its first row, which then is checked and priced for all of them."""
    first: dict[tuple[int, str], int] = {}
    merged: list[Proposal] = []
    for row in rows:
        key = (row.article.id, row.unit.unit) if row.takes and row.article and row.unit else None
        if key is None or key not in first:
            if key is not None:
                first[key] = len(merged)
            merged.append(row)
            continue
        target = merged[first[key]]
        total = (target.quantity or Decimal(0)) + (row.quantity or Decimal(0))
        merged[first[key]] = replace(target, quantity=total)
        message = _("The same article is in row %(number)s; the quantities were added.", number=target.number)
        merged.append(replace(row, outcome="merged", message=message))
    return merged


def _with_choices(rows: Sequence[Proposal]) -> list[Proposal]:
    """Offer articles with similar codes for rows that were not found; they are never taken by themselves."""
    lost = [row for row in rows if row.outcome == "unknown"][:MAX_PROPOSED]
    if not lost:
        return list(rows)
    folded = {
        row.sku_folded: row.sku
        for row in db.session.execute(
            select(Product.sku, Product.sku_folded).where(visibility.condition(), Product.status == "active")
        )
    }
    near = {row.number: _near(row.text, folded) for row in lost}
    skus = {sku for found in near.values() for sku in found}
    names = {sku: article.name for sku, article in articles.by_sku(skus).items()}
    return [
        replace(row, choices=tuple(Choice(sku, names[sku]) for sku in near[row.number] if sku in names))
        if row.number in near
        else row
        for row in rows
    ]


def _near(text: str, folded: Mapping[str, str]) -> list[str]:
    wanted = fold_code(text.split("\t")[0].split(";")[0])
    if len(wanted) < 3:
        return []
    found = process.extract(wanted, folded.keys(), scorer=fuzz.ratio, limit=3, score_cutoff=70)
    return [folded[code] for code, _score, _index in found]
