"""Contracts for programs."""

import pytest

from core.restapi import keys
from core.testing import factories as make


@pytest.mark.database("sqlite")
def test_a_program_writes_a_contract_and_gets_its_price(app):
    company = make.make_company("ACME")
    make.make_product("M8", price="10")
    key = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret
    own = keys.create("Shop", ["catalog.product.view", "pricing.price.view"], company_id=company.id, days=1).secret

    def call(method, path, body=None, secret=key):
        return app.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}"}
        )

    contract = {
        "code": "C1",
        "name": "Deal",
        "audience": "company",
        "company": "ACME",
        "currency": "EUR",
        "status": "active",
    }
    root = "/pricing_contract/contracts"
    assert call("POST", f"{root}/batch", {"rows": [contract]}).json["created"] == 1
    row = {"contract": "C1", "sku": "M8", "unit": "pcs", "currency": "EUR", "value": "7.5"}
    assert call("POST", f"{root}/prices/batch", {"rows": [row]}).json["created"] == 1
    assert call("POST", f"{root}/prices/batch", {"rows": [row]}).json["unchanged"] == 1
    line = call("POST", "/prices/quote", {"lines": [{"sku": "M8", "quantity": "1"}]}, own).json["lines"][0]
    assert (line["price"], line["reason"]) != ("10", "")
    assert line["price"] == "7.5", line
    assert call("GET", root).json["items"][0]["company"] == "ACME"
    assert call("GET", f"{root}/C1").headers["ETag"]
    assert call("GET", root, secret=own).status_code == 403
    assert call("POST", f"{root}/batch", {"rows": [{"code": "C2"}]}).json["failed"] == 1
    assert "PricingContractContractItem" in app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]
