"""Import, export and rules of the minimum, step and packages of contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, delete, select

from core.api.catalog import Category, Product, ProductUnit
from core.api.data import db, write
from core.api.hooks import DataImport, ImportField, ImportRow, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, Upsert, codes

from .models import Contract, OrderLimit, target_of
from .permissions import EDIT
from .rules import LIMIT
from .saving import record

_, _l, ngettext, _p = translations(__name__)
_THINGS = {"contract": _l("contract"), "sku": _l("product"), "category": _l("category")}
MOST_PACKAGES = 20


def load_limits(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert how products may be ordered, by contract and product, category or neither (all of them)."""
    batch = Batch(rows, "contract", "sku", "category")
    known = {
        "contract": codes(Contract.code, Contract.id, batch.all("contract")),
        "sku": codes(Product.sku, Product.id, batch.all("sku")),
        "category": codes(Category.code, Category.id, batch.all("category")),
    }
    units = _units(known["sku"].values())
    table = Upsert(OrderLimit, ("contract_id", "target")).read(OrderLimit.contract_id.in_(known["contract"].values()))
    for row in batch:
        found = _read(batch, row, known, units)
        if found is not None:
            key, values = found
            if not any({**(table.get(*key) or {}), **values}.get(name) for name in ("minimum", "step", "packages")):
                batch.fail(row, "minimum", _("Write a minimum, a step or the packages that may be ordered."))
                continue
            fresh = {"unit": "", "minimum": None, "step": None, "packages": []}
            batch.done(row, table.put(key, values, new=fresh))
    table.flush()
    return batch.results()


def _read(
    batch: Batch, row: ImportRow, known: Mapping[str, Mapping[str, int]], units: Mapping[int, set[str]]
) -> tuple[tuple[int, int], dict[str, Any]] | None:
    given = row.values
    for name, found in known.items():
        if name in given and given[name] not in found:
            batch.unknown(row, name, str(_THINGS[name]))
            return None
    if "sku" in given and "category" in given:
        batch.fail(row, "category", _("Name a product or a category, not both."))
        return None
    product, category = known["sku"].get(given.get("sku", "")), known["category"].get(given.get("category", ""))
    for name in ("minimum", "step"):
        if given.get(name) is not None and not 0 < given[name] < LIMIT:
            batch.fail(row, name, _("Write a quantity above 0, or leave it empty."))
            return None
    sold = units.get(product or 0)
    named = [*given.get("packages", ()), *([given["unit"]] if given.get("unit") else [])]
    strange = next((unit for unit in named if sold is not None and unit not in sold), None)
    if strange is not None:
        batch.fail(row, "unit", _("The product is not sold in “%(unit)s”; import the unit first.", unit=strange))
        return None
    if len(named) > MOST_PACKAGES:
        batch.fail(row, "packages", _("Name at most %(count)s packages.", count=MOST_PACKAGES))
        return None
    values: dict[str, Any] = {name: given[name] for name in ("unit", "minimum", "step") if name in given}
    if "packages" in given:
        values["packages"] = list(dict.fromkeys(given["packages"]))
    values |= {"product_id": product, "category_id": category}
    return (known["contract"][given["contract"]], target_of(product, category)), values


def _units(product_ids: Any) -> dict[int, set[str]]:
    wanted = list(product_ids)
    found: dict[int, set[str]] = {}
    for product_id, base in db.session.execute(select(Product.id, Product.base_unit).where(Product.id.in_(wanted))):
        found[product_id] = {base}
    query = select(ProductUnit.product_id, ProductUnit.unit).where(ProductUnit.product_id.in_(wanted))
    for product_id, unit in db.session.execute(query):
        found[product_id].add(unit)
    return found


def limits_of(contract_id: int | None = None) -> Select[Any]:
    """Return the statement of the rows of one contract, or of all: the row, and the codes of what it is for."""
    query = (
        select(OrderLimit, Contract.code, Product.sku, Category.code)
        .join(Contract, Contract.id == OrderLimit.contract_id)
        .outerjoin(Product, Product.id == OrderLimit.product_id)
        .outerjoin(Category, Category.id == OrderLimit.category_id)
        .order_by(Contract.code, Product.sku, Category.code)
    )
    return query if contract_id is None else query.where(OrderLimit.contract_id == contract_id)


def export_limits() -> Iterator[dict[str, Any]]:
    """Yield the rows of all contracts, as the import takes them."""
    for limit, contract, sku, category in db.session.execute(limits_of()):
        yield {
            "contract": contract, "sku": sku, "category": category, "unit": limit.unit, "minimum": limit.minimum,
            "step": limit.step, "packages": limit.packages,
        }  # fmt: skip


def save(contract: Contract, values: Mapping[str, Any]) -> dict[str, str]:
    """Set one row of a contract as the import does; returns what is wrong by field, nothing where it is saved."""
    with write():
        given = {name: value for name, value in values.items() if value not in (None, "")}
        given |= {name: values.get(name) for name in ("minimum", "step")} | {"packages": values.get("packages") or []}
        given |= {"unit": values.get("unit") or ""}
        result = load_limits([ImportRow(1, {"contract": contract.code, **given})])[0]
        if result.outcome == "error":
            return {result.field or "target": str(result.message)}
        if result.outcome != "unchanged":
            record(contract.code, "quantities set", None, {name: _plain(value) for name, value in given.items()})
    return {}


def remove(contract: Contract, target: int) -> bool:
    """Take one row out; tells whether there was one."""
    with write() as session:
        mine = (OrderLimit.contract_id == contract.id, OrderLimit.target == target)
        gone = session.execute(delete(OrderLimit).where(*mine)).rowcount
        if gone:
            record(contract.code, "quantities removed", {"target": target}, None)
    return bool(gone)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


LIMITS = DataImport(
    kind="contract_quantities",
    title=_l("Quantities of contracts"),
    key=("contract", "sku", "category"),
    fields=(
        ImportField("contract", required=True, max_length=40),
        ImportField("sku", max_length=80),
        ImportField("category", max_length=60),
        ImportField("unit", max_length=20),
        ImportField("minimum", "decimal"),
        ImportField("step", "decimal"),
        ImportField("packages", "list"),
    ),
    load=load_limits,
    permission=EDIT,
    export=export_limits,
    order=230,
)
