"""An addon that goes away takes nothing along: whatever happens to it, rows and orders stay as they are (I15).

orders in every state, rows of addons ── off, on, upgraded, code too old, files gone ── the same rows, no order moved
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, table, text

from addons.approval_chain.tests.test_approval import BUYER, World
from addons.pricing_contract.models import Contract, ContractPrice
from addons.promotions.tests.conftest import promotion
from core.catalog.models import Product
from core.data import clock
from core.data.db import db
from core.data.migrate import addon_history
from core.data.scope import Actor, Scope, acting, system
from core.data.write import write
from core.jobs.runner import run_due
from core.orders import cart, lifecycle, queries
from core.orders.holds import add_hold
from core.orders.merging import NewItem
from core.orders.models import Hold, Order
from core.registry import operations
from core.registry.models import AddonState
from core.registry.operations import Tools
from core.registry.registry import EXTENSION
from core.registry.sources import Discovery
from core.restapi import keys
from core.runtime.app import build_app, find_addons
from core.settings.services import set_value
from core.spec.errors import TukkuError
from core.spec.orders import HoldRequest
from core.testing import factories, places
from core.testing.apps import Client, bundled_addons, closing
from core.testing.signin import sign_in

NAMES = bundled_addons()
STAFF = ("view", "confirm", "release", "reject")
STAYS = "is on hold|Ordering is paused|has to check it, is out of order"
#: what operations themselves write, and what serving does
OWN = ("core_addon", "core_audit", "core_generation", "core_incident", "core_job", "core_operation", "core_owned_table",
       "core_process", "core_stamp", "core_seed_row", "accounts_session", "accounts_attempt")  # fmt: skip

pytestmark = [pytest.mark.trust, pytest.mark.timeout(600)]


@dataclass
class Shop:
    """A shop with all addons, and the numbers of its orders by what they wait for."""

    app: Flask
    world: World
    numbers: dict[str, str]

    @property
    def config(self) -> Any:
        return self.app.extensions["tukku.config"]

    def tools(self) -> Tools:
        return Tools(find_addons(self.config), lambda names, enabled: (), lambda name: ())


def _staff() -> Actor:
    return Actor(None, "Sally", Scope("merchant"), permissions=frozenset(f"orders.order.{may}" for may in STAFF))


@pytest.fixture
def shop(app_with) -> Shop:
    """Orders that wait for approval, are held by staff, are invoiced; a cart; and something of each addon that sells."""
    app = app_with(addons=NAMES)
    world = World(app)
    product = db.session.scalars(select(Product)).one()
    now = clock.now()
    with write() as session:
        terms = {"name": "C", "currency": "EUR", "audience": "public", "created_at": now, "updated_at": now}
        agreed = Contract(code="C-1", **terms)
        session.add(agreed)
        session.flush()
        session.add(ContractPrice(
            contract_id=agreed.id, product_id=product.id, target=product.id, kind="fixed", value=Decimal(9), unit="pcs",
            min_quantity=Decimal(0), per=Decimal(1), valid_from=now,
        ))  # fmt: skip
    promotion("SPRING")
    factories.make_staff("root@tukku.example", roles=("admin",))
    world.rule()
    numbers = {"approval": world.place(20), "invoiced": world.place(4)}
    set_value("orders", "confirm_automatically", False)
    numbers["held"] = world.place(3)
    set_value("orders", "confirm_automatically", True)
    with write():
        wanted = HoldRequest("Waits for a check")
        add_hold(queries.find(numbers["held"]), "core", "check", wanted, "orders.hold.force_release")
    with app.test_request_context("/"):
        lifecycle.record(numbers["invoiced"], "shipped", {1: Decimal(4)})
        lifecycle.record(numbers["invoiced"], "invoiced", {1: Decimal(4)})
    with app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(7))])
    run_due(app)
    db.session.rollback()
    states = {row.number: row.state for row in db.session.execute(select(Order.number, Order.state))}
    assert {name: states[number] for name, number in numbers.items()} == {
        "approval": "submitted", "held": "submitted", "invoiced": "completed",
    }  # fmt: skip
    return Shop(app, world, numbers)


def rows() -> dict[str, int]:
    """Return how many rows each table holds, those aside that operations write."""
    db.session.rollback()
    with db.engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name not in OWN]
        return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


def orders() -> list[tuple[Any, ...]]:
    """Return what must not move: state, amounts, digest and checks of all orders, and all holds."""
    db.session.rollback()
    kept = (Order.number, Order.state, Order.net, Order.gross, Order.digest, Order.required_checks)
    holds = (Hold.order_id, Hold.owner, Hold.code, Hold.released_at)
    found = [tuple(row) for row in db.session.execute(select(*kept).order_by(Order.id))]
    return found + [tuple(row) for row in db.session.execute(select(*holds).order_by(Hold.id))]


def used(shop: Shop, discovery: Discovery | None = None) -> tuple[str, ...]:
    """Serve the shop as it is now: look at every order, run what is due, try to confirm what is held; return what runs."""
    app = build_app(shop.config, discovery=discovery)
    app.config["WTF_CSRF_ENABLED"], app.test_client_class = False, Client
    with closing(app), app.app_context(), acting(system("trust")):
        run_due(app)
        buyer = sign_in(app, "anna@acme.example")
        assert buyer.get("/cart").status_code == 200
        for name, number in shop.numbers.items():
            assert buyer.get(f"/orders/{number}").status_code == 200
            if name == "invoiced":
                continue
            with app.test_request_context("/"), acting(_staff()), pytest.raises(TukkuError, match=STAYS):
                lifecycle.confirm(number)
        page = sign_in(app, "root@tukku.example").get(f"/admin/orders/{shop.numbers['approval']}").text
        runs = "approval_chain" in app.extensions[EXTENSION].addons
        said = re.search(r"The addon (Approval of orders|approval_chain), which placed this hold, does not run\.", page)
        assert (said is None) == runs
        assert "Release by force" in page or runs
        return app.extensions[EXTENSION].addons  # type: ignore[no-any-return]


def without_files(shop: Shop, name: str) -> Discovery:
    found = find_addons(shop.config)
    return Discovery(tuple(one for one in found.found if one.name != name), found.searched)


def set_revision(name: str, revision: str) -> str:
    """Let the tables be at another revision than they are; return the one before."""
    version = addon_history(name, places.discovery().by_name(name)[0].location).version_table
    with db.engine.begin() as connection:
        before = connection.scalar(text(f"SELECT version_num FROM {version}"))
        connection.execute(text(f"UPDATE {version} SET version_num = :r"), {"r": revision})
    return str(before)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_and_no_order_moves_whatever_happens_to_an_addon(shop, name):
    before, documents = rows(), orders()

    def unchanged(what: str) -> None:
        assert rows() == before, what
        assert orders() == documents, what

    quiet = lambda _line: None  # noqa: E731
    proposal = operations.propose_disable(shop.tools(), [name])
    assert proposal.problems == ()
    operations.disable(shop.tools(), [name], quiet)
    assert name not in used(shop)
    unchanged("switched off")
    operations.enable(shop.tools(), [name], quiet)
    assert used(shop) == shop.app.extensions[EXTENSION].addons
    unchanged("switched on again")
    operations.upgrade_all(find_addons(shop.config), quiet)
    unchanged("upgraded")
    revision = set_revision(name, f"{name}_9999")
    assert name not in used(shop)
    unchanged("code older than its tables")
    set_revision(name, revision)
    assert name not in used(shop, without_files(shop, name))
    unchanged("files gone")
    assert name in used(shop)
    unchanged("files there again")


@pytest.mark.database("sqlite")
def test_every_set_of_addons_is_built_browsed_and_ordered_from(shop):
    """On tables of all addons, as where some are switched off; two by two they also stand alone (test_addon_subsets)."""
    company = factories.make_company("small")
    may = ("catalog.product.view", "pricing.price.view", "orders.order.place", "orders.order.view")
    headers = {"Authorization": f"Bearer {keys.create('a program', may, company_id=company.id, days=1).secret}"}
    sets = [names for size in range(len(NAMES) + 1) for names in combinations(NAMES, size)]
    for names in sets:
        with write() as session:
            for state in session.scalars(select(AddonState)):
                state.enabled = state.name in names
        app = build_app(replace(shop.config, strict_addons=True))
        app.config["WTF_CSRF_ENABLED"], app.test_client_class = False, Client
        with closing(app), app.app_context():
            assert app.extensions[EXTENSION].addons == names
            placed = app.test_client().post(
                "/api/v1/orders", json={"lines": [{"sku": "A-1", "quantity": "2"}]},
                headers={**headers, "Idempotency-Key": "+".join(names) or "none"},
            )  # fmt: skip
            assert placed.status_code == 201, (names, placed.text)
            admin, guest = sign_in(app, "root@tukku.example"), app.test_client()
            for client, path in ((guest, "/"), (admin, "/admin"), (admin, f"/admin/orders/{placed.json['number']}")):
                answer = client.get(path, follow_redirects=True)
                assert answer.status_code == 200, (names, path)
            assert app.test_client().get("/api/v1/openapi.json").status_code == 200
            assert app.extensions[EXTENSION].incidents.take() == ()
    assert len(sets) == 2 ** len(NAMES)
