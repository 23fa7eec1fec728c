"""Back-office pages of the history of contracts: who changed which rows, when, from what to what, by which means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment, seller
from core.api.data import db
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.ui import ExportColumn, export_response, requires

from . import past
from .days import first_day, last_day
from .describe import terms_text
from .editing import contract_by_code
from .forms import ContractForm
from .grid import names_of
from .history_models import Deed
from .models import Contract
from .past import Event
from .permissions import VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract_history", __name__, template_folder="templates")
WHAT = {"added": _l("Added"), "changed": _l("Changed"), "removed": _l("Taken out")}


@bp.get("/contracts/<code>/history")
@requires(VIEW)
def contract(code: str) -> Any:
    """Show what was done to the contract: its rows, a page of deeds at a time, and its terms."""
    found, number = contract_by_code(code), max(1, request.args.get("page", 1, type=int))
    deeds, pages = past.of_contract(found, number)
    terms = past.of_terms(found) if number == 1 else []
    return render_template(
        "pricing_contract/history.html", contract=found, deeds=deeds, number=number, pages=pages, means=past.MEANS,
        terms=[(entry, list(in_words(different))) for entry, different in terms],
    )  # fmt: skip


@bp.get("/contracts/<code>/history/deeds/<int:number>")
@requires(VIEW)
def deed(code: str, number: int) -> Any:
    """Show what one save did to the rows."""
    found = contract_by_code(code)
    one = deed_by_number(found, number)
    events = past.by_deed(one)
    left = max(0, one.added + one.changed + one.removed - len(events))
    return _rows(found, events, deed=one, left=left)


@bp.get("/contracts/<code>/history/row")
@requires(VIEW)
def row(code: str) -> Any:
    """Show what happened to the rows for a product, a category (*code) or everything (*), deleted ones too."""
    found, wanted = contract_by_code(code), request.args.get("of", "").strip()
    return _rows(found, past.of_product(found, target_of(wanted)), of=wanted)


def deed_by_number(contract: Contract, number: int) -> Deed:
    """Return a save of the contract's rows; NotFound for what there is not."""
    found = past.deed_by_id(contract, number)
    if found is None:
        raise NotFound("DEED-UNKNOWN", _("The contract has no such entry in its history."))
    return found


def target_of(wanted: str) -> int:
    """Return the number by which rows are found, from the way the grid writes it; NotFound for what there is not."""
    if wanted == "*":
        return 0
    product = db.session.scalar(select(Product.id).where(Product.sku == wanted))
    if product is not None:
        return product
    category = db.session.scalar(select(Category.id).where(Category.code == wanted.removeprefix("*")))
    if category is None:
        raise NotFound("CONTRACT-ROW", _("There is no product or category with this code. Write * for all products."))
    return -category


def _rows(found: Contract, events: Iterable[Event], **context: Any) -> Any:
    zone, listed = ZoneInfo(seller().zone), list(events)
    names = names_of(one.target for one in listed)
    lines = [(one, first_day(one.valid_from, zone), *_said(one, found.currency, zone)) for one in listed]
    return render_template(
        "pricing_contract/history_rows.html", contract=found, lines=lines, names=names, means=past.MEANS, what=WHAT,
        shown=past.SHOWN, **context,
    )  # fmt: skip


def _said(event: Event, currency: str, zone: ZoneInfo) -> tuple[str, str]:
    """Return the row before and after in words, '' where there was or is none."""
    before, after = (
        terms_text(one.kind, one.value, one.per, last_day(one.valid_until, zone), currency, one.formula) if one else ""
        for one in (event.before, event.after)
    )
    return before, after


@bp.get("/contracts/<code>/history/export")
@requires(VIEW)
def export(code: str) -> Any:
    """Send all that happened to the contract's rows as a file."""
    found = contract_by_code(code)
    labels = (
        _("When"), _("Who"), _("By which means"), _("Note"), _("Product or category"), _("Unit"), _("From quantity"),
        _("First day"), _("What happened"), _("Before"), _("Then"),
    )  # fmt: skip
    kinds = {0: "instant", 6: "number", 7: "day"}
    columns = [ExportColumn(label, kinds.get(n, "text")) for n, label in enumerate(labels)]
    return export_response(f"history-{found.code}", "csv", columns, _cells(found))


def _cells(found: Contract) -> Iterator[list[Any]]:
    zone = ZoneInfo(seller().zone)
    for event, name in past.whole(found):
        deed = event.deed
        by = [deed.at, deed.actor, str(past.MEANS[deed.means]), deed.note] if deed else [None, "", "", ""]
        row = [name, event.unit, event.min_quantity, first_day(event.valid_from, zone), str(WHAT[event.what])]
        yield [*by, *row, *_said(event, found.currency, zone)]


def in_words(different: Iterable[tuple[str, object, object]]) -> Iterator[tuple[object, object, object]]:
    """Yield the label of each term with what it was and what it became, companies and segments by their codes."""
    form = ContractForm(formdata=None)
    for name, before, after in different:
        field = form._fields.get(name.removesuffix("_id"))
        codes = _codes(name, (before, after))
        yield (
            field.label.text if field else name,
            *(
                str(codes.get(one, one)) if one not in (None, "") else "–"
                for one in (_choice(field, before), _choice(field, after))
            ),
        )


def _choice(field: Any, value: object) -> object:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if hasattr(field, "iter_choices"):
        return next((choice.label for choice in field.iter_choices() if choice.value == value), value)
    return value


def _codes(name: str, ids: Iterable[object]) -> Mapping[object, str]:
    model = {"company_id": Company, "segment_id": Segment}.get(name)
    if model is None:
        return {}
    query = select(model.id, model.code).where(model.id.in_([one for one in ids if isinstance(one, int)]))
    return {row.id: row.code for row in db.session.execute(query)}
