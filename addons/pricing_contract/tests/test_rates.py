"""A cost in a currency without a rate: a row made from it offers nothing, there is no floor, and nothing else suffers."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from addons.pricing_contract.models import ProductValue
from core.data.scope import acting, system
from core.data.write import write
from core.pricing import services
from core.spec.pricing import ManualTerms, PriceRequest
from core.testing import factories

from .conftest import contract, row


@pytest.fixture
def goods(office):
    """Two products with a cost, that of the first in dollars, for which there is no rate."""
    with office.app_context(), acting(system("tests")):
        found = [factories.make_product(sku, price="20") for sku in ("FAR", "NEAR")]
        with write() as session:
            for product, currency in zip(found, ("USD", "EUR"), strict=True):
                session.add(ProductValue(product_id=product.id, kind="cost", currency=currency, amount=D(10)))
        yield found


def _lines(goods, **more):
    asked = [PriceRequest(product.sku, product.id, "pcs", D(1)) for product in goods]
    return services.price(services.context("EUR"), asked, explain=True, **more).lines


def test_a_row_made_from_such_a_cost_offers_nothing_and_the_others_stand(goods):
    agreed = contract("C")
    for product in goods:
        row(agreed, product, "50", kind="cost_plus")
    far, near = _lines(goods)
    assert (far.price, near.price) == (D(20), D(15))


def test_the_others_keep_their_floor(goods):
    far, near = _lines(goods, manual={p.sku: ManualTerms(price=D(5)) for p in goods})
    assert (far.floor, near.floor) == (None, D(10))
