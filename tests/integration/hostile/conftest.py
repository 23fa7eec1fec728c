"""A shop in which everything that can be named is there once, and people of every side signed in."""

from __future__ import annotations

import pytest

from core.testing import factories as make


@pytest.fixture
def world(app):
    """Companies, people, products, orders: what the addresses of all pages lead to. Faults are answered with 500."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    make.make_segment("gold")
    product = make.make_product("M8", price="2", name="Bolt")
    company = make.make_company("ours-code", name="Ours Oy", segments=["gold"])
    make.make_address(company, "site", name="Ours site")
    make.make_staff("admin@tukku.example", ["admin", "sales", "finance", "warehouse"])
    user = make.make_user("boss@ours.example", company=company, roles=["company_admin", "orderer", "approver"])
    make.make_order(company, [(product, 2)], number="SO-1", user=user, note="note", po_number="PO")
    return {"company": company, "product": product, "user": user}
