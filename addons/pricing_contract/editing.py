"""Change a contract: its head, its rows, and taking back a deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select

from core.api.catalog import Category, Product, ProductUnit
from core.api.companies import seller
from core.api.data import AuditEntry, clock, db, end_of_day, start_of_day, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import bounded, bounded_day, read_number, translations
from core.api.imports import codes
from core.api.pricing import BEGINNING

from . import conflicts, formula_text
from .change_models import Change
from .formulas import CONTRACT
from .grid import GridRow, read_key
from .head_rules import bound_to_currency, checked_code, currency_stays
from .meanwhile import Mark
from .models import KINDS, Contract, ContractPrice
from .rules import LIMIT
from .saving import Header, Key, Saver, Staged, groups, hold, record

_, _l, ngettext, _p = translations(__name__)
ZERO = Decimal(0)
UNDO_FOR = timedelta(minutes=10)
_COPIED = (
    "target", "unit", "min_quantity", "valid_from", "valid_until", "kind", "value", "per", "terms", "product_id",
    "category_id",
)  # fmt: skip


def contract_by_code(code: str) -> Contract:
    """Return the contract with ``code``; NotFound if there is none that the actor may see."""
    found = db.session.scalar(select(Contract).where(Contract.code == code))
    if found is None:
        raise NotFound("CONTRACT-UNKNOWN", _('There is no contract with the code "%(code)s".', code=code))
    return found


def header(contract: Contract) -> Header:
    """Return what rules need to know of the contract."""
    return Header(contract.id, contract.code, contract.currency, contract.allow_inverted)


def save_head(contract: Contract | None, values: Mapping[str, Any], version: int | None = None) -> Contract:
    """Create or change the head of a contract; Conflict if somebody changed it since ``version``."""
    check_head(contract, values)
    now = clock.now()
    with write() as session:
        if contract is None:
            contract = Contract(**values, created_at=now, updated_at=now)
            session.add(contract)
            before = None
        else:
            contract = session.get(Contract, contract.id, populate_existing=True) or contract
            if version is not None and contract.version != version:
                remedy = _("Look at what differs, then save again.")
                raise Conflict("CONTRACT-CHANGED", f"{conflicts.head_sentence(contract)} {remedy}")
            before = {name: getattr(contract, name) for name in values}
            for name, value in values.items():
                setattr(contract, name, value)
            contract.updated_at = now
        session.flush()
        record(contract.code, "created" if before is None else "changed", before, values)
    return contract


def check_head(contract: Contract | None, values: Mapping[str, Any]) -> None:
    """Refuse terms that cannot be: a code that is taken, dates the wrong way round, another currency than the rows'."""
    code = values.get("code")
    if contract is None and db.session.scalar(select(Contract.id).where(Contract.code == checked_code(str(code or "")))):
        raise Invalid("CONTRACT-CODE", _('There is a contract with the code "%(code)s" already.', code=code))
    end = values.get("valid_until", contract.valid_until if contract else None)
    if end is not None and end <= values.get("valid_from", contract.valid_from if contract else BEGINNING):
        raise Invalid("CONTRACT-DATES", _("The last day is before the first."))
    moves = contract is not None and values.get("currency", contract.currency) != contract.currency
    if contract is not None and contract.status == "draft" and values.get("status") == "active" and _at_work(contract):
        text = _("A job still works on the prices of this contract. Wait until it is done, or stop it.")
        raise Conflict("CONTRACT-BUSY", text)
    if contract is not None and moves and bound_to_currency([contract.code]):
        raise Invalid("CONTRACT-CURRENCY", currency_stays(contract.currency))


def _at_work(contract: Contract) -> bool:
    """Tell whether a job is at a change that is to hold at once; a copy has its new prices only after that."""
    publish = Change.origin["publish"].as_boolean()
    at_work = or_(Change.state == "publishing", and_(Change.state == "preparing", publish))
    return db.session.scalar(select(Change.id).where(Change.contract_id == contract.id, at_work).limit(1)) is not None


@dataclass(slots=True)
class GridOutcome:
    """What became of a grid: how many rows were written, those refused as they were sent, and the keys not deleted."""

    written: int
    unchanged: int
    failed: list[GridRow]
    rows: list[tuple[GridRow, str]]
    removed: int = 0
    stayed: set[str] = field(default_factory=set)


def save_grid(
    contract: Contract,
    rows: Sequence[GridRow],
    removed: Mapping[str, str] | None = None,
    *,
    means: str = "grid",
    seen: Mark | None = None,
) -> GridOutcome:
    """Write rows of a form or a spreadsheet, each with its outcome; rows whose key changed move. One transaction.

    ``removed`` are keys of rows to delete, with the rows as they were shown. What somebody else changed meanwhile
    is left alone: such rows come back with a `conflicts.Clash`, such deletions in ``stayed``. ``seen`` is the mark of
    a page that did not show the rows.
    """
    removed = removed or {}
    staged = staged_rows(contract, rows)
    with write():
        hold(contract.id)
        stayed = conflicts.keep_out(contract, rows, staged, removed)
        if seen:
            conflicts.keep_back(contract, rows, staged, seen)
        staged = [row for row in staged if rows[row.tag].clash is None]  # type: ignore[index]
        gone = {(contract.id, *read_key(text)) for text in removed if text not in stayed}
        if gone:
            _remember(contract, gone)
        saved = Saver(staged).save(gone, means=means)
        touched = [row for row in staged if saved.outcomes.get(row.tag, "unchanged") != "unchanged"]
        if touched:
            record(contract.code, "prices changed", None, {"rows": len(touched)})
    for n, problem in saved.problems.items():
        rows[n].refuse(problem.field, problem.message)  # type: ignore[index]
    outcomes = [(row, saved.outcomes.get(n, "error")) for n, row in enumerate(rows)]
    failed = [row for row in rows if row.refused]
    return GridOutcome(len(touched), len(rows) - len(touched) - len(failed), failed, outcomes, len(gone), stayed)


def staged_rows(contract: Contract, rows: Sequence[GridRow]) -> list[Staged]:
    """Return the rows that can be read, tagged by their place; the errors of the others are noted on them."""
    head, reader = header(contract), _Reader(rows)
    staged: dict[Key, Staged] = {}
    for n, row in enumerate(rows):
        found = reader.read(n, row, head)
        if found is None:
            continue
        was = (contract.id, *read_key(row.key)) if row.key else None
        found.old = was if was != found.key else None
        first: Any = staged.setdefault(found.key, found).tag
        if first != n:  # nobody knows which of the two is meant
            one, two = (n + 1 if rows[n].place is None else rows[n].place + 1 for n in (first, n))
            for given in (rows[first], row):
                given.errors["target"] = _("This row is given twice (rows %(one)s and %(two)s).", one=one, two=two)
    return [one for one in staged.values() if not rows[one.tag].errors]  # type: ignore[index]


class _Reader:
    """Reads grid rows as typed values; products, categories and units are looked up for all rows at once."""

    def __init__(self, rows: Sequence[GridRow]) -> None:
        names = {row.target for row in rows}
        self._products = codes(Product.sku, Product.id, names)
        self._categories = codes(Category.code, Category.id, {name.removeprefix("*") for name in names})
        self._base = codes(Product.sku, Product.base_unit, names)
        query = select(Product.sku, ProductUnit.unit).join(ProductUnit, ProductUnit.product_id == Product.id)
        self._units = {
            tuple(row) for some in groups(sorted(names)) for row in db.session.execute(query.where(Product.sku.in_(some)))
        }
        self._zone = seller().zone
        formulas = any(row.kind == "formula" for row in rows)
        self._contracts = set(db.session.scalars(select(Contract.code))) if formulas else set()

    def read(self, tag: int, row: GridRow, contract: Header) -> Staged | None:
        """Return the row as it is to be saved; its errors are noted on it."""
        product, category = self._products.get(row.target), None
        if product is None:
            category = self._categories.get(row.target.removeprefix("*"))
            if row.target != "*" and category is None:
                row.errors["target"] = _("There is no product or category with this code. Write * for all products.")
        if row.kind not in KINDS:
            row.errors["kind"] = _("Choose what the row does.")
        unit = row.unit or (self._base.get(row.target, "") if row.kind == "fixed" else "")
        if product is not None and unit and unit != self._base[row.target] and (row.target, unit) not in self._units:
            row.errors["unit"] = _("The product is not sold in this unit.")
        quantity = self._number(row, "min_quantity", row.min_quantity) if row.min_quantity else ZERO
        formula = row.kind == "formula"
        value = ZERO if formula else self._number(row, "value", row.value)
        terms = self._formula(row, contract) if formula else None
        per = self._number(row, "per", row.per) if row.per else Decimal(1)
        first, last = self._day(row, "from", row.valid_from), self._day(row, "until", row.valid_until)
        if row.errors:
            return None
        return Staged(
            tag=tag, contract=contract, product_id=product, category_id=category, unit=unit, min_quantity=quantity,
            valid_from=start_of_day(first, self._zone) if first else BEGINNING,
            values={
                "kind": row.kind, "value": value, "terms": terms,
                **({} if row.brief else {"per": per, "valid_until": end_of_day(last, self._zone) if last else None}),
            },
        )  # fmt: skip

    def _number(self, row: GridRow, column: str, text: str) -> Decimal:
        try:
            return bounded(read_number(text), places=6, minimum=-LIMIT, maximum=LIMIT)
        except Invalid as refused:
            row.errors[column] = str(refused.message)
            return ZERO

    def _formula(self, row: GridRow, contract: Header) -> dict[str, Any] | None:
        try:
            terms = formula_text.read(row.value)
        except Invalid as refused:
            row.errors["value"] = str(refused.message)
            return None
        base = str(terms["base"]).removeprefix(CONTRACT)
        if base != terms["base"] and base not in self._contracts:
            row.errors["value"] = _("There is no contract or price list with the code “%(code)s”.", code=base)
        elif base == contract.code:
            row.errors["value"] = _("The contract would be computed from itself.")
        return terms

    def _day(self, row: GridRow, column: str, text: str) -> date | None:
        try:
            return bounded_day(date.fromisoformat(text)) if text else None
        except ValueError:
            row.errors[column] = _("Write the date as 2026-12-31.")
        except Invalid as refused:
            row.errors[column] = str(refused.message)
        return None


def _remember(contract: Contract, gone: set[Key]) -> None:
    """Keep the rows in the audit, so that the deletion can be taken back."""
    targets = {key[1] for key in gone}
    query = select(ContractPrice).where(ContractPrice.contract_id == contract.id, ContractPrice.target.in_(targets))
    rows = [
        row_as_json(row)
        for row in db.session.scalars(query)
        if (row.contract_id, row.target, row.unit, row.min_quantity, row.valid_from) in gone
    ]
    record(contract.code, "prices deleted", {"rows": rows}, None)


def row_columns() -> list[Any]:
    """Return the columns that ``row_as_json`` asks for."""
    return [getattr(ContractPrice, name) for name in _COPIED]


def row_as_json(row: Any) -> dict[str, Any]:
    """Return a row's values (of the model, or as columns) as JSON holds them; ``staged_from`` reads them back."""
    return values_as_json({name: getattr(row, name) for name in _COPIED})


def values_as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's values by name as JSON holds them."""
    return {name: _plain(values[name]) for name in _COPIED}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str | dict) else str(value)


def last_deletion(contract: Contract) -> AuditEntry | None:
    """Return the newest deletion of rows that may still be taken back."""
    query = (
        select(AuditEntry)
        .where(
            AuditEntry.entity == "contract",
            AuditEntry.entity_id == contract.code,
            AuditEntry.action.in_(("prices deleted", "deletion taken back")),
            AuditEntry.at > clock.now() - UNDO_FOR,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    found = db.session.scalar(query)
    return found if found is not None and found.action == "prices deleted" else None


def undo_deletion(contract: Contract) -> int:
    """Put back the rows that were deleted last, unless their key is taken by now; return how many."""
    with write():
        hold(contract.id)
        entry = last_deletion(contract)
        if entry is None or not entry.before:
            raise Conflict("UNDO-GONE", _("There is nothing to take back any more."))
        head = header(contract)
        staged = [staged_from(n, head, row) for n, row in enumerate(entry.before["rows"])]
        saver = Saver(staged)
        saver.staged = [row for row in staged if saver.existing(row.key) is None]
        count = len(saver.save(means="restore").outcomes)
        record(contract.code, "deletion taken back", None, {"rows": count})
    return count


def staged_from(tag: int, head: Header, row: Mapping[str, Any]) -> Staged:
    """Return the row that ``row_as_json`` wrote, ready to be saved."""
    instant = datetime.fromisoformat
    return Staged(
        tag=tag, contract=head, product_id=row["product_id"], category_id=row["category_id"], unit=row["unit"],
        min_quantity=Decimal(row["min_quantity"]), valid_from=instant(row["valid_from"]),
        values={
            "kind": row["kind"], "value": Decimal(row["value"]), "per": Decimal(row["per"]), "terms": row["terms"],
            "valid_until": instant(row["valid_until"]) if row["valid_until"] else None,
        },
    )  # fmt: skip
