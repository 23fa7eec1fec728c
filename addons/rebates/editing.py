"""Create and change rebates; the ledger follows at once, so that what accrued is always by the terms of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.catalog import Product
from core.api.companies import lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations

from . import ledger
from .models import Entry, Rebate, Settlement, Step, Target

_, _l, ngettext, _p = translations(__name__)
OWNER = "rebates"
HUNDRED, LIMIT = Decimal(100), Decimal(10**12)
MOST_STEPS, MOST_TARGETS = 20, 500
#: What stays once a period was settled, or lines were counted.
BOUND = ("company_id", "currency", "period", "starts")
_FIELDS = {"company_id": "company"}
Steps = Sequence[tuple[Decimal, Decimal]]


def by_code(code: str) -> Rebate:
    """Return the rebate with ``code``; NotFound if there is none."""
    found = db.session.scalar(select(Rebate).where(Rebate.code == code))
    if found is None:
        raise NotFound("REBATE-UNKNOWN", _('There is no rebate with the code "%(code)s".', code=code[:40]))
    return found


def save(rebate: Rebate | None, values: Mapping[str, Any], version: int | None = None) -> Rebate:
    """Create or change a rebate with its ``steps``, ``products`` and ``categories`` (ids), and bring its ledger up to date.

    Invalid names the field, Conflict where somebody changed it since ``version``.
    """
    check(values)
    columns = {name: value for name, value in values.items() if name not in ("steps", "products", "categories")}
    now = clock.now()
    with write() as session:
        lock_company(values["company_id"])  # nobody whose purchases count confirms meanwhile
        if rebate is None:
            if db.session.scalar(select(Rebate.id).where(Rebate.code == values["code"])):
                raise invalid("code", _('There is a rebate with the code "%(code)s" already.', code=values["code"]))
            rebate = Rebate(**columns, created_at=now, updated_at=now)
            session.add(rebate)
            before: dict[str, Any] | None = None
        else:
            rebate = session.get(Rebate, rebate.id, populate_existing=True) or rebate
            if version is not None and version != rebate.version:
                text = _("Somebody else has changed this rebate meanwhile. Look at it again, then save.")
                raise Conflict("REBATE-CHANGED", text)
            _bound(rebate, values)
            before = {**{name: getattr(rebate, name) for name in columns}, "steps": _said(rebate.steps)}
            for name, value in columns.items():
                setattr(rebate, name, value)
            rebate.updated_at = now
            rebate.steps.clear()
            rebate.targets.clear()
            session.flush()
        rebate.steps = [Step(threshold=threshold, value=value) for threshold, value in sorted(values["steps"])]
        rebate.targets = [
            *(Target(product_id=found) for found in values["products"]),
            *(Target(category_id=found) for found in values["categories"]),
        ]
        session.flush()
        if rebate.status != "draft":
            ledger.post_all(rebate)
        after = {**columns, "steps": _said(rebate.steps), "targets": len(rebate.targets)}
        audit.record(
            "rebate", rebate.code, "created" if before is None else "changed", company_id=rebate.company_id,
            before=before, after=after, addon=OWNER,
        )  # fmt: skip
    return rebate


def _said(steps: Sequence[Step]) -> list[str]:
    return [f"{step.threshold.normalize():f}: {step.value.normalize():f}" for step in steps]


def check(values: Mapping[str, Any]) -> None:
    """Refuse what cannot be meant."""
    steps: Steps = values["steps"]
    if not 0 < len(steps) <= MOST_STEPS:
        raise invalid("steps", _("Write 1 to %(count)s steps.", count=MOST_STEPS))
    if len({threshold for threshold, _value in steps}) != len(steps):
        raise invalid("steps", _("Two steps begin at the same threshold."))
    for threshold, value in steps:
        if not 0 <= threshold < LIMIT or not 0 < value < LIMIT:
            raise invalid("steps", _("A step begins at zero or more and gives more than nothing."))
        if values["kind"] == "percent" and value >= HUNDRED:
            raise invalid("steps", _("A percent lies above 0 and below 100."))
    gives = [value for _threshold, value in sorted(steps)]
    if gives != sorted(gives):
        raise invalid("steps", _("A higher step gives at least as much as the one below it."))
    if values["mode"] == "prospective" and (values["basis"] == "net") != (values["kind"] == "percent"):
        text = _("Only above the threshold goes with a percent of turnover, or with an amount per unit of a quantity.")
        raise invalid("mode", text)
    needs_unit = values["basis"] == "quantity" or values["kind"] == "amount"
    if needs_unit and not values["unit"]:
        raise invalid("unit", _("Say in which base unit quantities are counted."))
    if not needs_unit and values["unit"]:
        raise invalid("unit", _("Turnover counts whatever the unit: leave it empty."))
    if needs_unit and db.session.scalar(select(Product.id).where(Product.base_unit == values["unit"]).limit(1)) is None:
        raise invalid("unit", _("No product has the base unit “%(unit)s”.", unit=values["unit"][:20]))
    if values["ends"] is not None and values["ends"] <= values["starts"]:
        raise invalid("ends", _("The last day is before the first."))
    if len(values["products"]) + len(values["categories"]) > MOST_TARGETS:
        raise invalid(
            "skus", _("At most %(count)s articles and categories; a category takes all below it.", count=MOST_TARGETS)
        )


def _bound(rebate: Rebate, values: Mapping[str, Any]) -> None:
    changed = [name for name in BOUND if values[name] != getattr(rebate, name)]
    if changed and db.session.scalar(select(Entry.id).where(Entry.rebate_id == rebate.id).limit(1)) is not None:
        text = _("Orders count for it already: company, currency, period and first day stay. Make another rebate.")
        raise invalid(_FIELDS.get(changed[0], changed[0]), text)
    settled = select(Settlement.id).where(Settlement.rebate_id == rebate.id, Settlement.state == "accepted").limit(1)
    if db.session.scalar(settled) is None:
        return
    if values["status"] == "draft":
        raise invalid("status", _("It was settled already, so it cannot become a draft again; end it."))
    if _terms(values) != _terms(as_values(rebate)):
        text = _("A period was settled by these terms. End this rebate, and make another for the periods to come.")
        raise invalid("steps", text)


def as_values(rebate: Rebate) -> dict[str, Any]:
    """Return a rebate as ``save`` takes it."""
    names = (
        "code", "name", "company_id", "currency", "period", "starts", "ends", "basis", "unit", "kind", "mode", "status",
        "note",
    )  # fmt: skip
    return {
        **{name: getattr(rebate, name) for name in names},
        "steps": [(step.threshold, step.value) for step in rebate.steps],
        "products": [t.product_id for t in rebate.targets if t.product_id],
        "categories": [t.category_id for t in rebate.targets if t.category_id],
    }


def _terms(values: Mapping[str, Any]) -> tuple[Any, ...]:
    several = (sorted(values[name]) for name in ("steps", "products", "categories"))
    return *(values[name] for name in ("basis", "unit", "kind", "mode")), *several


def invalid(field: str, message: str) -> Invalid:
    """Return the refusal for a field of the form and the import."""
    return Invalid("REBATE-INVALID", message, details={"field": field})
