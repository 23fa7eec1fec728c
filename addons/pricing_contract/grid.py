"""A contract's rows as a grid: read a page of them, and read what came back from the form or a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select

from core.api.catalog import Category, Product, ProductText
from core.api.companies import seller
from core.api.data import clock, db
from core.api.hooks import Invalid
from core.api.i18n import current_locale, pick, read_plain, translations
from core.api.imports import read_upload
from core.api.pricing import minor_digits
from core.api.ui import contains, plain, typed

from .days import first_day, last_day
from .formula_columns import FORMULA, ONLY_FORMULAS
from .formula_text import begins, cell_of, written
from .formulas import read_terms
from .lint import LINTS
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)
PAGE = 100
#: Rows with errors that a page tells of at once.
SHOWN = 200
#: Rows of a file that are taken like pasted ones, each told of on the page; longer files are imported, or prepared.
UPLOADED, PREPARED = 5000, 100_000
#: The columns of the grid, in the order in which a spreadsheet is pasted.
_HIDDEN = ("key", "was", "now", "choice")
COLUMNS = ("target", "unit", "min_quantity", "kind", "value", "per", "from", "until")


@dataclass(slots=True)
class GridRow:
    """A row as texts; ``key`` is where it was ('' for a new one), ``errors`` by column.

    ``was`` are the row's texts as a form showed them ("new" for a new one, '' where nothing is compared), ``over`` those
    of a row that it may replace, ``clash`` what stands against it (`conflicts.Clash`).
    """

    key: str = ""
    target: str = ""
    name: str = ""
    unit: str = ""
    min_quantity: str = ""
    kind: str = "fixed"
    value: str = ""
    per: str = ""
    valid_from: str = ""
    valid_until: str = ""
    #: whether neither for how many units nor until when was given: then both stay as they are, as with an import
    brief: bool = False
    #: "upcoming" or "ended" where the row does not hold now, so that one tells it from its neighbours
    state: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    was: str = ""
    over: str = ""
    clash: Any = None
    #: where the row stood in a file, or among the lines of what was pasted
    place: int | None = None

    @property
    def texts(self) -> str:
        """The cells as one text, to see whether a form or somebody else changed the row."""
        cells = (self.target, self.unit, self.min_quantity, self.kind, self.value, self.per, self.valid_from)
        return json.dumps([*cells, self.valid_until])

    @property
    def refused(self) -> bool:
        """True where the row was not written."""
        return bool(self.errors or self.clash)

    def refuse(self, field: str, message: str) -> None:
        """Note what is wrong with a field; all parts of a formula stand in the cell of the value."""
        self.errors[field if field in COLUMNS else "value"] = message


@dataclass(frozen=True, slots=True)
class GridPage:
    """A page of the grid: its rows, how many there are under the filter, and where it stands."""

    rows: Sequence[GridRow]
    count: int
    number: int
    pages: int


def page_of(contract: Contract, wanted: str = "", number: int = 1, only: str = "") -> GridPage:
    """Return a page of the contract's rows, two statements and a count.

    ``wanted`` filters by code, name or category, ``only`` by what may be wrong with rows (`lint.LINTS`).
    """
    conditions = _conditions(contract, wanted)
    if only in LINTS:
        conditions.append(LINTS[only].condition())
    count = db.session.scalar(_joined(select(func.count()), conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, number), pages)
    statement = (
        _joined(select(ContractPrice, Product.sku, Category.code, Category.name, ProductText.name), conditions)
        .order_by(
            func.coalesce(Product.sku, ""),
            Category.code,
            ContractPrice.unit,
            ContractPrice.min_quantity,
            ContractPrice.valid_from,
        )
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    zone = ZoneInfo(seller().zone)
    rows = [_row(*found, zone=zone, currency=contract.currency) for found in db.session.execute(statement)]
    return GridPage(rows, count, number, pages)


def standing(contract: Contract, keys: Iterable[str]) -> dict[str, GridRow]:
    """Return the rows that stand now at some keys, by key. One statement."""
    wanted = set(keys)
    targets = {read_key(key)[0] for key in wanted}
    conditions = [ContractPrice.contract_id == contract.id, ContractPrice.target.in_(targets)]
    columns = select(ContractPrice, Product.sku, Category.code, Category.name, ProductText.name)
    statement = _joined(columns, conditions).execution_options(populate_existing=True)
    zone = ZoneInfo(seller().zone)
    rows = [_row(*found, zone=zone, currency=contract.currency) for found in db.session.execute(statement)]
    return {row.key: row for row in rows if row.key in wanted}


def searched(columns: Select[Any], contract: Contract, wanted: str) -> Select[Any]:
    """Return the statement for columns of the contract's rows that the grid's search finds, '' for all."""
    conditions = _conditions(contract, wanted)
    return _joined(columns, conditions) if wanted.strip() else columns.select_from(ContractPrice).where(*conditions)


def _joined(statement: Select[Any], conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return (
        statement.select_from(ContractPrice)
        .outerjoin(Product, Product.id == ContractPrice.product_id)
        .outerjoin(Category, Category.id == ContractPrice.category_id)
        .outerjoin(
            ProductText,
            (ProductText.product_id == ContractPrice.product_id) & (ProductText.locale == current_locale()),
        )
        .where(*conditions)
    )


def _conditions(contract: Contract, wanted: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ContractPrice.contract_id == contract.id]
    text = wanted.strip()
    if text:
        conditions.append(
            or_(
                contains(Product.sku, text),
                contains(ProductText.name, text),
                contains(Category.code, text),
            )
        )
    return conditions


def _row(
    price: ContractPrice,
    sku: str | None,
    category: str | None,
    names: Any,
    name: str | None,
    *,
    zone: ZoneInfo,
    currency: str,
) -> GridRow:
    return GridRow(
        key=key_text(price.target, price.unit, price.min_quantity, price.valid_from),
        target=sku or (f"*{category}" if category else "*"),
        name=name or (pick(names) if names else "" if sku else _("All products")),
        unit=price.unit,
        min_quantity=typed(price.min_quantity) if price.min_quantity else "",
        kind=price.kind,
        value=written(read_terms(price.terms, price.value)) if price.kind == "formula" else _value(price, currency),
        per="" if price.per == 1 else typed(price.per),
        valid_from=_day_text(first_day(price.valid_from, zone)),
        valid_until=_day_text(last_day(price.valid_until, zone)),
        state=_state(price),
    )


def _value(price: ContractPrice, currency: str) -> str:
    """Return a value as one types it; money has the currency's decimals, so that prices stand in line."""
    money = price.kind in ("fixed", "amount_off") and currency
    return typed(price.value, minor_digits(currency)) if money else typed(price.value)


def _state(price: ContractPrice) -> str:
    now = clock.now()
    if price.valid_from > now:
        return "upcoming"
    return "ended" if price.valid_until is not None and price.valid_until <= now else ""


def _day_text(day: date | None) -> str:
    return day.isoformat() if day else ""


def key_text(target: int, unit: str, min_quantity: Decimal, valid_from: datetime) -> str:
    """Return a row's key as a form carries it."""
    return f"{target}|{unit}|{plain(min_quantity)}|{valid_from.isoformat()}"


def read_key(text: str) -> tuple[int, str, Decimal, datetime]:
    """Return the key of a row from a form's text; Invalid if it is not one."""
    try:
        target, unit, quantity, start = text.split("|")
        return int(target), unit, read_plain(quantity), datetime.fromisoformat(start)
    except (ValueError, Invalid) as error:
        raise Invalid("CONTRACT-ROW", _("The page that was sent is not complete; load it again.")) from error


def posted_rows(form: Mapping[str, Any]) -> list[GridRow]:
    """Return the rows that a form sent: fields ``<column>-<n>``; empty new rows are left out."""
    numbers = dict.fromkeys(
        name.rpartition("-")[2] for name in form if name.startswith("target-") and name.rpartition("-")[2].isdigit()
    )
    rows = []
    for number in numbers:
        texts = {name: str(form.get(f"{name}-{number}", "")).strip() for name in (*COLUMNS, *_HIDDEN)}
        if (texts["key"] or texts["target"] or texts["value"]) and texts["choice"] != "theirs":
            rows.append(_chosen(_texts_row(texts), texts))
    return rows


def _chosen(row: GridRow, texts: Mapping[str, str]) -> GridRow:
    """Add what the form says of the row as it was; where a clash was shown, the person may have chosen the own row."""
    row.was = texts["was"] or ("" if row.key else "new")
    match texts["choice"]:
        case "changed":
            row.was = texts["now"]
        case "taken":
            row.over = texts["now"]
        case "gone":
            row.key, row.was = "", "new"
    return row


def _texts_row(texts: Mapping[str, str]) -> GridRow:
    return GridRow(
        key=texts.get("key", ""),
        target=texts["target"],
        unit=texts["unit"],
        min_quantity=texts["min_quantity"],
        kind=texts["kind"] or "fixed",
        value=texts["value"],
        per=texts["per"],
        valid_from=texts["from"],
        valid_until=texts["until"],
    )


def pasted_rows(text: str) -> list[GridRow]:
    """Return the rows of pasted text: code, price; code, quantity, price; or all columns; by tab, semicolon or spaces."""
    lines = [_cells(line) for line in pasted_lines(text)]
    rows = [(n, _brief(_texts_row(_by_column(cells)))) for n, cells in enumerate(lines) if n or not _is_head(cells)]
    for place, row in rows:
        row.place = place
    return [row for _place, row in rows]


def pasted_lines(text: str) -> list[str]:
    """Return the lines of pasted text that have anything in them; a row's ``place`` counts these."""
    return [line for line in text.replace("\r", "").split("\n") if _cells(line)]


def _brief(row: GridRow) -> GridRow:
    row.brief = not (row.per or row.valid_until)
    return row


def _cells(line: str) -> list[str]:
    for separator in ("\t", ";"):
        if separator in line:
            return [cell.strip() for cell in line.split(separator)]
    return line.split()


def _is_head(cells: Sequence[str]) -> bool:
    """Tell whether the first line is a head: no cell but the first has a digit or begins a formula."""
    return len(cells) > 1 and not any(any(map(str.isdigit, cell)) or begins(cell) for cell in cells[1:])


def _by_column(cells: Sequence[str]) -> dict[str, str]:
    texts = dict.fromkeys(COLUMNS, "")
    if len(cells) == 2:
        texts["target"], texts["value"] = cells
    elif len(cells) == 3:
        texts["target"], texts["min_quantity"], texts["value"] = cells
    elif len(cells) == 4:
        texts["target"], texts["unit"], texts["min_quantity"], texts["value"] = cells
    else:
        texts.update(zip(COLUMNS, cells, strict=False))
    value = texts["value"]
    if begins(value):
        texts["kind"] = texts["kind"] or "formula"
    elif value.endswith("%"):
        texts["kind"], texts["value"] = "percent", value.rstrip("% ")
    return texts


def as_text(rows: Iterable[GridRow]) -> str:
    """Return rows as they are pasted, all columns by tab."""
    columns = ("target", "unit", "min_quantity", "kind", "value", "per", "valid_from", "valid_until")
    return "\n".join("\t".join(getattr(row, name) for name in columns) for row in rows)


def uploaded_rows(contract: Contract, upload: Any, most: int) -> list[GridRow]:
    """Return the rows of a file in the columns of the import, for this contract; Invalid for what the grid cannot hold."""
    rows = [_imported(contract, cells) for cells in read_upload(upload, most)]
    for place, row in enumerate(rows):
        row.place = place
    return rows


def _imported(contract: Contract, cells: Mapping[str, str]) -> GridRow:
    other = cells.get("contract", "")
    if other and other != contract.code:
        raise Invalid("CONTRACT-OTHER", _("The file has rows of the contract %(code)s too: import it instead.", code=other))
    texts = {name: cells.get(name, "") for name in COLUMNS}
    category = cells.get("category", "")
    texts["target"] = cells.get("sku", "") or (f"*{category}" if category else "*")
    if texts["kind"] != "formula":
        row = _brief(_texts_row(texts))
        if any(cells.get(name) for name in FORMULA):
            row.errors["kind"] = str(ONLY_FORMULAS)
        return row
    return _brief(_texts_row({**texts, "value": cell_of(cells)}))


def names_of(targets: Iterable[int]) -> dict[int, str]:
    """Return what rows are for, by their target: SKU, category code, or everything."""
    wanted = set(targets)
    products, categories = {one for one in wanted if one > 0}, {-one for one in wanted if one < 0}
    found: dict[int, str] = {0: _("All products")}
    if products:
        query = select(Product.id, Product.sku).where(Product.id.in_(products))
        found.update({row.id: row.sku for row in db.session.execute(query)})
    if categories:
        query = select(Category.id, Category.code).where(Category.id.in_(categories))
        found.update({-category_id: code for category_id, code in db.session.execute(query)})
    return found
