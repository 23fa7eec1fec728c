"""Import and export of contracts and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.api.catalog import Category, Product, ProductUnit
from core.api.companies import Company, Segment, checked_country, seller
from core.api.data import clock, db, end_of_day, locked, start_of_day
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, Upsert, codes, tried_at
from core.api.jobs import emit
from core.api.pricing import BEGINNING, checked_currency

from . import meanwhile
from .days import first_day, last_day
from .deeds import by_import
from .formula_columns import FORMULA, formula_columns, terms_of, wrong_base
from .formulas import CONTRACT, MODES
from .head_rules import bound_to_currency, checked_code, currency_stays
from .limit_rows import LIMITS
from .models import (
    AUDIENCES,
    BELOW_FIRST,
    BREAKS,
    COUNTS,
    DATE_BASES,
    KINDS,
    PERIODS,
    POLICIES,
    STATUSES,
    Contract,
    ContractPrice,
)
from .permissions import EDIT
from .saving import Header, Saver, Staged
from .values import PRODUCT_VALUES

_, _l, ngettext, _p = translations(__name__)
ZERO = Decimal(0)
#: What the codes in a row stand for; lazy, since a file has many rows and few of them name something unknown.
_THINGS = {"contract": _l("contract"), "sku": _l("product"), "category": _l("category")}
#: Fields of a contract that are taken over as they are.
_FIELDS = (
    "name", "merge_policy", "priority", "note", "status", "country", "show_list", "allow_inverted", "below_first", "closes",
    "date_basis", "breaks", "counts",
)  # fmt: skip
NOT_OF_A_LINE = _l("Earlier orders count for a product or its family: say which of them counts towards a break.")
COMPUTED = _l("A formula stands here: write the kind “fixed” to put a price in its place, or “formula” to change it.")
#: The word for orders before that do not count, in files.
NO_PERIOD = "none"
_DEFAULTS: dict[str, Any] = {
    "merge_policy": "override", "priority": 0, "valid_from": BEGINNING, "valid_until": None, "status": "active",
    "note": "", "country": "", "company_id": None, "segment_id": None, "show_list": False, "allow_inverted": False,
    "below_first": "none", "closes": False, "date_basis": "order", "breaks": "whole", "counts": "line", "period": "",
}  # fmt: skip


def load_contracts(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert contracts by code; the last day is included."""
    batch, zone = Batch(rows, "code"), seller().zone
    companies = codes(Company.code, Company.id, batch.all("company"))
    segments = codes(Segment.code, Segment.id, batch.all("segment"))
    table = Upsert(Contract, ("code",)).read(Contract.code.in_(batch.all("code")))
    moving = (row.values["code"] for row in batch if _moves_currency(row, table.get(row.values["code"])))
    bound, changed = bound_to_currency(moving), []
    for row in batch:
        known = table.get(row.values["code"])
        if known and row.values["code"] in bound and _moves_currency(row, known):
            batch.fail(row, "currency", currency_stays(known["currency"]))
            continue
        values = _contract_values(batch, row, companies, segments, zone, known)
        if values is None:
            continue
        now = clock.now()
        outcome = table.put(
            (row.values["code"],), values, new={**_DEFAULTS, "created_at": now, "updated_at": now}, touch={"updated_at": now}
        )
        changed += [row.values["code"]] if outcome != "unchanged" else []
        batch.done(row, outcome)
    table.flush()
    if changed:
        emit("price.changed", {"source": "pricing_contract", "contracts": changed})
    return batch.results()


def _moves_currency(row: ImportRow, known: Mapping[str, Any] | None) -> bool:
    wanted = row.values.get("currency")
    return known is not None and wanted is not None and wanted.upper() != known["currency"]


def _contract_values(
    batch: Batch,
    row: ImportRow,
    companies: Mapping[str, int],
    segments: Mapping[str, int],
    zone: str,
    known: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    given = row.values
    if known is None and not batch.require(row, "name", "audience"):
        return None
    values: dict[str, Any] = {name: given[name] for name in _FIELDS if name in given}
    audience = given.get("audience") or (known or {}).get("audience")
    values["audience"] = audience
    for name, found, thing in (("company", companies, _("company")), ("segment", segments, _("segment"))):
        if name in given and given[name] not in found:
            batch.unknown(row, name, thing)
            return None
        wanted = found.get(given[name]) if name in given else (known or {}).get(f"{name}_id")
        values[f"{name}_id"] = wanted if audience == name else None
        if audience == name and wanted is None:
            batch.fail(row, name, _("The audience is “%(audience)s”, so say which.", audience=audience))
            return None
    if "period" in given:
        values["period"] = "" if given["period"] == NO_PERIOD else given["period"]
    whole = {**_DEFAULTS, **(known or {}), **values}
    if whole["period"] and whole["counts"] == "line":
        batch.fail(row, "period", NOT_OF_A_LINE)
        return None
    if audience == "location" and not (values.get("country") or (known or {}).get("country")):
        batch.fail(row, "country", _("The audience is “%(audience)s”, so say which.", audience=audience))
        return None
    field = "code"
    try:
        if known is None:
            checked_code(given["code"])
            values["currency"] = ""
        for field, checked in (("country", checked_country), ("currency", checked_currency)):
            if field in given:
                values[field] = checked(given[field])
    except Invalid as error:
        batch.fail(row, field, error.message)
        return None
    return values if _validity(batch, row, values, zone, known) else None


def _validity(batch: Batch, row: ImportRow, values: dict[str, Any], zone: str, known: Mapping[str, Any] | None) -> bool:
    if "valid_from" in row.values:
        values["valid_from"] = start_of_day(row.values["valid_from"], zone)
    if "valid_until" in row.values:
        values["valid_until"] = end_of_day(row.values["valid_until"], zone)
    whole = {**_DEFAULTS, **(known or {}), **values}
    if whole["valid_until"] is not None and whole["valid_until"] <= whole["valid_from"]:
        batch.fail(row, "valid_until", _("The last day is before the first."))
        return False
    return True


def export_contracts() -> Iterator[dict[str, Any]]:
    """Yield the contracts by code."""
    zone = ZoneInfo(seller().zone)
    query = (
        select(Contract, Company.code.label("company"), Segment.code.label("segment"))
        .outerjoin(Company, Company.id == Contract.company_id)
        .outerjoin(Segment, Segment.id == Contract.segment_id)
        .order_by(Contract.code)
    )
    for contract, company, segment in db.session.execute(query):
        yield {
            "code": contract.code, "name": contract.name, "audience": contract.audience, "company": company,
            "segment": segment, "country": contract.country, "currency": contract.currency,
            "merge_policy": contract.merge_policy, "priority": contract.priority, "status": contract.status,
            "valid_from": first_day(contract.valid_from, zone), "valid_until": last_day(contract.valid_until, zone),
            "note": contract.note, "below_first": contract.below_first, "closes": contract.closes,
            "date_basis": contract.date_basis, "show_list": contract.show_list, "allow_inverted": contract.allow_inverted,
            "breaks": contract.breaks, "counts": contract.counts, "period": contract.period or NO_PERIOD,
        }  # fmt: skip


def load_prices(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert rows of contracts. A row names a product, a category, or neither: then it is for everything."""
    batch, zone = Batch(rows, "contract", "sku", "category", "unit", "min_quantity", "from"), seller().zone
    contracts = _headers(batch.all("contract") | {base.removeprefix(CONTRACT) for base in batch.all("base")})
    products = codes(Product.sku, Product.id, batch.all("sku"))
    categories = codes(Category.code, Category.id, batch.all("category"))
    units = _units(products.values())
    staged, by_number = [], {}
    for row in batch:
        found = _staged(batch, row, contracts, products, categories, units, zone)
        if found is not None:
            staged.append(found)
            by_number[row.number] = row
    for line, said in _unseen(staged).items():
        batch.fail(by_number.pop(line), "value", said)
    saver = Saver([row for row in staged if row.tag in by_number])
    before = {row.tag: saver.existing(row.key) for row in saver.staged}
    computed = [tag for tag, row in before.items() if row and row["kind"] == "formula"]
    for line in [tag for tag in computed if "kind" not in by_number[tag].values]:
        batch.fail(by_number.pop(line), "kind", COMPUTED)
    saver.staged = [row for row in saver.staged if row.tag in by_number]
    means, note = by_import()
    saved = saver.save(means=means, note=note)
    replaced = {tag: row for tag, row in before.items() if row and saved.outcomes.get(tag) == "updated"}
    told = meanwhile.by_hand(replaced, {one.id: one.currency for one in contracts.values()})
    for line, row in by_number.items():
        problem = saved.problems.get(line)
        if problem:
            batch.fail(row, problem.field, problem.message)
        elif line in saved.outcomes:
            batch.done(row, saved.outcomes[line], told.get(line, ""))  # type: ignore[arg-type]
    return batch.results()


def _unseen(staged: Sequence[Staged]) -> dict[Any, str]:
    """Return why rows are left out, by tag: somebody else changed them since the file was tried."""
    tried = tried_at()
    moved = meanwhile.moved((row.key for row in staged), meanwhile.Mark(0, tried)) if tried else {}
    clashing = [row for row in staged if row.key in moved and moved[row.key].differs(row.values)]
    return {row.tag: _late(moved[row.key].sentence(row.contract.currency)) for row in clashing}


def _late(what: str) -> str:
    return _("%(what)s That was after this file was tried. Try the file again to see what it would do now.", what=what)


def _headers(wanted: set[str]) -> dict[str, Header]:
    """Return contracts by code; nobody else writes prices of theirs until the batch is written."""
    query = select(Contract.id, Contract.code, Contract.currency, Contract.allow_inverted).where(Contract.code.in_(wanted))
    return {row.code: Header(*row) for row in db.session.execute(locked(query.order_by(Contract.id)))}


def _units(product_ids: Any) -> dict[int, list[str]]:
    """Return the units of each product, its base unit first."""
    wanted = set(product_ids)
    found: dict[int, list[str]] = {}
    for product_id, base in db.session.execute(select(Product.id, Product.base_unit).where(Product.id.in_(wanted))):
        found[product_id] = [base]
    query = select(ProductUnit.product_id, ProductUnit.unit).where(ProductUnit.product_id.in_(wanted))
    for product_id, unit in db.session.execute(query.order_by(ProductUnit.position)):
        if unit not in found[product_id]:
            found[product_id].append(unit)
    return found


def _staged(
    batch: Batch,
    row: ImportRow,
    contracts: Mapping[str, Header],
    products: Mapping[str, int],
    categories: Mapping[str, int],
    units: Mapping[int, list[str]],
    zone: str,
) -> Staged | None:
    given = row.values
    for name, found in (("contract", contracts), ("sku", products), ("category", categories)):
        if name in given and given[name] not in found:
            batch.unknown(row, name, str(_THINGS[name]))
            return None
    contract = contracts[given["contract"]]
    if "sku" in given and "category" in given:
        batch.fail(row, "category", _("Name a product or a category, not both."))
        return None
    if "currency" in given and given["currency"].upper() != contract.currency:
        held = contract.currency or "—"
        said = _("The contract is in %(currency)s; make another contract for another currency.", currency=held)
        batch.fail(row, "currency", said)
        return None
    product = products.get(given.get("sku", ""))
    kind = given.get("kind", "fixed")
    unit = given.get("unit", "")
    if product is not None and not unit and kind == "fixed":
        unit = units[product][0]
    if product is not None and unit and unit not in units[product]:
        batch.fail(row, "unit", _("The product is not sold in “%(unit)s”; import the unit first.", unit=unit))
        return None
    values = {name: given[name] for name in ("kind", "value", "per") if name in given}
    if any(name in given for name in FORMULA):
        wrong = wrong_base(given, contracts, contract.code)
        if wrong:
            batch.fail(row, *wrong)
            return None
        try:
            values["terms"] = terms_of(given)
        except Invalid as refused:
            batch.fail(row, "percents", refused.message)
            return None
    if "until" in given:
        values["valid_until"] = end_of_day(given["until"], zone)
    return Staged(
        tag=row.number,
        contract=contract,
        product_id=product,
        category_id=categories.get(given.get("category", "")),
        unit=unit,
        min_quantity=given.get("min_quantity", ZERO),
        valid_from=start_of_day(given["from"], zone) if "from" in given else BEGINNING,
        values=values,
    )


def export_prices() -> Iterator[dict[str, Any]]:
    """Yield the rows of all contracts, in the order of their keys."""
    return prices_of()


def prices_of(contract_id: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of one contract, or of all, as the import takes them."""
    zone = ZoneInfo(seller().zone)
    query = (
        select(ContractPrice, Contract.code, Contract.currency, Product.sku, Category.code)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .outerjoin(Product, Product.id == ContractPrice.product_id)
        .outerjoin(Category, Category.id == ContractPrice.category_id)
        .order_by(Contract.code, Product.sku, Category.code, ContractPrice.unit, ContractPrice.min_quantity)
        .execution_options(yield_per=1000)
    )
    if contract_id is not None:
        query = query.where(ContractPrice.contract_id == contract_id)
    for price, contract, currency, sku, category in db.session.execute(query):
        yield {
            "contract": contract, "sku": sku, "category": category, "unit": price.unit, "currency": currency,
            "min_quantity": price.min_quantity, "from": first_day(price.valid_from, zone), "kind": price.kind,
            "value": price.value, "per": price.per, "until": last_day(price.valid_until, zone),
            **formula_columns(price.terms),
        }  # fmt: skip


CONTRACTS = DataImport(
    kind="contracts",
    title=_l("Contracts"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=40),
        ImportField("name", max_length=200),
        ImportField("audience", "choice", choices=AUDIENCES),
        ImportField("company", max_length=40),
        ImportField("segment", max_length=40),
        ImportField("country", "country"),
        ImportField("currency", max_length=3),
        ImportField("merge_policy", "choice", choices=POLICIES),
        ImportField("priority", "integer"),
        ImportField("valid_from", "date"),
        ImportField("valid_until", "date"),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("note", lines=True),
        ImportField("below_first", "choice", choices=BELOW_FIRST),
        ImportField("closes", "boolean"),
        ImportField("date_basis", "choice", choices=DATE_BASES),
        ImportField("show_list", "boolean"),
        ImportField("allow_inverted", "boolean"),
        ImportField("breaks", "choice", choices=BREAKS),
        ImportField("counts", "choice", choices=COUNTS),
        ImportField("period", "choice", choices=(NO_PERIOD, *PERIODS[1:])),
    ),
    load=load_contracts,
    permission=EDIT,
    export=export_contracts,
    order=210,
)
CONTRACT_PRICES = DataImport(
    kind="contract_prices",
    title=_l("Contract prices"),
    key=("contract", "sku", "category", "unit", "currency", "min_quantity", "from"),
    fields=(
        ImportField("contract", required=True, max_length=40),
        ImportField("sku", max_length=80),
        ImportField("category", max_length=60),
        ImportField("unit", max_length=20),
        ImportField("currency", max_length=3),
        ImportField("min_quantity", "decimal"),
        ImportField("from", "date"),
        ImportField("kind", "choice", choices=KINDS),
        ImportField("value", "decimal", required=True),
        ImportField("per", "decimal"),
        ImportField("until", "date"),
        ImportField("base", max_length=60),
        ImportField("percents", "list", repeats=True),
        ImportField("additive", "boolean"),
        ImportField("round_to", "decimal"),
        ImportField("round_mode", "choice", choices=tuple(MODES)),
        ImportField("surcharge", "decimal"),
        ImportField("min_margin", "decimal"),
        ImportField("max_margin", "decimal"),
    ),
    load=load_prices,
    permission=EDIT,
    export=export_prices,
    order=220,
)


IMPORTS = (PRODUCT_VALUES, CONTRACTS, CONTRACT_PRICES, LIMITS)
