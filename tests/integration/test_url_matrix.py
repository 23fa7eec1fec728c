"""Every address as every role: generated from the URL map, so that a new page cannot be forgotten.

What a view declares decides; nothing here knows a page by name, except which codes stand in for its arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import wraps

import pytest
from sqlalchemy import Engine, event, select
from werkzeug.routing import Rule

from core.accounts.roles import guest_permissions, permissions_of
from core.companies.models import Company, Invitation
from core.data import clock, files
from core.data.db import db
from core.data.write import write
from core.testing import factories as make
from core.ui.access import declared

BUYERS = ("orderer", "approver", "company_admin", "viewer")
STAFF = ("admin", "sales", "finance", "warehouse")
MARK = "rival-mark"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Request-ID": "",
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)


@dataclass
class Codes:
    """Public codes of one company's things."""

    company: str
    user: str
    order: str
    invitation: str
    file: str
    address: str = "main"

    def of(self, rule: Rule, argument: str) -> str | int:
        """Return what stands in for an argument of a rule."""
        face, word = rule.endpoint.split(".")[0], rule.rule
        if f"<int:{argument}>" in word:
            return 1
        if argument == "code":
            return self._code(face, word)
        known = {
            "number": self.order, "person": self.user, "address": self.address, "reference": self.invitation,
            "key": self.file,
            "sku": "M8", "path": "goods", "hold_id": 1, "kind": "csv", "name": "orders", "ending": "csv", "digest": "x",
            "rule_id": 1, "group_id": 1,
        }  # fmt: skip
        return known.get(argument, "x")

    def _code(self, face: str, word: str) -> str | int:
        if "/users/" in word or "/buyers/" in word or "/members/" in word:
            return self.user
        if "/segments/" in word:
            return "gold"
        if "/jobs/" in word:
            return 1
        return self.address if "/addresses/" in word and face == "companies" else self.company


@pytest.fixture
def world(app):
    make.make_segment("gold")
    product = make.make_product("M8")
    ours, theirs = _fill("ours", product), _fill(MARK, product)
    for role in STAFF:
        make.make_staff(f"{role}@tukku.example", [role])
    company = db.session.scalar(select(Company).where(Company.code == "ours-code"))
    for role in BUYERS:
        make.make_user(f"{role}@ours.example", company=company, roles=[role])
    make.make_user("nobody@x.example")
    return ours, theirs


def _fill(name, product):
    company = make.make_company(f"{name}-code", name=f"{name} Oy", segments=["gold"])
    make.make_address(company, f"{name}-site", name=f"{name} site")
    user = make.make_user(f"{name}@x.example", company=company, roles=["company_admin", "orderer"])
    order = make.make_order(company, [(product, 2)], number=f"SO-{name}", user=user, note=f"{name} note", po_number=name)
    at = clock.now()
    with write() as session:
        invitation = Invitation(
            company_id=company.id, email=f"new@{name}.example", name=name, roles=["viewer"], token_hash=f"{name:-<64}",
            created_at=at, expires_at=at.replace(year=at.year + 1),
        )  # fmt: skip
        session.add(invitation)
        session.flush()
        file = files.store(name.encode(), f"{name}.pdf", "application/pdf", company_id=company.id)
    return Codes(company.code, user.code, order.number, invitation.reference, file.key, f"{name}-site")


def _rules(app):
    return sorted((r for r in app.url_map.iter_rules() if r.endpoint != "assets.static_file"), key=lambda r: r.rule)


def _url(app, rule, codes):
    given = rule.defaults or {}
    values = {a: given[a] if a in given else codes.of(rule, a) for a in rule.arguments}
    for argument in rule.arguments:
        choice = re.search(rf"any\((\w+)[^>]*:{argument}>", rule.rule)
        if choice:
            values[argument] = choice[1]
    return app.url_map.bind("127.0.0.1:8000").build(rule.endpoint, values)


def _roles():
    """Return (name, address to sign in with, permissions) of everybody who may ask."""
    yield "visitor", "", None
    yield "nobody", "nobody@x.example", frozenset({"accounts.profile.edit"})
    for role in BUYERS:
        yield role, f"{role}@ours.example", permissions_of([role])
    for role in STAFF:
        yield role, f"{role}@tukku.example", permissions_of([role])


def _client(app, login, email):
    return login(email) if email else app.test_client()


@pytest.mark.database("sqlite")
def test_every_rule_declares_who_may_call_it(app):
    undeclared = [r.rule for r in app.url_map.iter_rules() if not declared(app.view_functions[r.endpoint])]
    assert undeclared == []


@pytest.mark.database("sqlite")
def test_each_role_gets_what_the_declared_permission_says(app, login, world):
    """Access is decided before a view is called, on whichever database; so views that only say "in" stand in for all."""
    _stand_in_for_views(app)
    wrong = []
    for role, email, held in _roles():
        browser, may = _client(app, login, email), held if held is not None else guest_permissions()
        for rule in _rules(app):
            view = app.view_functions[rule.endpoint]
            if rule.rule.startswith("/api/") and not hasattr(view, "tukku_public"):
                continue  # opens with a key, never with a session: tests/integration/restapi/test_scope.py
            allowed = hasattr(view, "tukku_public") or bool(may & set(view.tukku_permissions))
            for method in sorted(rule.methods & {"GET", "POST"}):
                answer = browser.open(_url(app, rule, world[0]), method=method, headers={"Accept": "application/json"})
                if (answer.text == "in") != allowed or not (allowed or _refused(answer)):
                    wrong.append(f"{role}: {method} {rule.rule} -> {answer.status_code}, may: {allowed}")
    assert wrong == [], "\n".join(wrong)


def _stand_in_for_views(app):
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = wraps(view)(lambda **_arguments: "in")


def _refused(answer):
    return answer.status_code in (401, 403) or (answer.status_code == 303 and "/login" in answer.headers["Location"])


@pytest.mark.parametrize("email", ["company_admin@ours.example", "admin@tukku.example", ""])
def test_pages_answer_without_fault_write_or_inline_script(app, login, world, email):
    browser, faults, writes = _client(app, login, email), [], []

    def watch(_connection, _cursor, sql, *_rest):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            writes.append(sql)

    for rule in _rules(app):
        if "GET" not in rule.methods:
            continue
        url = _url(app, rule, world[0])
        event.listen(Engine, "before_cursor_execute", watch)
        try:
            response = browser.get(url)
        finally:
            event.remove(Engine, "before_cursor_execute", watch)
        faults += _faults(rule, response)
        faults += [f"{rule.rule} writes: {' '.join(sql.split())[:120]}" for sql in writes]
        writes.clear()
    assert faults == [], "\n".join(faults)


def _faults(rule, response):
    if response.status_code >= 500:
        yield f"{rule.rule} -> {response.status_code}"
    for name, start in HEADERS.items():
        if not response.headers.get(name, "").startswith(start) or name not in response.headers:
            yield f"{rule.rule} ({response.status_code}) lacks {name}"
    if response.mimetype == "text/html":
        found = INLINE.search(response.text)
        if found:
            yield f"{rule.rule} has inline code: {response.text[max(found.start() - 40, 0) : found.end() + 60]!r}"
        if "Cache-Control" not in response.headers:
            yield f"{rule.rule} may be kept by caches"


@pytest.mark.parametrize("email", ["company_admin@ours.example", "orderer@ours.example"])
def test_another_companys_codes_lead_nowhere(app, login, world, email):
    """Neither page, export nor document of one company opens with a code of the other; 404 does not tell that it exists."""
    browser, leaks = login(email), []
    typed = sorted(vars(world[1]).values(), key=len, reverse=True)
    for rule in _rules(app):
        url = _url(app, rule, world[1])
        if rule.endpoint.startswith("accounts."):
            continue  # one's own profile and sessions, and signing out
        for method in sorted(rule.methods & {"GET", "POST"}):
            response = browser.open(url, method=method)
            body = response.text
            for code in typed:  # a refusal may repeat what was asked for
                body = body.replace(code, "")
            if MARK in body:
                leaks.append(f"{method} {url} shows {MARK}: {_around(body)}")
            if (
                rule.arguments & {"number", "key", "reference"}
                and "<int:" not in rule.rule
                and response.status_code not in (401, 403, 404, 405)
            ):
                leaks.append(f"{method} {url} -> {response.status_code}")
    assert leaks == [], "\n".join(leaks)


def _around(body):
    place = body.find(MARK)
    return body[max(place - 60, 0) : place + 60]
