"""Import and export of categories and technical attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select, true

from core.catalog.models import Attribute, Category, Product
from core.catalog.search.documents import rebuild
from core.catalog.structuring import NO_SLASH, hold_tree
from core.data.db import db
from core.i18n import LOCALES, _, _l
from core.imports.batch import Batch
from core.imports.names import columns, fields_per_locale, given
from core.imports.upsert import Upsert, outcome_of
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

TYPES = ("text", "number", "choice", "boolean")


def load_categories(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert categories; a parent may stand anywhere in the same batch. The whole tree is read: it is small."""
    batch = Batch(rows, "code")
    for row in rows:
        if "/" in row.values["code"]:
            batch.fail(row, "code", NO_SLASH)
    hold_tree()
    table = Upsert(Category, ("code",)).read(true())
    parents = _parents(table)
    _check_parents(batch, parents)
    first = {row.number: _put_category(table, row) for row in batch}
    table.flush()
    table = Upsert(Category, ("code",)).read(true())
    for row in batch:
        code = row.values["code"]
        parent = parents[code]
        parent_row = table.get(parent) if parent else None
        placed = {"parent_id": parent_row["id"] if parent_row else None}
        batch.done(row, outcome_of(first[row.number], table.put((code,), placed)))
    for (code,) in table.keys:
        if code in parents:
            table.put((code,), {"path": _path(code, parents)})
    table.flush()
    return batch.results()


def _put_category(table: Upsert, row: ImportRow) -> Any:
    code = row.values["code"]
    found = table.get(code)
    name = {**(found["name"] if found else {}), **given(row.values, "name")}
    values = {"name": name or {"en": code}}
    if "position" in row.values:
        values["position"] = row.values["position"]
    return table.put((code,), values, new={"path": f"/{code}/"})


def _parents(table: Upsert) -> dict[str, str]:
    codes = {table.get(*key)["id"]: key[0] for key in table.keys}  # type: ignore[index]
    return {key[0]: codes.get(table.get(*key)["parent_id"], "") for key in table.keys}  # type: ignore[index]


def _check_parents(batch: Batch, parents: dict[str, str]) -> None:
    """Write the wished parents into ``parents``; refuse rows whose parent is missing or below themselves.

    A refused row may be the parent of another, so this goes on until nothing more is refused.
    """
    before = dict(parents)
    for row in batch:
        parents[row.values["code"]] = row.values.get("parent", before.get(row.values["code"], ""))
    while refused := [row for row in batch if _misplaced(row.values["code"], parents)]:
        for row in refused:
            code = row.values["code"]
            if parents[code] not in parents:
                batch.unknown(row, "parent", _("category"))
            else:
                batch.fail(row, "parent", _("The category would stand below itself; choose another parent."))
        for row in refused:
            code = row.values["code"]
            if code in before:
                parents[code] = before[code]
            else:
                del parents[code]


def _misplaced(code: str, parents: Mapping[str, str]) -> bool:
    return (parents[code] not in parents and parents[code] != "") or _circular(code, parents)


def _circular(code: str, parents: Mapping[str, str]) -> bool:
    seen = {code}
    while code := parents.get(code, ""):
        if code in seen:
            return True
        seen.add(code)
    return False


def _path(code: str, parents: Mapping[str, str]) -> str:
    parts = [code]
    while code := parents.get(code, ""):
        parts.append(code)
    return f"/{'/'.join(reversed(parts))}/"


def index_again() -> None:
    """Products are found by the names of their categories and values."""
    if db.session.scalar(select(Product.id).limit(1)) is not None:
        rebuild()


def export_categories() -> Iterator[dict[str, Any]]:
    """Yield the tree, parents first."""
    rows = db.session.execute(
        select(Category.id, Category.code, Category.parent_id, Category.name, Category.position).order_by(Category.path)
    ).all()
    codes = {row.id: row.code for row in rows}
    for row in rows:
        names = columns(row.name, "name")
        yield {"code": row.code, "parent": codes.get(row.parent_id, ""), **names, "position": row.position}


def load_attributes(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert attributes; the type of one that exists stays, since values depend on it."""
    batch = Batch(rows, "code")
    table = Upsert(Attribute, ("code",)).read(Attribute.code.in_(batch.all("code")))
    for row in batch:
        values, code = row.values, row.values["code"]
        found = table.get(code)
        if found and values.get("type", found["type"]) != found["type"]:
            message = _("The attribute exists as %(type)s; its type cannot change.", type=found["type"])
            batch.fail(row, "type", message)
            continue
        wanted = {name: values[name] for name in ("unit", "facet", "position") if name in values}
        wanted["name"] = {**(found["name"] if found else {}), **given(values, "name")} or {"en": code}
        if labels := _labels(values):
            wanted["labels"] = _merged((found or {}).get("labels") or {}, labels)
        batch.done(row, table.put((code,), wanted, new={"type": values.get("type", "text")}))
    table.flush()
    return batch.results()


def _labels(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Read "Steel=Teräs;Brass=Messinki" of each language into labels by value."""
    labels: dict[str, dict[str, str]] = {}
    for locale in LOCALES:
        for pair in values.get(f"labels_{locale}", ()):
            value, sign, label = pair.partition("=")
            if sign and label.strip():
                labels.setdefault(value.strip(), {})[locale] = label.strip()
    return labels


def _merged(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {value: {**old.get(value, {}), **new.get(value, {})} for value in {**old, **new}}


def export_attributes() -> Iterator[dict[str, Any]]:
    """Yield the attributes by position."""
    for one in db.session.scalars(select(Attribute).order_by(Attribute.position, Attribute.code)):
        labels = {
            f"labels_{locale}": [
                f"{value}={texts[locale]}" for value, texts in (one.labels or {}).items() if locale in texts
            ]
            for locale in LOCALES
        }
        row = {"code": one.code, **columns(one.name, "name"), "type": one.type, "unit": one.unit, **labels}
        yield {**row, "facet": one.facet, "position": one.position}


CATEGORIES = DataImport(
    kind="categories",
    title=_l("Categories"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=60),
        ImportField("parent", max_length=60),
        *fields_per_locale("name", 200),
        ImportField("position", "integer"),
    ),
    load=load_categories,
    permission="catalog.structure.manage",
    export=export_categories,
    after=index_again,
    order=10,
)
ATTRIBUTES = DataImport(
    kind="attributes",
    title=_l("Technical attributes"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=60),
        *fields_per_locale("name", 200),
        ImportField("type", "choice", choices=TYPES),
        ImportField("unit", max_length=20),
        ImportField("facet", "boolean"),
        ImportField("position", "integer"),
        *(ImportField(f"labels_{locale}", "list") for locale in LOCALES),
    ),
    load=load_attributes,
    permission="catalog.structure.manage",
    export=export_attributes,
    after=index_again,
    order=20,
)
