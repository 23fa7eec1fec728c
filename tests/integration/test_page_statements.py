"""How many statements the pages of a signed-in buyer take with contract prices on: few, and as many for one as for many."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask

from addons.pricing_contract import models
from core.catalog.models import Product
from core.catalog.search.documents import reindex
from core.data import clock
from core.data.write import write
from core.testing.factories import Unit, make_category, make_company, make_product, make_user

#: page -> statements while the catalogue stays as it is; the first time after a change it takes those of the catalogue too.
PAGES = {"/c/goods": 6, "/search": 6, "/search?view=cards": 6, "/p/SCREW-1": 6, "/products": 3, "/": 5, "/cart": 10}


@pytest.fixture
def app(app_with: Callable[..., Flask]) -> Flask:
    return app_with(addons=["pricing_contract"])


@pytest.fixture
def add(app):
    """Add products of a category, each with contracts of its own for a company."""
    company = make_company("ACME", parent=make_company("GROUP"))
    make_category("goods")
    make_user("anna@acme.example", company=company)

    def add(numbers):
        made = [
            make_product(f"SCREW-{n}", price="10", name=f"Screw {n}", category="goods", units=[Unit("pcs"), Unit("box", 10)])
            for n in numbers
        ]
        now = clock.now()
        with write() as session:
            for product in made:
                code = f"C-{product.sku}"
                contract = models.Contract(
                    code=code,
                    name=code,
                    audience="company",
                    company_id=company.id,
                    currency="EUR",
                    created_at=now,
                    updated_at=now,
                )
                session.add(contract)
                session.flush()
                for least in ("0", "50"):
                    session.add(
                        models.ContractPrice(
                            contract_id=contract.id, target=models.target_of(product.id, None), product_id=product.id,
                            kind="fixed", value=Decimal("5") - Decimal(least) / 100, unit="pcs", min_quantity=Decimal(least),
                            per=Decimal(1), valid_from=now, terms=None,
                        )
                    )  # fmt: skip
        with write():
            reindex([product.id for product in made])

    return add


def test_pages_take_few_statements_however_much_there_is(app, add, login, count_statements):
    add([1])
    buyer = login("anna@acme.example")
    buyer.post("/cart/add", data={"sku": "SCREW-1", "unit": "pcs", "quantity": "3"})
    for more in ([], range(2, 40)):
        add(more)
        for page, most in PAGES.items():
            assert buyer.get(page).status_code == 200
            with count_statements(at_most=most):
                text = buyer.get(page).text
            if page in ("/c/goods", "/p/SCREW-1"):
                assert "5.00" in text
                assert "4.50" in text, "the ladder"


def test_a_change_is_on_the_next_page(app, add, login):
    add([1, 2])
    buyer = login("anna@acme.example")
    other = login("anna@acme.example")
    for client in (buyer, other):
        assert "Screw 1" in client.get("/c/goods").text
        assert "Screw 1" in client.get("/p/SCREW-1").text
    with write() as session:
        session.query(models.ContractPrice).filter_by(min_quantity=Decimal(0)).update({"value": Decimal("3.21")})
    assert "3.21" in buyer.get("/c/goods").text
    assert "3.21" in buyer.get("/p/SCREW-1").text
    with write() as session:
        session.query(Product).filter_by(sku="SCREW-1").update({"status": "discontinued"})
    assert "Screw 1" not in other.get("/c/goods").text
    assert "Screw 2" in other.get("/c/goods").text
