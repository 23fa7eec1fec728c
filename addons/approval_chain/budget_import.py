"""Import and export of budgets, and of the cost centres of orders that were placed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from core.api.companies import Company
from core.api.data import db
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch
from core.api.orders import Order, OrderLine

from . import budgets, ledger
from .centre_models import CostCentre, LineCentre
from .ledger_models import CARRY, MODES, PERIODS, Budget
from .permissions import LIMITS

_, _l, ngettext, _p = translations(__name__)
_FIELDS = {"amount": "amount", "currency": "currency"}


def load_budgets(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Set budgets by company and cost centre, each as on its page; a row that says what is set already changes nothing."""
    batch = Batch(rows, "company", "cost_centre")
    companies = {c.code: c for c in db.session.scalars(select(Company).where(Company.code.in_(batch.all("company"))))}
    centres = _centres([c.id for c in companies.values()])
    known = budgets.in_force(c.id for c in centres.values())
    ready = []
    for row in batch:
        company = companies.get(row.values["company"])
        if company is None:
            batch.unknown(row, "company", _("company"))
        elif (company.id, row.values["cost_centre"]) not in centres:
            batch.unknown(row, "cost_centre", _("cost centre"))
        elif centres[company.id, row.values["cost_centre"]].id not in known and not batch.require(row, "amount"):
            continue
        else:
            ready.append((row, company, centres[company.id, row.values["cost_centre"]]))
    for row, company, centre in sorted(ready, key=lambda x: x[1].id):  # companies are locked in one order
        _set(batch, row, company, centre, known.get(centre.id))
    return batch.results()


def _set(batch: Batch, row: ImportRow, company: Company, centre: CostCentre, shown: budgets.Shown | None) -> None:
    """Set one budget where the row says another than is in force."""
    before = _said(shown) if shown else {}
    default = {"period": "month", "mode": "require", "carry_over": "none", "currency": company.currency}
    given = {name: value for name, value in row.values.items() if name not in ("company", "cost_centre")}
    values = {**default, **before, **given}
    if before and all(values[name] == before[name] for name in before):
        batch.done(row, "unchanged")
        return
    try:
        budgets.save(centre, company, values)
    except Invalid as error:
        batch.fail(row, _FIELDS.get(str((error.details or {}).get("field")), "amount"), error.message)
        return
    batch.done(row, "updated" if before else "created")


def _said(shown: budgets.Shown) -> dict[str, Any]:
    b = shown.budget
    return {
        "period": b.period, "amount": shown.standing.amount, "currency": b.currency, "mode": b.mode,
        "carry_over": b.carry_over,
    }  # fmt: skip


def export_budgets() -> Iterator[dict[str, Any]]:
    """Yield the budgets in force by company and cost centre."""
    query = (
        select(Company.code.label("company"), CostCentre.code, CostCentre.id)
        .join(Company, Company.id == CostCentre.company_id)
        .join(Budget, Budget.cost_centre_id == CostCentre.id)
        .where(Budget.active)
        .order_by(Company.code, CostCentre.code)
    )
    rows = db.session.execute(query).all()
    shown = budgets.in_force(row.id for row in rows)
    for row in rows:
        yield {"company": row.company, "cost_centre": row.code, **_said(shown[row.id])}


def load_order_centres(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Put lines of placed orders (or all of an order's, without a line) on cost centres, and enter them in the ledger."""
    batch = Batch(rows, "order", "line")
    found = select(Order).where(Order.number.in_(batch.all("order")), Order.state != "cart")
    orders = {order.number: order for order in db.session.scalars(found)}
    ids = [order.id for order in orders.values()]
    lines = _lines(ids)
    centres = _centres({order.company_id for order in orders.values()})
    before = {x.line_id: x.code for x in db.session.scalars(select(LineCentre).where(LineCentre.order_id.in_(ids)))}
    wanted: dict[int, dict[str, Any]] = {}
    for row in batch:
        order = orders.get(row.values["order"])
        if order is None:
            batch.unknown(row, "order", _("order"))
            continue
        centre = centres.get((order.company_id, row.values["cost_centre"]))
        if centre is None:
            batch.unknown(row, "cost_centre", _("cost centre"))
            continue
        mine = [x for x in lines.get(order.id, []) if row.values.get("line") in (None, x.position)]
        if not mine:
            batch.unknown(row, "line", _("line"))
            continue
        changed = [line for line in mine if before.get(line.id) != centre.code]
        for line in changed:
            wanted[line.id] = {
                "order_id": order.id, "line_id": line.id, "position": line.position, "company_id": order.company_id,
                "cost_centre_id": centre.id, "code": centre.code, "name": centre.name,
            }  # fmt: skip
        new = not any(line.id in before for line in mine)
        batch.done(row, "created" if changed and new else "updated" if changed else "unchanged")
    if wanted:
        db.session.execute(delete(LineCentre).where(LineCentre.line_id.in_(wanted)))
        db.session.execute(insert(LineCentre), list(wanted.values()))
        ledger.post(sorted({row["order_id"] for row in wanted.values()}))
    return batch.results()


def _lines(order_ids: Sequence[int]) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    query = select(OrderLine.id, OrderLine.order_id, OrderLine.position).where(OrderLine.order_id.in_(order_ids))
    for row in db.session.execute(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def _centres(company_ids: Any) -> dict[tuple[int, str], CostCentre]:
    rows = db.session.scalars(select(CostCentre).where(CostCentre.company_id.in_(list(company_ids))))
    return {(row.company_id, row.code): row for row in rows}


def export_order_centres() -> Iterator[dict[str, Any]]:
    """Yield the cost centre of every line of placed orders."""
    query = (
        select(Order.number, LineCentre.position, LineCentre.code)
        .join(Order, Order.id == LineCentre.order_id)
        .where(Order.state != "cart")
        .order_by(Order.id, LineCentre.position)
    )
    for number, position, code in db.session.execute(query.execution_options(yield_per=1000)):
        yield {"order": number, "line": position, "cost_centre": code}


BUDGETS = DataImport(
    kind="budgets",
    title=_l("Budgets of cost centres"),
    key=("company", "cost_centre"),
    fields=(
        ImportField("company", required=True, max_length=40, help=_l("Code of the company")),
        ImportField("cost_centre", required=True, max_length=40),
        ImportField("period", "choice", choices=PERIODS),
        ImportField("amount", "decimal", scale=4),
        ImportField("currency", max_length=3),
        ImportField("mode", "choice", choices=MODES),
        ImportField("carry_over", "choice", choices=CARRY),
        ImportField("starts", "date", help=_l("A day of the first period; empty: the present one.")),
    ),
    load=load_budgets,
    permission=LIMITS,
    export=export_budgets,
)
ORDER_CENTRES = DataImport(
    kind="order_cost_centres",
    title=_l("Cost centres of placed orders"),
    key=("order", "line"),
    fields=(
        ImportField("order", required=True, max_length=30),
        ImportField("line", "integer", help=_l("Empty: all lines of the order")),
        ImportField("cost_centre", required=True, max_length=40),
    ),
    load=load_order_centres,
    permission=LIMITS,
    export=export_order_centres,
)
