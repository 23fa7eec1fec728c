"""What must hold for any set of contracts."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from addons.pricing_contract.models import Contract
from core.data.db import db
from core.data.write import write
from core.pricing import services
from core.spec.pricing import PriceRequest
from core.testing.factories import Unit, make_category, make_company, make_product, make_segment

from .conftest import contract, row

D = Decimal
#: what a contract is for, its policy and priority, and its rows: selector, kind, value, from quantity, unit
ROW = st.tuples(
    st.sampled_from(["product", "category", "root", "all"]),
    st.sampled_from(["fixed", "percent", "amount_off"]),
    st.integers(0, 90),
    st.sampled_from([0, 10, 100]),
)
CONTRACT = st.tuples(
    st.sampled_from(["company", "parent", "segment", "location", "public"]),
    st.sampled_from(["override", "best_of", "fallback"]),
    st.integers(0, 2),
    st.lists(ROW, min_size=1, max_size=4, unique_by=lambda r: (r[0], r[3])),
)
QUANTITIES = [D(q) for q in ("1", "9", "10", "99", "100", "1000")]
FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """One tree of two companies, a segment, and products; contracts come and go."""

    def __init__(self) -> None:
        self.parent = make_company("PARENT")
        self.company = make_company("CHILD", parent=self.parent, segments=["gold"])
        self.root = make_category("goods")
        self.category = make_category("bolts", parent=self.root)
        units = [Unit("pcs"), Unit("box", 10)]
        self.products = [
            make_product("A", price="100", category="bolts", units=units),
            make_product("B", price="0.0456", category="goods", units=units),
            make_product("C", price=None, category="bolts", units=units),
        ]
        self.ids = [product.id for product in self.products]
        self.where = services.context(company_id=self.company.id)
        self.guest = services.context(company_id=None)

    def make(self, found: list) -> None:
        """Replace all contracts by these; each has a code by its place in the list."""
        with write():
            db.session.execute(delete(Contract))
        for code, (audience, policy, priority, rows) in found:
            made = contract(
                code,
                company={"company": self.company, "parent": self.parent}.get(audience),
                segment=make_segment("gold") if audience == "segment" else None,
                merge_policy=policy, priority=priority,
                **({"audience": audience, "country": "FI"} if audience == "location" else {}),
            )  # fmt: skip
            for selector, kind, value, minimum in rows:
                target = {"product": self.products[0], "category": self.category, "root": self.root, "all": None}[selector]
                unit = "pcs" if kind != "percent" else None
                row(made, target, str(value), kind=kind, min_quantity=str(minimum), unit=unit)

    def prices(self, where, unit="pcs", explain=False):
        """Return what every product costs at every quantity."""
        requests = [PriceRequest(f"{i}/{q}", i, unit, q) for i in self.ids for q in QUANTITIES]
        return services.price(where, requests, explain).lines


def numbered(contracts: list) -> list:
    return [(f"K{n:02d}", found) for n, found in enumerate(contracts)]


def test_order_of_input_never_changes_a_price(shop):
    world = World()

    @FEW
    @given(st.lists(CONTRACT, max_size=5), st.randoms(use_true_random=False))
    def check(contracts, random):
        known = numbered(contracts)
        world.make(known)
        before = [(line.price, line.per, line.source) for line in world.prices(world.where)]
        shuffled = [(code, (*found[:3], random.sample(found[3], len(found[3])))) for code, found in known]
        random.shuffle(shuffled)
        world.make(shuffled)
        assert [(line.price, line.per, line.source) for line in world.prices(world.where)] == before

    check()


def test_explained_single_and_batched_prices_agree_and_guests_get_public_ones(shop):
    world = World()

    @FEW
    @given(st.lists(CONTRACT, max_size=5))
    def check(contracts):
        world.make(numbered(contracts))
        public = {f"contract:K{n:02d}" for n, found in enumerate(contracts) if found[0] == "public"}
        for where in (world.where, world.guest):
            for unit in ("pcs", "box"):
                plain, told = world.prices(where, unit), world.prices(where, unit, explain=True)
                alone = [
                    services.price(where, [PriceRequest("1", x.product_id, unit, x.quantity)]).lines[0] for x in plain[:3]
                ]
                assert [(x.price, x.per, x.source) for x in plain] == [(x.price, x.per, x.source) for x in told]
                assert [x.price for x in alone] == [x.price for x in plain[:3]]
                for line in told:
                    assert line.price is None or line.price >= 0
                    assert all(a.after == b.before for a, b in pairwise(line.trace))
                    assert not line.trace or line.trace[-1].after == line.price
        assert {line.source for line in world.prices(world.guest)} <= {"", "list", *public}

    check()
