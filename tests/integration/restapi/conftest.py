"""Two mirrored companies, and callers with keys of each and of the merchant."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from core.data.scope import acting, system
from core.restapi import keys
from core.testing import factories as make

MARK = "theirs"


@dataclass
class Caller:
    """A program with a key."""

    app: Any
    secret: str

    def __call__(self, method, path, body=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, str) else json.dumps(body)
        return self.app.test_client().open(
            f"/api/v1{path}",
            method=method,
            data=data,
            content_type="application/json" if body is not None else None,
            headers={**({"Authorization": f"Bearer {self.secret}"} if self.secret else {}), **names},
        )

    def get(self, path, **headers):
        return self("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self("POST", path, {} if body is None else body, **headers)


@pytest.fixture
def key_of(app):
    """Make a key: ``key_of(company, "orders.order.place")``, with everything there is where no permission is named."""

    def make_key(company=None, *permissions, days=30):
        company_id = company.id if company else None
        with acting(system("tests")):
            wanted = permissions or keys.offered(company_id)
            return Caller(app, keys.create("a program", wanted, company_id=company_id, days=days).secret)

    return make_key


@pytest.fixture
def world(app):
    """Return (product, our company, their company); each has an order, a buyer and an address of the same kind."""
    product = make.make_product("M8", price="10")
    make.make_product("ASK", price=None)
    return product, _fill("ours", product), _fill(MARK, product)


def _fill(name, product):
    company = make.make_company(f"{name}-code", name=f"{name} Oy", segments=["gold"])
    make.make_address(company, f"{name}-site", name=f"{name} site")
    user = make.make_user(f"{name}@x.example", company=company, roles=["company_admin"])
    make.make_order(company, [(product, 2)], number=f"SO-{name}", user=user, note=f"{name} note", po_number=name)
    return company
