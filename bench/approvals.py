"""Measure approvals: 200 rules for an order of 500 lines, and an approver's inbox with 10,000 past decisions.

    python -m bench.approvals [--rules 200] [--lines 500] [--past 10000] [--database sqlite]

Figures are medians of runs in a request of their own, with the number of statements; the inbox is the whole page, for 10,
100 and 1,000 orders that wait.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete, insert, select

from addons.approval_chain import services
from addons.approval_chain.models import Approval, Decision, Rule, Version
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting, set_actor, system
from core.data.write import write
from core.orders import cart, pages, placing, queries
from core.orders.draft import stored_draft
from core.orders.merging import NewItem
from core.orders.models import Hold, Order, OrderLine
from core.runtime.serve import settle
from core.spec.orders import Stage
from core.testing import factories
from core.testing.apps import closing, full_app
from core.testing.databases import Databases
from core.testing.signin import sign_in
from core.testing.statements import count_statements

MAY = frozenset({
    "catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view",
})  # fmt: skip
WAITING = (10, 100, 1000)
RUNS = 7
FIRST = 1_000_000


def main() -> None:
    """Fill a database and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--past", type=int, default=10_000)
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgres"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        databases = Databases(options.database, Path(temporary))
        url = databases.migrated(["approval_chain"]).render_as_string(hide_password=False)
        app = full_app(url, Path(temporary))
        with closing(app), app.app_context():
            set_actor(system("bench"))
            buyer, approver = fill(options.lines)
            settle()  # as a serving process does
            many_rules(app, buyer, options.rules)
            inbox(app, buyer, approver, options.past)


def fill(lines: int) -> tuple[Actor, str]:
    """Make a company with a buyer and an approver, and products; return the buyer and the approver's address."""
    factories.make_seller()
    factories.make_tax_rate()
    with write():
        for number in range(lines):
            factories.make_product(f"P-{number:05}", price="1.25")
    company = factories.make_company("c")
    buyer = factories.make_user("buyer@bench.example", company=company)
    factories.make_user("approver@bench.example", company=company, roles=["approver"])
    own = (company.id,)
    return Actor(
        buyer.id, buyer.name, Scope("companies", own, own, own), company.id, permissions=MAY
    ), "approver@bench.example"


def rule(company_id: int | None, above: str, *conditions: dict[str, Any]) -> None:
    """Add a rule that asks an approver above a total."""
    step = {"above": "", "roles": ["approver"], "people": [], "need": 1, "tier": 1}
    said = [{"fact": "total", "op": ">", "value": above}, *conditions]
    with write() as session:
        session.add(Rule(created_at=clock.now(), company_id=company_id, currency="EUR", steps=[step], conditions=said))


def many_rules(app: Flask, buyer: Actor, count: int) -> None:
    """Evaluate rules of several kinds for a cart."""
    figures = (("quantity", ">"), ("lines", ">"), ("discount", ">"), ("products", ">"))
    for number in range(count):
        fact, op = figures[number % len(figures)]
        rule(buyer.company_id, str(number), {"fact": fact, "op": op, "value": "1"})
    skus = list(db.session.scalars(select(factories.Product.sku)))
    with app.test_request_context("/"), acting(buyer):
        cart.add([NewItem(sku, Decimal(2)) for sku in skus])
        order = cart.current_cart()
        assert order is not None
        draft = stored_draft(order, queries.lines_of(order.id))

    def evaluate() -> None:
        with app.test_request_context("/"), acting(buyer):
            assert services.plan_of(draft).needed

    report(f"{count} rules, {len(skus)} lines", evaluate)
    with write() as session:
        session.execute(delete(Rule))
    with app.test_request_context("/"), acting(buyer):
        cart.clear()


def inbox(app: Flask, buyer: Actor, approver: str, past: int) -> None:
    """Open the inbox of somebody who decided often, with few and with many orders that wait."""
    rule(buyer.company_id, "10")
    number, done = place(app, buyer), place(app, buyer)
    more_decisions(done, approver, past)
    browser = sign_in(app, approver)
    made = 1
    for count in WAITING:
        more_orders(number, made, count - made)
        made = count
        analyse()

        def show() -> None:
            assert browser.get("/a/approval_chain/approvals").status_code == 200

        report(f"inbox, {count} wait", show)
    report("what was decided", lambda: browser.get("/a/approval_chain/approvals/list/past"))


def place(app: Flask, buyer: Actor) -> str:
    """Order ten lines that wait; return the number."""
    with app.test_request_context("/"), acting(buyer):
        cart.add([NewItem(f"P-{number:05}", Decimal(9)) for number in range(10)])
        page = pages.cart_page(Stage.SUBMIT)
        asked = placing.Placement(
            page.priced.totals.gross, cart_key=page.order.client_reference, seen=pages.read_seen(page.seen)
        )
        return placing.place(asked).order.number or ""


def like(row: Any, **values: Any) -> dict[str, Any]:
    """Return the columns of a row with other values."""
    return {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key != "id"} | values


def more_orders(number: str, made: int, count: int) -> None:
    """Make orders like the one with ``number``, that wait as it does."""
    order = db.session.scalars(select(Order).where(Order.number == number)).one()
    approval = db.session.scalars(select(Approval).where(Approval.order_id == order.id)).one()
    hold = db.session.scalars(select(Hold).where(Hold.order_id == order.id)).one()
    version = db.session.scalars(select(Version).where(Version.approval_id == approval.id)).one()
    lines = db.session.scalars(select(OrderLine).where(OrderLine.order_id == order.id)).all()
    ids = range(FIRST + made, FIRST + made + count)
    with write() as session:
        session.execute(insert(Order), [like(order, id=i, number=f"X-{i}", client_reference=f"x{i}") for i in ids])
        session.execute(insert(OrderLine), [like(line, order_id=i) for i in ids for line in lines])
        session.execute(insert(Approval), [like(approval, id=i, order_id=i) for i in ids])
        session.execute(insert(Hold), [like(hold, order_id=i) for i in ids])
        session.execute(insert(Version), [like(version, approval_id=i) for i in ids])


def more_decisions(number: str, approver: str, count: int) -> None:
    """Let somebody have decided so often, in rounds that are over."""
    found = select(Approval).join(Order, Order.id == Approval.order_id).where(Order.number == number)
    approval = db.session.scalars(found).one()
    user = db.session.scalars(select(factories.User).where(factories.User.email == approver)).one()
    row = {
        "approval_id": approval.id, "company_id": approval.company_id, "user_id": user.id, "user_name": user.name,
        "tier": 1, "outcome": "returned", "comment": "why", "digest": "d", "proposed": {}, "at": clock.now(),
        "through": "page", "for_name": "", "senior": False,
    }  # fmt: skip
    with write() as session:
        session.get_one(Approval, approval.id).state = "approved"
        session.get_one(Order, approval.order_id).state = "completed"
        session.execute(insert(Decision), [{**row, "round": 1000 + i} for i in range(count)])


def analyse() -> None:
    """Let the database know how many rows there are, as it does by itself after a while."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def report(name: str, work: Callable[[], object]) -> None:
    """Print median and worst of several runs, the processor's share of the median, and the number of statements."""
    took, busy = [], []
    work()
    for _run in range(RUNS):
        with count_statements() as seen:
            start, spent = time.perf_counter(), time.process_time()
            work()
            took.append((time.perf_counter() - start) * 1000)
            busy.append((time.process_time() - spent) * 1000)
    figures = f"{statistics.median(took):8.1f} ms  worst {max(took):7.1f} ms  cpu {statistics.median(busy):7.1f} ms"
    print(f"{name:28} {figures}  {seen.count} statements", flush=True)


if __name__ == "__main__":
    main()
