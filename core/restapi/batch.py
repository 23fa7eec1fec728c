"""Many rows in one request, through the importers: what a file's row may hold, a row of the API may, and means the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import fields, validate
from sqlalchemy import select

from core.data.db import db
from core.i18n import _
from core.imports.kinds import kind_named
from core.imports.running import run
from core.imports.source import Source
from core.restapi.fields import Schema, text
from core.restapi.gate import need
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, RowResult
from core.ui.formats import display_zone

MOST = 1000
Row = Mapping[str, Any]


class Outcome(Schema):
    """What became of a row; ``errors`` names the member that is wrong, ``notice`` is what to know of a row that went in."""

    index = fields.Integer()
    outcome = fields.String(validate=validate.OneOf(["created", "updated", "unchanged", "error"]))
    key = fields.String()
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    notice = fields.String()


class Outcomes(Schema):
    """The outcome of every row, in their order."""

    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    failed = fields.Integer()
    rows = fields.List(fields.Nested(Outcome))


def row_schema(kind: DataImport, name: str, *, without: Iterable[str] = (), also: Iterable[str] = ()) -> type[ma.Schema]:
    """Return the schema of a row: the import's fields, none of them required, since each row is judged by itself."""
    members: dict[str, Any] = {f.name: _member(f) for f in kind.fields if f.name not in set(without)}
    members |= {extra: text(80, allow_none=True) for extra in also if extra not in members}
    if kind.open_fields:
        members["attributes"] = fields.Dict(keys=text(80), values=text(250))
    for member in members.values():
        member.load_default = ma.missing
    return type(name, (Schema,), members)


def rows_schema(row: type[ma.Schema], name: str) -> type[ma.Schema]:
    """Return the schema of a request with rows."""
    return type(name, (Schema,), {"rows": fields.List(fields.Nested(row), required=True, validate=validate.Length(1, MOST))})


def upsert(kind: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Create or change a record for each row and say what became of it; rows with errors are left out.

    The caller's key needs the permission of the import. Two times the same rows change nothing.
    """
    found = kind_named(kind)
    need(found.permission)
    return _report(_run(found, dict(enumerate(rows))))


def upsert_known(kind: str, rows: Sequence[Row], model: Any, code: Any) -> dict[str, Any]:
    """Upsert rows that name their record by its code, or by (source, external_id) where that is known already."""
    name = code.key
    known = _known(rows, model, code)
    refused: dict[int, RowResult] = {}
    taken: dict[int, Row] = {}
    for index, row in enumerate(rows):
        pair = (row.get("source") or "", row.get("external_id") or "")
        present = known.get(pair) if pair[1] else None
        if present and row.get(name) not in (None, "", present):
            message = _("%(source)s %(id)s is known here as %(code)s.", source=pair[0], id=pair[1], code=present)
            refused[index] = RowResult(index, "error", str(row[name]), name, message)
        elif not present and not row.get(name):
            refused[index] = RowResult(index, "error", " / ".join(pair), name, _("A new row needs a value here."))
        else:
            taken[index] = {**row, name: row.get(name) or present}
    found = kind_named(kind)
    need(found.permission)
    return _report({**refused, **_run(found, taken)})


def change_one(kind: str, row: Row) -> None:
    """Change one record; Invalid names the members that are wrong."""
    result = upsert(kind, [row])["rows"][0]
    if result["outcome"] == "error":
        message = " ".join(m for found in result["errors"].values() for m in found)
        raise Invalid("VALIDATION", message, details={"errors": {"json": result["errors"]}})


def _run(kind: DataImport, rows: Mapping[int, Row]) -> dict[int, RowResult]:
    if not rows:
        return {}
    cells = {index: _cells(kind, row) for index, row in rows.items()}
    columns = dict.fromkeys(name for row in cells.values() for name in row)
    columns |= dict.fromkeys(f.name for f in kind.fields if f.required)
    results: dict[int, RowResult] = {}
    source = Source(f"API {request.path}", tuple(columns), iter(cells.items()), len(cells))
    run(kind, source, zone=display_zone(), listener=lambda _kind, r: results.__setitem__(r.number, r))
    return results


def _cells(kind: DataImport, row: Row) -> dict[str, str]:
    """Return a row as the text of a file's cells."""
    cells = {name: _cell(value) for name, value in row.items() if name != "attributes" and value is not None}
    return cells | {f"{kind.open_fields}{name.lower()}": value for name, value in (row.get("attributes") or {}).items()}


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ";".join(value) if isinstance(value, list) else str(value).strip()


def _known(rows: Sequence[Row], model: Any, code: Any) -> dict[tuple[str, str], str]:
    ids = {row["external_id"] for row in rows if row.get("external_id")}
    if not ids:
        return {}
    query = select(model.source, model.external_id, code).where(model.external_id.in_(ids))
    return {(source, external): found for source, external, found in db.session.execute(query)}


def _report(results: Mapping[int, RowResult]) -> dict[str, Any]:
    counts = dict.fromkeys(("created", "updated", "unchanged", "error"), 0)
    rows = []
    for index in sorted(results):
        result = results[index]
        counts[result.outcome] += 1
        said = str(result.message)
        failed = result.outcome == "error"
        told = {"errors": {result.field or "row": [said]} if failed else {}, "notice": "" if failed else said}
        rows.append({"index": index, "outcome": result.outcome, "key": result.key, **told})
    return {**{k: counts[k] for k in ("created", "updated", "unchanged")}, "failed": counts["error"], "rows": rows}


def _member(field: ImportField) -> fields.Field:
    about = {"metadata": {"description": _about(field)}} if _about(field) else {}
    if field.type == "integer":
        return fields.Integer(allow_none=True, strict=True, **about)
    if field.type == "boolean":
        return fields.Boolean(allow_none=True, truthy={True}, falsy={False}, **about)
    if field.type == "list":
        return fields.List(text(250), allow_none=True, **about)
    return text(20_000, lines=True, allow_none=True, **about)


def _about(field: ImportField) -> str:
    words = {"decimal": 'A decimal as a string, "12.50".', "date": "YYYY-MM-DD", "instant": "An instant, ISO 8601."}
    return f"One of {', '.join(field.choices)}." if field.choices else words.get(field.type, "")
