"""No endpoint shows another company's rows, and each asks for its permission."""

import pytest

from core.accounts.roles import needs
from core.restapi import keys

MARK = "theirs"
BODIES = {
    "/prices/quote": {"lines": [{"sku": "M8", "quantity": "1"}]},
    "/orders": {"lines": [{"sku": "M8", "quantity": "1"}]},
}


def _rules(app):
    return [r for r in app.url_map.iter_rules() if r.rule.startswith("/api/v1/") and r.endpoint.count(".")]


def _calls(app, codes):
    """Yield (method, path, view) of every endpoint, with the codes in its address."""
    for rule in _rules(app):
        path = rule.rule.removeprefix("/api/v1")
        for argument in rule.arguments:
            path = path.replace(f"<int:{argument}>", "1")
            for shape in (f"<{argument}>", f"<path:{argument}>"):
                path = path.replace(shape, codes.get(argument, "x"))
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, path, app.view_functions[rule.endpoint]


def _body(method, path):
    return None if method == "GET" else BODIES.get(path, {})


def test_another_companys_rows_are_nowhere(app, key_of, world):
    ours, leaks = key_of(world[1]), []
    theirs = {"code": f"{MARK}-code", "number": f"SO-{MARK}", "sku": "M8"}
    for method, path, _view in _calls(app, theirs):
        answer = ours(method, path, _body(method, path))
        shown = answer.text.replace(f"{MARK}-code", "").replace(f"SO-{MARK}", "")  # a refusal may repeat what was asked
        if MARK in shown or answer.status_code >= 500:
            leaks.append(f"{method} {path} -> {answer.status_code} {answer.text[:200]}")
        if (MARK in path) and answer.status_code not in (403, 404, 422):
            leaks.append(f"{method} {path} -> {answer.status_code}")
    for path in ("/prices/quote", "/orders"):
        answer = ours.post(path, BODIES[path] | {"company": f"{MARK}-code"})
        if answer.status_code != 404:
            leaks.append(f"{path} for {MARK}: {answer.status_code}")
    assert leaks == [], "\n".join(leaks)


@pytest.mark.database("sqlite")
def test_each_endpoint_asks_for_its_permission(app, key_of, world):
    """A key with one permission, and what that needs, opens what declares it alone; without a key nothing opens."""
    ours = {"code": "ours-code", "number": "SO-ours", "sku": "M8"}
    calls = [c for c in _calls(app, ours) if not hasattr(c[2], "tukku_public")]
    names = {p for _m, _p, view in calls for p in view.tukku_permissions}
    held = {name: {name, *needs().get(name, ())} for name in sorted(names)}
    callers = {name: key_of(None if name in keys.offered(None) else world[1], *held[name]) for name in held}
    wrong = []
    for method, path, view in calls:
        if app.test_client().open(f"/api/v1{path}", method=method, json=_body(method, path)).status_code != 401:
            wrong.append(f"{method} {path} opens without a key")
        for name, caller in callers.items():
            refused = "Your role" in caller(method, path, _body(method, path)).text
            if refused == bool(held[name] & {*view.tukku_permissions}):
                wrong.append(f"{name}: {method} {path} refused: {refused}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.database("sqlite")
def test_a_key_that_cannot_see_products_is_told_so(app, key_of, world):
    blind = key_of(world[1], "orders.order.place", "pricing.price.view")
    for path, body in BODIES.items():
        answer = blind.post(path, body)
        assert (answer.status_code, answer.json["permissions"]) == (403, ["catalog.product.view"])
