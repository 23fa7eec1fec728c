"""Orders live random lives with all addons on, and whatever happens to them, amounts, ledgers and limits agree.

The deeds follow from the seed alone. What is refused with a sentence is fine; any other error is a fault, and so is
whatever the sweeps of `tukku doctor` find, or a deed that breaks the promise it makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from random import Random

import pytest
from sqlalchemy import select

from addons.approval_chain import budgets, cost_centres, deciding, services
from addons.approval_chain.ledger_models import Entry as Spent
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.promotions import vouchers
from addons.promotions.tests.conftest import promotion
from addons.rebates import editing as rebates
from addons.volume_agreements import editing as agreements
from addons.volume_agreements.models import Agreement
from addons.volume_agreements.models import Entry as Drawn
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, acting, system
from core.data.write import write
from core.jobs.runner import run_due
from core.orders import cart, lifecycle, manual, pages, placing, queries
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.movements import sums_of
from core.settings.services import set_value
from core.spec.errors import TukkuError
from core.spec.orders import Stage
from core.spec.pricing import ManualTerms
from core.testing import factories
from core.testing.sweeping import swept

STEPS = 30
TERMS = (ManualTerms(percents=(D(2),), reason="agreed"), ManualTerms(price=D(1), reason="agreed"))


class Life:
    """A shop in which everything is agreed on, at a time of its own, and the deeds that may happen to its orders."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.done = world, Random(seed), set[str]()
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(days=self.random.randrange(360))
        with self.acting():
            self._agree()

    @contextmanager
    def acting(self, who: Actor | None = None) -> Iterator[None]:
        """Act as somebody (the system) at the present time, in a request and a session of their own."""
        app = self.world.app
        with clock.frozen(self.now), app.app_context(), app.test_request_context("/"), acting(who or system("tests")):
            yield

    def _agree(self) -> None:
        company, until = self.world.company_id, self.now + timedelta(days=20)
        bolt = factories.make_product("BOLT", price="2.50").id
        factories.make_product("GIFT", price="1.00")
        with write():
            for key, value in (("freight", D("9.90")), ("freight_free_from", D(100)), ("confirm_automatically", False)):
                set_value("orders", key, value)
        self.world.rule("120")
        promotion("TEN", min_value=D(50), valid_until=until)
        promotion("SPRING", "amount", "20", voucher="SPRING", uses=1, on_agreed=True, valid_until=until)
        promotion("PLUS", "free_goods", "0", free_quantity=D(1), for_every=D(10), on_agreed=True)
        since, more = self.now - timedelta(days=9), {"currency": "EUR", "status": "active", "note": ""}
        agreements.save(None, {
            "code": "VA", "name": "VA", "company_id": company, "product_id": bolt, "category_id": None, "unit": "pcs",
            "quantity": D(60), "kind": "fixed", "value": D(2), "per": D(1), "valid_from": since, "valid_until": until,
                **more,
        })  # fmt: skip
        rebates.save(None, {
            "code": "RB", "name": "RB", "company_id": company, "period": "year", "starts": date(2020, 1, 1), "ends": None,
            "basis": "net", "unit": "", "kind": "percent", "mode": "retroactive", "products": [], "categories": [],
            "steps": [(D(100), D(1)), (D(400), D(3))], **more,
        })  # fmt: skip
        with acting(self.world.actor("carl")):
            centre = cost_centres.add(company, {"code": "A", "name": "A", "owner": ""})
            values = {
                "period": "month",
                "carry_over": "left",
                "amount": D(600),
                "mode": self.random.choice(["block", "require"]),
            }
            budgets.save(centre, db.session.get_one(Company, company), values)

    def buyer(self) -> Actor:
        """Return who orders."""
        return self.world.actor("anna", BUYER)

    def one_of(self, *states: str) -> str:
        """Return the number of an order in one of the states; with none the deed is refused."""
        with self.acting():
            numbers = list(db.session.scalars(select(Order.number).where(Order.state.in_(states)).order_by(Order.id)))
        return self.random.choice(numbers) if numbers else ""

    def place(self) -> None:
        """Order at what the page showed, and send it twice."""
        with self.acting(self.buyer()):
            for sku in self.random.sample(["A-1", "BOLT"], self.random.randrange(1, 3)):
                cart.add([NewItem(sku, D(self.random.choice([1, 10, 10, 25])))])
            if self.random.random() < 0.4:
                with suppress(TukkuError):
                    vouchers.enter("SPRING")
        with self.acting(self.buyer()):
            page = pages.cart_page(Stage.SUBMIT)
            total, key = page.priced.totals.gross, page.order.client_reference
            asked = placing.Placement(expected_total=total, cart_key=key, seen=pages.read_seen(page.seen))
        with self.acting(self.buyer()):
            number = placing.place(asked).order.number
            again = placing.place(asked)
            assert (again.new, again.order.number, again.order.gross) == (False, number, total)

    def decide(self) -> None:
        """Let somebody who may decide do so."""
        number, outcome = self.one_of("submitted"), self.random.choice(["approved", "approved", "rejected"])
        with self.acting():
            one = services.pending(number)
            able, digest = one.flow.able(), one.order.digest
        name = next(name for name, user_id in self.world.people.items() if str(user_id) in able or not able)
        with self.acting(self.world.actor(name)):
            deciding.decide(number, deciding.Said(outcome, digest, "because"))

    def lower(self) -> None:
        """Lower a price by hand: the buyer never pays more than they ordered for."""
        number = self.one_of("submitted")
        with self.acting():
            before, was = queries.find(number).gross, queries.lines_of(queries.find(number).id)[0].unit_price
            now = manual.set_on_order(number, 1, self.random.choice(TERMS)).unit_price
            assert now >= was or queries.find(number).gross <= before

    def move(self) -> None:
        """Ship, cancel or take back parts of lines."""
        number = self.one_of("confirmed", "completed")
        kind = self.random.choice(["shipped", "shipped", "cancelled", "returned"])
        with self.acting():
            order = queries.find(number)
            room = {line.position: sums_of([order.id])[line.id].room(kind) for line in queries.lines_of(order.id)}
            some = {place: left if self.random.random() < 0.5 else D(1) for place, left in room.items() if left > 0}
            lifecycle.record(number, kind, some)

    def confirm(self) -> None:
        """Confirm what waits."""
        number = self.one_of("submitted")
        with self.acting():
            lifecycle.confirm(number)

    def cancel(self) -> None:
        """Cancel what was not shipped."""
        number = self.one_of("submitted", "confirmed")
        with self.acting():
            lifecycle.cancel(number, "no more")

    def wait(self) -> None:
        """Let time go by, and jobs run."""
        self.now += timedelta(days=self.random.choice([0, 1, 6, 31]))
        with clock.frozen(self.now):
            run_due(self.world.app)

    def step(self) -> None:
        """Do one deed."""
        deeds = (self.place, self.decide, self.lower, self.move, self.confirm, self.cancel, self.wait)
        self.now += timedelta(minutes=5)
        with suppress(TukkuError):
            deed = self.random.choices(deeds, (6, 3, 5, 5, 3, 1, 2))[0]
            deed()
            self.done.add(deed.__name__)

    def check(self) -> None:
        """Compare everything that is kept with the orders."""
        with clock.frozen(self.now):
            assert swept(self.world.app) == {}
        with self.acting():
            drawn = sum(db.session.scalars(select(Drawn.reserved + Drawn.committed)), D(0))
            assert 0 <= drawn <= db.session.scalars(select(Agreement.quantity)).one()
            for order in db.session.scalars(select(Order).where(Order.state != "cart")).all():
                entries = list(db.session.scalars(select(Spent).where(Spent.order_id == order.id)))
                reserved, committed = sum(e.reserved for e in entries), sum(e.committed for e in entries)
                most = order.net + order.charges_net
                assert 0 <= reserved <= (most if order.state == "submitted" else 0)
                assert 0 <= committed <= (most if order.state in ("confirmed", "completed") else 0)
                if any(h.code == "approval" and h.released_at is None for h in queries.holds_of(order.id)):
                    assert order.state != "submitted" or services.pending_of(order).flow.able()


@pytest.mark.parametrize("seed", [2, 5, 8])
def test_whatever_happens_to_orders_everything_agrees(app, seed):
    life = Life(World(app), seed)
    for n in range(STEPS):
        life.step()
        if n % 6 == 5:
            life.check()
    while number := life.one_of("submitted"):
        with life.acting():
            lifecycle.cancel(number, "the end")
    life.check()
    assert len(life.done) >= 5
