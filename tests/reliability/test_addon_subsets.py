"""Sets of the bundled addons, any two together and apart, make a whole shop: built, browsed, ordered from, checked."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

import pytest
from openapi_spec_validator import validate
from sqlalchemy import func, select

from core.accounts.roles import permissions_of
from core.data.db import db
from core.data.scope import acting, system
from core.jobs.models import Job
from core.jobs.runner import run_due
from core.orders import lifecycle, queries
from core.orders.models import Order
from core.registry.registry import EXTENSION
from core.registry.resolver import resolve
from core.restapi import keys
from core.runtime.mounting import BLUEPRINTS, owner_of
from core.testing import factories, places
from core.testing.apps import bundled_addons
from core.testing.signin import sign_in
from core.ui.findings import check_all
from core.version import VERSION

NAMES = bundled_addons()
#: None, each alone, all but one, all: so any two addons meet in every way (both, one, the other, neither), with 2n + 2
#: sets where all would be 2 ** n.
SUBSETS = [names for size in sorted({0, 1, len(NAMES) - 1, len(NAMES)}) for names in combinations(NAMES, size)]

pytestmark = [pytest.mark.trust, pytest.mark.database("sqlite")]


@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "+".join(names) or "none")
def test_set_of_addons_is_a_whole_shop(names, app_with):
    plan = resolve(places.discovery().found, frozenset(names), VERSION, {})
    lacking = {other for name in names for other in _required(name)} - set(names)
    assert bool(lacking) == bool(plan.excluded), "an addon is left out exactly where one that it requires is off"
    app = app_with(addons=plan.names)
    registry = app.extensions[EXTENSION]
    assert (registry.addons, registry.degraded) == (plan.names, ())
    company = factories.make_company("acme", segments=["gold"])
    buyer = factories.make_user("buyer@acme.example", company=company, roles=["company_admin", "orderer"])
    people = {"admin": factories.make_staff("admin@tukku.example").email, "buyer": buyer.email}
    factories.make_product("BOLT", price="2")
    clients = {"guest": app.test_client(), **{role: sign_in(app, email) for role, email in people.items()}}
    _browse(app, clients)
    _order(app, company, clients)
    _look_after(app, registry)
    _forget(app, clients["admin"], set(NAMES) - set(plan.names))


def _required(name):
    (found,) = places.discovery().by_name(name)
    return found.manifest.requires_addons


def _browse(app, clients):
    """Open every page without arguments; whoever may gets it, and nothing fails for anybody else."""
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.arguments or rule.rule.startswith("/api/"):
            continue
        wanted = set(getattr(app.view_functions[rule.endpoint], "tukku_permissions", None) or ())
        for role, client in clients.items():
            answer = client.get(rule.rule)
            assert answer.status_code < 500, f"{rule.rule} answers {answer.status_code} to {role}"
            if role == "admin" and rule.rule.startswith("/admin") and wanted & permissions_of(["admin"]):
                assert answer.status_code < 400, f"{rule.rule} answers {answer.status_code} to the administrator"


def _order(app, company, clients):
    """Order by program and confirm; the order's pages open."""
    may = ("catalog.product.view", "pricing.price.view", "orders.order.place", "orders.order.view")
    with acting(system("tests")):
        key = keys.create("a program", may, company_id=company.id, days=1).secret
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
    asked = {"lines": [{"sku": "BOLT", "quantity": "10"}]}
    first, again = (app.test_client().post("/api/v1/orders", json=asked, headers=headers) for _ in range(2))
    assert first.status_code == 201, first.text
    assert (first.json["number"], Decimal(first.json["net"])) == (again.json["number"], Decimal(20))
    number = first.json["number"]
    with acting(system("tests")), app.test_request_context("/"):
        if queries.find(number).state == "submitted":
            lifecycle.confirm(number)
        assert queries.find(number).state == "confirmed"
        required = {owner for owner, _check in queries.find(number).required_checks}
    registry = app.extensions[EXTENSION]
    assert required <= {*registry.addons, *registry.domains}
    assert clients["buyer"].get(f"/orders/{number}").status_code == 200
    assert clients["admin"].get(f"/admin/orders/{number}").status_code == 200


def _look_after(app, registry):
    """Run the work that follows; checks and health answer; the document of the API is sound; nothing failed."""
    run_due(app)
    db.session.rollback()
    assert db.session.scalar(select(func.count(Job.id)).where(Job.state.in_(("failed", "held")))) == 0
    with app.test_request_context("/"), acting(system("tests")):
        assert [found.code for checked in check_all() for found in checked.findings if found.code == "CHECK-FAILED"] == []
        states = {check.state for _owner, checks in registry.batch("addon_health") for check in checks}
    assert "failing" not in states
    document = app.test_client().get("/api/v1/openapi.json").json
    validate(document)
    assert registry.incidents.take() == ()
    assert db.session.scalar(select(func.count(Order.id))) == 1


def _forget(app, admin, off):
    """Nothing of an addon that is off answers or is mounted."""
    owners = app.extensions[BLUEPRINTS]
    mounted = {owner_of(owners, rule.endpoint.rpartition(".")[0]) for rule in app.url_map.iter_rules()}
    assert not mounted & off
    for name in off:
        assert [admin.get(f"{face}/{name}/").status_code for face in ("/a", "/admin/a")] == [404, 404]
