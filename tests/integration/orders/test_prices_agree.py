"""Over random contracts: the price in a list, on the page, in the cart and on the order is the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from flask import Flask
from sqlalchemy import delete

from core.data import clock
from core.data.write import write
from core.orders import cart, pages, placing, queries
from core.orders.merging import NewItem
from core.pricing import services as pricing
from core.pricing.display import price_views
from core.spec.orders import Stage
from core.testing import factories

from .conftest import STAFF, Shop, buyer_of, placement, staff

pytest.importorskip("addons.pricing_contract.models")
PRODUCTS = 12
QUANTITIES = (1, 2, 5, 9, 10, 11, 50, 99)


@pytest.fixture
def contract_shop(app_with: Callable[..., Flask]) -> Shop:
    app = app_with(addons=["pricing_contract"])
    mother = factories.make_company("mother")
    company = factories.make_company("acme", parent=mother, segments=["gold"])
    anna = factories.make_user("anna@acme.example", company=company)
    for number in range(PRODUCTS):
        per = "100" if number % 3 == 0 else "1"
        factories.make_product(f"P-{number}", price=None if number == 5 else f"{number + 1}.1234", per=per)
    own, actor = (company.id,), buyer_of(company, anna)
    actor = type(actor)(
        actor.user_id,
        actor.name,
        type(actor.scope)("companies", own, own, (company.id, mother.id)),
        company.id,
        None,
        actor.permissions,
    )
    return Shop(app, company, actor, staff(factories.make_staff("sam@tukku.example"), STAFF))


def make_contracts(shop: Shop, random: Random) -> None:
    """Replace all contracts by random ones: of the company, its parent, its segment, everybody."""
    from sqlalchemy import select

    from addons.pricing_contract.models import Contract, ContractPrice, target_of
    from core.catalog.models import Product
    from core.companies.models import Segment

    with shop.request(shop.staff), write() as session:
        session.execute(delete(ContractPrice))
        session.execute(delete(Contract))
        products = list(session.scalars(select(Product.id).order_by(Product.id)))
        segment = session.scalar(select(Segment.id))
        audiences = [
            ("company", shop.company.id, None),
            ("company", shop.company.parent_id, None),
            ("segment", None, segment),
            ("public", None, None),
        ]
        for index in range(random.randint(1, 6)):
            audience, company_id, segment_id = random.choice(audiences)
            contract = Contract(
                code=f"K{index}",
                name=f"K{index}",
                audience=audience,
                company_id=company_id,
                segment_id=segment_id,
                currency="EUR",
                merge_policy=random.choice(["override", "best_of", "fallback"]),
                priority=random.randint(0, 2),
                created_at=clock.now(),
                updated_at=clock.now(),
                allow_inverted=True,
            )
            session.add(contract)
            session.flush()
            for product_id in random.sample(products, random.randint(1, 8)):
                for minimum in random.sample([0, 2, 10, 50], random.randint(1, 3)):
                    kind = random.choice(["fixed", "percent"])
                    value = (
                        Decimal(random.randint(1, 99999)).scaleb(-4) if kind == "fixed" else Decimal(random.randint(0, 60))
                    )
                    session.add(
                        ContractPrice(
                            contract_id=contract.id,
                            target=target_of(product_id, None),
                            product_id=product_id,
                            kind=kind,
                            value=value,
                            min_quantity=Decimal(minimum),
                            per=Decimal(random.choice([1, 100])) if kind == "fixed" else Decimal(1),
                        )
                    )


@pytest.mark.parametrize("seed", range(6))
def test_the_price_is_the_same_wherever_it_stands(contract_shop, seed):
    shop, random = contract_shop, Random(seed)
    make_contracts(shop, random)
    wanted = {f"P-{n}": Decimal(random.choice(QUANTITIES)) for n in range(PRODUCTS)}
    with shop.request():
        from core.orders import articles

        known = articles.by_sku(wanted)
        pairs = {(known[sku].id, "pcs"): quantity for sku, quantity in wanted.items()}
        views = price_views(pairs, quantities=pairs)
        listed = {sku: (views[known[sku].id, "pcs"].amount, views[known[sku].id, "pcs"].per) for sku in wanted}
        one = {sku: pricing.price_one(pricing.context(), sku, quantity, "pcs") for sku, quantity in wanted.items()}
        assert {sku: (line.price, line.per) for sku, line in one.items()} == listed
    with shop.request():
        cart.add([NewItem(sku, quantity) for sku, quantity in wanted.items()])
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        assert {row.sku: (row.price, row.per) for row in page.rows if row.price is not None} == {
            k: v for k, v in listed.items() if v[0] is not None
        }
        unpriced = [int(row.key) for row in page.rows if row.price is None]
        if unpriced:
            cart.remove(unpriced)
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        number = placing.place(placement(page)).order.number
    with shop.request():
        order = queries.find(number)
        lines = queries.lines_of(order.id)
        assert {line.sku: (line.unit_price, line.per) for line in lines} == {
            k: v for k, v in listed.items() if v[0] is not None
        }
        assert order.net == sum(line.net for line in lines) == page.priced.totals.net
        assert order.gross == page.priced.totals.gross
