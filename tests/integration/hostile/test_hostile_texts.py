"""Script, SQL, formulas, control characters and very long texts through every field: generated, so none is forgotten.

The pages of the URL map give the forms, the OpenAPI document gives the members of the API, the registry the imports, the
tables the texts that are shown.
"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import PrimaryKeyConstraint, String, Text, UniqueConstraint, inspect, update

from core.data.db import db
from core.data.types import Translated
from core.i18n import LOCALES
from core.imports.kinds import kinds
from core.imports.running import run
from core.imports.source import Source
from core.restapi import keys
from core.restapi.document import KEY
from core.testing.signin import sign_in

from .texts import BANNED, LONG, MIXED, PAYLOADS
from .walking import PEOPLE, address, crawl, faults, forms_of, rules, send

ALL = {**PAYLOADS, **BANNED, "mixed": MIXED, "long": LONG}
#: Of each kind one, several of them at once. Each alone goes through all forms in `make trust`.
FEW = ("mixed", "header", "nul", "long")
#: What only databases tell apart, and so goes through both.
TOLD_APART = ("nul", "long")
#: Columns that hold what people wrote; the rest are codes and words of the program.
WRITTEN = {
    "name", "street", "street2", "city", "region", "contact", "phone", "instructions", "note", "reference", "po_number",
    "title", "description", "manufacturer", "manufacturer_code", "reason", "label", "comment", "user_name", "text",
}  # fmt: skip


def browser(app, email):
    return sign_in(app, email) if email else app.test_client()


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "name",
    [
        "mixed",
        "address",
        *(pytest.param(name, marks=pytest.mark.trust) for name in ("tag", "attribute", "formula", "typst")),
    ],
)
def test_what_was_written_is_shown_as_text_and_nothing_else(app, world, name):
    """Every page, export and document, with the text in every column that people write."""
    assert _write_everywhere(ALL[name]) > 30
    wrong, kinds_of_answers = [], set()
    for email in PEOPLE:
        for url, answer in crawl(browser(app, email), app).items():
            kinds_of_answers.add(answer.mimetype)
            wrong += faults(f"{email or 'visitor'} {url}", answer)
    assert kinds_of_answers >= {"text/html", "text/csv", "application/pdf"}
    assert wrong == [], "\n".join(wrong)


def _write_everywhere(text):
    """Put the text into every column of people's words; return how many columns there are."""
    count = 0
    with db.engine.begin() as connection:
        there = set(inspect(connection).get_table_names())  # the metadata may know addons of other tests
        for table in [table for table in db.metadata.sorted_tables if table.name in there]:
            keys_ = {c.name for found in (*table.constraints, *table.indexes) if _is_key(found) for c in found.columns}
            for column in table.columns if not table.name.startswith("core_") else ():
                if column.name in WRITTEN - keys_ and isinstance(column.type, String | Text):
                    connection.execute(update(table).values({column.name: text[: column.type.length or None]}))
                    count += 1
                elif isinstance(column.type, Translated):
                    connection.execute(update(table).values({column.name: dict.fromkeys(LOCALES, text)}))
                    count += 1
    return count


def _is_key(found):
    return isinstance(found, UniqueConstraint | PrimaryKeyConstraint) or getattr(found, "unique", False)


@pytest.mark.parametrize("email", PEOPLE)
def test_every_form_takes_any_text_or_says_why_not(app, world, email, database_backend):
    """All fields at once."""
    _send_all(app, email, FEW if database_backend == "sqlite" else TOLD_APART)


@pytest.mark.trust
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("email", PEOPLE)
def test_every_form_takes_the_other_texts_as_well(app, world, email):
    """Each alone, also those of a kind of which another goes through all forms in each run."""
    _send_all(app, email, [name for name in ALL if name not in FEW])


def _send_all(app, email, names):
    """Send every form with each of the texts in all its fields, then look at all pages again."""
    client = browser(app, email)
    forms = forms_of(client, app)
    assert len(forms) >= (30 if email.endswith("tukku.example") else 3)
    wrong = []
    for (place, *_names), form in forms.items():
        for name in names:
            answer = send(client, form, ALL[name])
            wrong += faults(f"{place} with {name}", answer)
            if name in BANNED and "(U+" not in answer.text and answer.status_code != 405:  # a button says where it goes
                wrong.append(f"{place} takes {name}: {answer.status_code}")
    for url, answer in crawl(client, app).items():
        wrong += faults(f"afterwards {url}", answer)
    assert wrong == [], "\n".join(dict.fromkeys(wrong))


@pytest.mark.trust
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("email", PEOPLE)
def test_each_field_of_every_form_takes_any_text_or_says_why_not(app, world, email):
    """One field at a time, the others as the page fills them."""
    client = browser(app, email)
    wrong = [
        fault
        for (place, *_names), form in forms_of(client, app).items()
        for field in (*form.typed, *form.hidden)
        for name in ("tag", "long")
        for fault in faults(f"{place} with {name} in {field}", send(client, form, ALL[name], field))
    ]
    assert wrong == [], "\n".join(dict.fromkeys(wrong))


def test_an_address_of_any_text_is_no_fault(app, world, database_backend):
    names = ("mixed", "address", "template", "like", "header", *BANNED) if database_backend == "sqlite" else BANNED
    wrong = []
    client = browser(app, PEOPLE[0])
    huge = dict.fromkeys(("page", "before", "after", "version", "col", "sort", "view", "export"), "9" * 30)
    for rule in rules(app):
        for name in names:
            for argument in rule.arguments:
                url = address(app, rule, **{argument: ALL[name].replace("/", "")})
                wrong += faults(f"{rule.rule} with {name}", client.get(url))
        for query in ({"q": BANNED["nul"]}, {"q": BANNED["bidi override"]}, huge):
            wrong += faults(f"{rule.rule} with {query}", client.get(address(app, rule), query_string=query))
        if "<int" in rule.rule:
            url = re.sub(r"(?<=/)1(?=/|$)", "9" * 30, address(app, rule))
            wrong += faults(f"{rule.rule} with a huge number", client.get(url))
    assert wrong == [], "\n".join(dict.fromkeys(wrong))


@pytest.mark.parametrize("name", ["tag", "sql", "header", "nul", "bidi override", "long"])
def test_cells_of_every_import_are_taken_or_refused_with_a_sentence(app, world, name):
    text = ALL[name]
    for kind in kinds():
        rows = [{f.name: text if f.name == field.name else _cell(f) for f in kind.fields} for field in kind.fields]
        report = run(kind, Source("file.csv", tuple(rows[0]), enumerate(rows, 2), len(rows)))
        assert report.rows == len(rows), kind.kind
        refused = {error.number: error for error in report.errors}
        for error in report.errors:
            assert " " in str(error.message).strip(), (kind.kind, error)
        if name in BANNED:
            for number, field in enumerate(kind.fields, 2):
                assert "(U+" in str(refused[number].message), (kind.kind, field.name, refused[number])


def _cell(field):
    usual = {"decimal": "1", "integer": "1", "date": "2026-12-31", "instant": "2026-12-31", "boolean": "yes", "list": ""}
    known = {"country": "FI", "currency": "EUR", "email": "a@x.example", "sku": "M8", "company": "ours-code", "unit": "pcs"}
    return field.choices[0] if field.choices else known.get(field.name, usual.get(field.type, "N-1"))


@pytest.mark.parametrize("name", ["tag", "sql", "header", "nul", "bidi override", "half", "long"])
def test_members_of_the_api_are_taken_or_refused_with_a_sentence(app, world, name):
    text = {**ALL, "half": "a\ud800b"}[name]
    secrets = [keys.create("t", keys.offered(id_), company_id=id_, days=30).secret for id_ in (None, world["company"].id)]
    document = app.extensions[KEY].spec.to_dict()
    sent, wrong = set(), []
    for path, operations in document["paths"].items():
        for method, about in operations.items():
            if method == "parameters":
                continue
            body = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if not body:
                continue
            url = re.sub(r"\{\w+\}", "x", path)
            for secret in secrets:
                head = {"Authorization": f"Bearer {secret}"}
                answer = app.test_client().open(url, method=method.upper(), json=_body(document, body, text), headers=head)
                wrong += faults(f"{method} {path} with {name}", answer)
                if answer.status_code == 403:
                    continue
                sent.add((method, path))
                if name in {*BANNED, "half"} and (answer.status_code != 422 or answer.json["code"] != "BAD-CHARACTER"):
                    wrong.append(f"{method} {path} takes {name}: {answer.text[:200]}")
    assert len(sent) > 10
    assert wrong == [], "\n".join(wrong)


def _body(document, schema, text):
    """Return a value of a JSON schema with the text as each of its texts."""
    if "$ref" in schema:
        return _body(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], text)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        found = {name: _body(document, inner, text) for name, inner in schema.get("properties", {}).items()}
        more = schema.get("additionalProperties")
        return found | ({"key": _body(document, more, text)} if isinstance(more, dict) else {})
    if kind == "array":
        return [_body(document, schema["items"], text)]
    return {"integer": 1, "number": 1, "boolean": True}.get(kind, text)
