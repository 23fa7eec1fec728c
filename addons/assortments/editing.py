"""Create and change assortments and their rows; what cannot be meant is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from core.api.catalog import Category, Product
from core.api.data import audit, clock, db, locked, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations
from core.api.imports import codes

from .models import STATUSES, Assortment, AssortmentRow

_, _l, ngettext, _p = translations(__name__)
OWNER = "assortments"
ENTITY = "assortment"
#: Lines that are pasted at once; longer files are imported.
MOST = 5000
Target = tuple[int | None, int | None]


def by_code(code: str) -> Assortment:
    """Return the assortment with ``code``; NotFound if there is none."""
    found = db.session.scalar(select(Assortment).where(Assortment.code == code))
    if found is None:
        raise NotFound("ASSORTMENT-UNKNOWN", _("There is no assortment with the code “%(code)s”.", code=code[:40]))
    return found


def save(assortment: Assortment | None, values: Mapping[str, Any], version: int | None = None) -> Assortment:
    """Create or change an assortment; Invalid names the field, Conflict where somebody changed it since ``version``."""
    check(values)
    now = clock.now()
    with write() as session:
        before: dict[str, Any] | None = None
        if assortment is None:
            if db.session.scalar(select(Assortment.id).where(Assortment.code == values["code"])):
                raise invalid("code", _("There is an assortment with the code “%(code)s” already.", code=values["code"]))
            assortment = Assortment(**values, created_at=now, updated_at=now)
            session.add(assortment)
        else:
            assortment = hold(assortment.id)
            if version is not None and version != assortment.version:
                text = _("Somebody else has changed this assortment meanwhile. Look at it again, then save.")
                raise Conflict("ASSORTMENT-CHANGED", text)
            before = {name: getattr(assortment, name) for name in values}
            for name, value in values.items():
                setattr(assortment, name, value)
            assortment.updated_at = now
        session.flush()
        record(assortment, "created" if before is None else "changed", before, dict(values))
    return assortment


def check(values: Mapping[str, Any]) -> None:
    """Refuse what cannot be meant."""
    columns = {"company": "company_id", "segment": "segment_id"}
    if values["audience"] in columns and values[columns[values["audience"]]] is None:
        raise invalid(values["audience"], _("Say for whom the assortment is."))
    for audience, column in columns.items():
        if values["audience"] != audience and values[column] is not None:
            raise invalid(audience, _("The assortment is for others: leave this empty."))
    country = values.get("country", "")
    if values["audience"] == "location" and not country:
        raise invalid("country", _("Name the country with two letters, for example FI."))
    if values["audience"] != "location" and country:
        raise invalid("country", _("The assortment is for others: leave this empty."))
    if values["valid_until"] is not None and values["valid_until"] <= values["valid_from"]:
        raise invalid("valid_until", _("The last day is before the first."))


def set_status(assortment: Assortment, status: str) -> None:
    """Make an assortment active, end it, or make it a draft again."""
    if status not in STATUSES:
        raise Conflict("ASSORTMENT-STATUS", _("An assortment is a draft, active, or ended."))
    with write() as session:
        assortment = hold(assortment.id)
        before = {"status": assortment.status}
        assortment.status, assortment.updated_at = status, clock.now()
        session.flush()
        record(assortment, "changed", before, {"status": status})


def invalid(field: str, message: str) -> Invalid:
    """Return the refusal for a field of the form and the import."""
    return Invalid("ASSORTMENT-INVALID", message, details={"field": field})


def record(assortment: Assortment, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """Add a deed to the audit."""
    audit.record(ENTITY, assortment.code, action, company_id=assortment.company_id, before=before, after=after, addon=OWNER)


@dataclass(frozen=True, slots=True)
class Change:
    """A row to be there, or with ``remove`` to be gone; ``name`` is its SKU, or * and the code of its category."""

    assortment: str
    name: str
    target: Target
    remove: bool = False


def hold(assortment_id: int) -> Assortment:
    """Return the assortment as it is now; nobody else changes it or its rows until the caller's ``write()`` ends."""
    return db.session.scalars(locked(select(Assortment).where(Assortment.id == assortment_id))).one()


def put_rows(changes: Sequence[Change]) -> list[str]:
    """Write rows of assortments; return for each what became of it: created, removed or unchanged. Call inside ``write()``.

    The number of statements does not depend on that of the rows, but for an entry in the audit per assortment.
    """
    wanted = {one.assortment for one in changes}
    query = select(Assortment).where(Assortment.code.in_(wanted)).order_by(Assortment.id)
    heads = {one.code: one for one in db.session.scalars(locked(query))}
    known = _known([one.id for one in heads.values()], {one.target for one in changes})
    outcomes, here = [], set(known)
    for one in changes:
        key = (heads[one.assortment].id, *one.target)
        if one.remove == (key in here):
            (here.discard if one.remove else here.add)(key)
            outcomes.append("removed" if one.remove else "created")
        else:
            outcomes.append("unchanged")
    new = [
        dict(zip(("assortment_id", "product_id", "category_id"), key, strict=True)) for key in sorted_keys(here - set(known))
    ]
    gone = [known[key] for key in known.keys() - here]
    if new:
        db.session.execute(insert(AssortmentRow), new)
    if gone:
        db.session.execute(delete(AssortmentRow).where(AssortmentRow.id.in_(gone)))
    for head in heads.values():
        _record_rows(head, [(one, done) for one, done in zip(changes, outcomes, strict=True) if one.assortment == head.code])
    return outcomes


def sorted_keys(keys: Iterable[tuple[int, int | None, int | None]]) -> list[tuple[int, int | None, int | None]]:
    """Return keys of rows in one order, products first."""
    return sorted(keys, key=lambda key: (key[0], key[1] is None, key[1] or key[2] or 0))


def _known(assortment_ids: Sequence[int], targets: set[Target]) -> dict[tuple[int, int | None, int | None], int]:
    row = AssortmentRow
    products = [product_id for product_id, _category in targets if product_id]
    categories = [category_id for _product, category_id in targets if category_id]
    query = select(row.assortment_id, row.product_id, row.category_id, row.id).where(
        row.assortment_id.in_(assortment_ids), row.product_id.in_(products) | row.category_id.in_(categories)
    )
    return {(a, p, c): row_id for a, p, c, row_id in db.session.execute(query)}


def _record_rows(head: Assortment, done: Sequence[tuple[Change, str]]) -> None:
    for outcome, action in (("created", "rows added"), ("removed", "rows removed")):
        names = [one.name for one, what in done if what == outcome]
        if names:
            record(head, action, None, {"rows": names})
    if any(outcome != "unchanged" for _one, outcome in done):
        changed = update(Assortment).where(Assortment.id == head.id).values(updated_at=clock.now())
        db.session.execute(changed, execution_options={"synchronize_session": False})


@dataclass(frozen=True, slots=True)
class Line:
    """A pasted line: the code, and what became of it: created, removed, unchanged, or error with a message."""

    name: str
    outcome: str
    message: str = ""


def paste(assortment: Assortment, text: str, *, remove: bool = False) -> list[Line]:
    """Put the products and categories of pasted lines into an assortment, or take them out; each line gets an outcome.

    The first cell of a line counts: a SKU, or * and the code of a category.
    """
    changes, lines = read_pasted(assortment, text, remove=remove)
    with write():
        outcomes = iter(put_rows(changes))
    return [line if line.outcome == "error" else Line(line.name, next(outcomes)) for line in lines]


def read_pasted(assortment: Assortment, text: str, *, remove: bool = False) -> tuple[list[Change], list[Line]]:
    """Return what pasted lines would do, and all lines; those that lead to nothing say so as an error."""
    names = [cell for line in text.replace("\r", "").split("\n") if (cell := line.replace(";", "\t").split("\t")[0].strip())]
    if len(names) > MOST:
        raise invalid("rows", _("These are more than %(count)s lines: import them as a file instead.", count=MOST))
    found = targets(names)
    changes = [Change(assortment.code, name, found[name], remove) for name in names if name in found]
    return changes, [Line(name, "") if name in found else Line(name, "error", _unknown(name)) for name in names]


def _unknown(name: str) -> str:
    if name.startswith("*"):
        return _("There is no category with this code.")
    return _("There is no product with this code. Write * before the code of a category.")


def targets(names: Iterable[str]) -> dict[str, Target]:
    """Return the product or category behind each code that leads to one; two statements."""
    wanted = set(names)
    products = codes(Product.sku, Product.id, {name for name in wanted if not name.startswith("*")})
    categories = codes(Category.code, Category.id, {name.removeprefix("*") for name in wanted if name.startswith("*")})
    found: dict[str, Target] = {name: (product_id, None) for name, product_id in products.items()}
    return found | {f"*{code}": (None, category_id) for code, category_id in categories.items()}


def remove_listed(keys: Iterable[str]) -> int:
    """Take rows out, each named by its assortment's code, a space, and its own; returns how many were there."""
    pairs = [tuple(key.split(" ", 1)) for key in keys if " " in key]
    found = targets(name for _code, name in pairs)
    known = set(db.session.scalars(select(Assortment.code).where(Assortment.code.in_([code for code, _name in pairs]))))
    changes = [Change(code, name, found[name], True) for code, name in pairs if name in found and code in known]
    with write():
        return put_rows(changes).count("removed")
