"""Walk the shop as a browser does: every page that the URL map and the links on its pages lead to, every form on them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from flask import got_request_exception

from .texts import Form, Page, formulas_in, may_be_alive

PEOPLE = ("admin@tukku.example", "boss@ours.example", "")
#: Leaving is not what is tested.
LEAVES = ("logout", "end-session", "/act/", "act-for", "stop-acting")
USUAL = {
    "code": "ours-code", "number": "SO-1", "sku": "M8", "path": "goods", "kind": "csv", "name": "orders", "ending": "csv",
}  # fmt: skip
TYPED = {"email": "a@x.example", "country": "FI", "currency": "EUR", "quantity": "1", "sku": "M8", "company": "ours-code"}
MOST = 400
LAST: dict[str, Exception] = {}


#: Reads a page once for its links, its forms and its faults: reading takes as long as the answer.
read = lru_cache(MOST)(Page)


@got_request_exception.connect
def _note(_app, exception, **_more):
    LAST["fault"] = exception


def rules(app):
    """Return the rules of pages."""
    found = (r for r in app.url_map.iter_rules() if "GET" in r.methods)
    return sorted((r for r in found if not r.rule.startswith(("/static", "/api/", "/assets"))), key=lambda r: r.rule)


def address(app, rule, **given):
    """Return an address of a rule: with codes of what there is, or with the texts that are given."""
    values = dict(rule.defaults or {})
    for argument in rule.arguments - values.keys():
        choice = re.search(rf"any\((\w+)[^>]*:{argument}>", rule.rule)
        if choice:
            values[argument] = choice[1]
        elif re.search(rf"<int[^>]*:{argument}>", rule.rule):
            values[argument] = 1
        else:
            values[argument] = given.get(argument, USUAL.get(argument, "x"))
    return app.url_map.bind("127.0.0.1:8000").build(rule.endpoint, values)


def crawl(client, app):
    """Return the pages of all rules and those they link to: address → answer."""
    found = {}
    waiting = [address(app, rule) for rule in rules(app)]
    while waiting and len(found) < MOST:
        links = {}
        for url in waiting:
            if url not in found and not any(part in url for part in LEAVES):
                answer = found[url] = client.get(url)
                if answer.mimetype == "text/html":
                    links |= dict.fromkeys(_one_of_each(read(answer.text).links))
        waiting = [url for url in links if url not in found]
    return found


def _one_of_each(links):
    """Return one link for each shape of address, so that a list of hundreds is not walked."""
    shapes = {}
    for link in links:
        shapes.setdefault(re.sub(r"=[^&]*|\d+", "=", link), link)
    return shapes.values()


def faults(where, answer):
    """Yield what is wrong with an answer: a fault of ours, text that came alive, a refusal without a sentence."""
    if answer.status_code >= 500:
        yield f"{where} -> {answer.status_code} {LAST.pop('fault', '')!r:.300}"
    if answer.status_code == 409 and "CHANGED-MEANWHILE" in answer.text:
        yield f"{where} -> nobody else is here, so what was sent has not been checked"
    refused = answer.status_code in (400, 409, 422)
    if answer.mimetype == "text/html" and (refused or may_be_alive(answer.text)):
        page = read(answer.text)
        yield from (f"{where}: {what}" for what in page.alive)
        if refused and not page.sentences:
            yield f"{where} -> {answer.status_code} without a sentence"
    elif answer.mimetype == "text/csv":
        yield from (f"{where}: the cell {cell} would be computed" for cell in formulas_in(answer.text))
    elif answer.mimetype == "application/pdf" and not answer.data.startswith(b"%PDF"):
        yield f"{where} is no PDF"


def forms_of(client, app):
    """Return each different form with fields to type into, its action made whole, by where it goes and its fields."""
    found: dict[tuple[str, ...], Form] = {}
    for url, answer in crawl(client, app).items():
        for found_form in read(answer.text).forms if answer.mimetype == "text/html" else ():
            form = replace(found_form, action=urljoin(url, found_form.action or url))
            if form.typed and not any(part in form.action for part in LEAVES):
                place = re.sub(r"\d+", "", urlsplit(form.action).path)
                found.setdefault((place, form.method, *sorted(form.typed)), form)
    return found


def send(client, form, text, only=""):
    """Send a form with the text in all fields that people type into, or in one of them and what is usual in the others."""
    data: dict[str, list[str]] = {}
    for name, value in form.values:
        if name == only or (name in form.typed and not only):
            value = text
        elif name in form.typed and not value:
            value = _usual(name, form.typed[name])
        data.setdefault(name, []).append(value)
    if form.method == "get":
        return client.get(form.action.split("?")[0], query_string=data, follow_redirects=True)
    return client.post(form.action, data=data, follow_redirects=True)


def _usual(name, about):
    if about.get("type") == "email":
        return TYPED["email"]
    return "1" if about.get("inputmode") in ("decimal", "numeric") else TYPED.get(name, "C-1")
