"""Lists of the API from the fields of a resource: filters, sorting, a cursor, sparse fields; one statement and details."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import fields, validate

from core.data.db import db
from core.i18n import _
from core.registry.registry import registry
from core.restapi.fields import Schema, text
from core.spec.errors import Invalid
from core.spec.restapi import ApiEntity
from core.ui.filters import apply_field, searched
from core.ui.keyset import decode, window
from core.ui.resource import Field, Resource

Details = Callable[[Sequence[int]], Mapping[int, dict[str, Any]]]
LIMIT = 100


def query_schema(resource: Resource) -> type[ma.Schema]:
    """Return the schema of the parameters of a list: a filter for each field, q, sort, fields, limit and cursor."""
    known = [f for f in resource.fields if f.filter]
    sortable = [f.name for f in resource.fields if f.sort]
    name = "".join(part.capitalize() for part in resource.key.replace(".", "_").split("_")) + "Query"
    members: dict[str, Any] = {
        f.name: text(
            200, metadata={"description": f"Filter: a value, or for figures and days >=10, <10, 10..20 ({f.kind})."}
        )
        for f in known
    }
    members |= {
        "q": text(200, metadata={"description": "Words to search for."}),
        "sort": fields.String(
            load_default=resource.order,
            validate=validate.OneOf([*sortable, *(f"-{s}" for s in sortable)]),
            metadata={"description": "A field; - before it turns the order round."},
        ),
        "fields": text(500, metadata={"description": "Only these members, divided by commas."}),
        "limit": fields.Integer(load_default=50, validate=validate.Range(1, LIMIT)),
        "cursor": text(500, metadata={"description": "The cursor of the page before, to go on after it."}),
    }
    return type(name, (Schema,), members)


def page_schema(item: type[ma.Schema], name: str) -> type[ma.Schema]:
    """Return the schema of a page of ``item``."""
    return type(name, (Schema,), {"items": fields.List(fields.Nested(item)), "next_cursor": fields.String(allow_none=True)})


def page(resource: Resource, asked: Mapping[str, Any], details: Details) -> dict[str, Any]:
    """Return a page of a list; ``details`` loads the members of its rows in batch."""
    descending, name = asked["sort"].startswith("-"), asked["sort"].lstrip("-")
    sort = resource.sort(resource.field(name), descending=descending)
    if resource.field(name) not in resource.readable():
        raise _wrong("sort", _("You may not sort by this field."))
    statement = resource.select(*sort.columns())
    for field in resource.readable():
        if given := asked.get(field.name):
            statement = statement.where(_condition(field, given))
    if asked["q"]:
        statement = statement.where(*searched(resource.readable(), asked["q"]))
    if asked["cursor"]:
        cursor = decode(asked["cursor"])
        if cursor is None or not _fits(cursor.value, resource.field(name)):
            raise _wrong("cursor", _("This cursor is not one of ours, or of another order; begin with the first page."))
        statement = statement.where(sort.beyond(cursor))
    rows = db.session.execute(sort.order(statement).limit(asked["limit"] + 1)).all()
    found = window(rows, asked["limit"], after=None, before=None)
    ids = [row.id_ for row in found.rows]
    loaded = details(ids)
    items = [sparse(loaded[i], asked["fields"]) for i in ids]
    return {"items": items, "next_cursor": found.after.encode() if found.after else None}


def sparse(item: dict[str, Any], names: str) -> dict[str, Any]:
    """Return only the members that ``names`` lists; all where it is empty."""
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    return {name: value for name, value in item.items() if name in wanted} if wanted else item


def extend(entity: ApiEntity, items: Mapping[int, dict[str, Any]]) -> Mapping[int, dict[str, Any]]:
    """Put what addons know of the items under ``extensions.<addon>``; one call for each addon."""
    here = registry()
    for item in items.values():
        item["extensions"] = {}
    for contribution in here.contributions("api_extensions"):
        if contribution.value.entity == entity and items:
            answer = here.attempt(contribution.owner, "api_extensions", contribution.value.load, list(items))
            for key, values in (answer.value or {}).items():
                if key in items:
                    items[key]["extensions"][contribution.owner] = dict(values)
    return items


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def asked_version() -> int | None:
    """Return the version that If-Match names, None for any; 0, which no row has, for a tag that is not ours."""
    tag = request.headers.get("If-Match", "").strip()
    if not tag or tag == "*":
        return None
    number = tag.removeprefix("W/").strip('"')
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def _condition(field: Field, given: str) -> Any:
    """Return a filter's condition: codes are compared, other texts searched; a value that cannot be read is refused."""
    if field.kind == "code" and field.choices is None:
        return field.expression == given
    try:
        return apply_field(field, given).condition
    except Invalid as error:
        raise _wrong(field.name, error.message) from error


def _fits(value: Any, field: Field) -> bool:
    """Tell whether a cursor's value is of the type that the field sorts by."""
    try:
        wanted = field.expression.type.python_type
    except NotImplementedError:
        return True
    return value is None or (isinstance(value, wanted) and not (isinstance(value, bool) and wanted is not bool))


def _wrong(name: str, message: object) -> Invalid:
    return Invalid("VALIDATION", message, details={"errors": {"query": {name: [str(message)]}}})
