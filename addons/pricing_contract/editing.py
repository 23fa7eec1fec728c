"""Change a contract: its head, its rows, copies, percent changes, and taking back a deletion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import func, insert, select

from core.api.catalog import Category, Product, ProductUnit
from core.api.companies import seller
from core.api.data import AuditEntry, clock, db, end_of_day, start_of_day, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import bounded, bounded_day, read_number, translations
from core.api.imports import codes
from core.api.pricing import BEGINNING, minor_digits, round_to

from . import conflicts, formula_text, meanwhile
from .deeds import Counts, write_deeds
from .formulas import CONTRACT
from .grid import GridRow, read_key
from .head_rules import bound_to_currency, checked_code, currency_stays
from .meanwhile import Mark
from .models import KINDS, Contract, ContractPrice, OrderLimit
from .rules import LIMIT
from .saving import Header, Key, Saver, Staged, groups, record

_, _l, ngettext, _p = translations(__name__)
ZERO, HUNDRED = Decimal(0), Decimal(100)
UNDO_FOR = timedelta(minutes=10)
ROUNDINGS: dict[str, Any] = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_COPIED = (
    "target", "unit", "min_quantity", "valid_from", "valid_until", "kind", "value", "per", "terms", "product_id",
    "category_id",
)  # fmt: skip
_COPIED_LIMITS = ("target", "unit", "minimum", "step", "packages", "product_id", "category_id")


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
    if contract is not None and moves and bound_to_currency([contract.code]):
        raise Invalid("CONTRACT-CURRENCY", currency_stays(contract.currency))


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
    with write() as session:
        session.get(Contract, contract.id, with_for_update=True, populate_existing=True)
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
            for one in (rows[first], row):
                one.errors["target"] = _("This row is given twice (rows %(one)s and %(two)s).", one=first + 1, two=n + 1)
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


def change_by_percent(
    contract: Contract,
    percent: Decimal,
    *,
    step: Decimal | None = None,
    rounding: str = "half_up",
    apply: bool = False,
    seen: Mark | None = None,
) -> list[tuple[ContractPrice, Decimal]]:
    """Return every fixed price with its new value, a ``percent`` higher (or lower), rounded to ``step``; ``apply`` writes.

    ``step`` None is the currency's smallest unit. Percents and amounts off stay as they are. Conflict where somebody
    changed one of the prices since ``seen``, the mark of the page that showed them.
    """
    if not percent.is_finite() or not -HUNDRED < percent < 1000:
        raise Invalid("CONTRACT-PERCENT", _("Write a percentage above -100 and below 1000."))
    if step is not None and step <= 0:
        raise Invalid("CONTRACT-STEP", _("The step to round to must be above zero."))
    query = select(ContractPrice).where(ContractPrice.contract_id == contract.id, ContractPrice.kind == "fixed")
    changed = [(row, _raised(row.value, percent, step, rounding, contract.currency)) for row in db.session.scalars(query)]
    changed = [(row, value) for row, value in changed if value != row.value]
    if seen:
        refuse_moved(((contract.id, row.target, row.unit, row.min_quantity, row.valid_from) for row, _new in changed), seen)
    if apply and changed:
        head = header(contract)
        staged = [
            Staged(n, head, row.product_id, row.category_id, row.unit, row.min_quantity, row.valid_from, {"value": value})
            for n, (row, value) in enumerate(changed)
        ]
        with write():
            refuse_moved((row.key for row in staged), seen)  # once more, now that nobody else writes
            saved = Saver(staged).save(means="percent", note=f"{percent:f}")
            if saved.problems:
                raise Invalid("CONTRACT-PERCENT", next(iter(saved.problems.values())).message)
            record(contract.code, "prices changed by percent", None, {"percent": percent, "rows": len(staged)})
    return changed


def fixed_prices(contract: Contract) -> int:
    """Return how many fixed prices the contract has."""
    mine = (ContractPrice.contract_id == contract.id, ContractPrice.kind == "fixed")
    return db.session.scalar(select(func.count()).select_from(ContractPrice).where(*mine)) or 0


def refuse_moved(keys: Iterable[Key], seen: Mark | None) -> None:
    """Raise Conflict where somebody else changed one of the rows since ``seen``, the mark of the page that showed them."""
    moved = meanwhile.moved(keys, seen) if seen else {}
    if moved:
        said = ngettext(
            "%(count)s price was changed meanwhile by somebody else. Look at the new prices below, then save again.",
            "%(count)s prices were changed meanwhile by somebody else. Look at the new prices below, then save again.",
            len(moved),
        )
        raise Conflict("CONTRACT-CHANGED", said)


def _raised(value: Decimal, percent: Decimal, step: Decimal | None, rounding: str, currency: str) -> Decimal:
    raised = value * (HUNDRED + percent) / HUNDRED
    if step is None:
        places = max(minor_digits(currency), _places(value))
        return (
            round_to(raised, places)
            if rounding == "half_up"
            else raised.quantize(Decimal(1).scaleb(-places), ROUNDINGS[rounding])
        )
    return (raised / step).quantize(Decimal(1), ROUNDINGS[rounding]) * step


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def copy_contract(contract: Contract, values: Mapping[str, Any], percent: Decimal = ZERO) -> Contract:
    """Return a new contract with the head ``values`` and all rows of another, fixed prices changed by ``percent``."""
    with write() as session:
        copy = save_head(None, values)
        source = select(*[getattr(ContractPrice, name) for name in _COPIED]).where(ContractPrice.contract_id == contract.id)
        rows = [{**row._mapping, "contract_id": copy.id} for row in session.execute(source)]
        deeds = write_deeds("copy", contract.code, {copy.id: Counts(len(rows))} if rows else {})
        for row in rows:
            row["deed_id"] = deeds[copy.id]
            if percent and row["kind"] == "fixed":
                row["value"] = _raised(row["value"], percent, None, "half_up", copy.currency)
        if rows:
            session.execute(insert(ContractPrice), rows)
        limits = select(*[getattr(OrderLimit, name) for name in _COPIED_LIMITS])
        found = session.execute(limits.where(OrderLimit.contract_id == contract.id))
        if quantities := [{**row._mapping, "contract_id": copy.id} for row in found]:
            session.execute(insert(OrderLimit), quantities)
        record(copy.code, "copied", None, {"from": contract.code, "rows": len(rows)})
    return copy


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
    entry = last_deletion(contract)
    if entry is None or not entry.before:
        raise Conflict("UNDO-GONE", _("There is nothing to take back any more."))
    head = header(contract)
    staged = [staged_from(n, head, row) for n, row in enumerate(entry.before["rows"])]
    with write():
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
