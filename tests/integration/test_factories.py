"""The factories make what they promise, under any actor."""

from __future__ import annotations

from core.data.db import db
from core.data.scope import guest, set_actor
from core.testing import factories as make


def test_factories_work_as_the_system(data_app):
    make.make_seller()
    make.make_tax_rate()
    parent = make.make_company("ACME", segments=["gold"])
    child = make.make_company("ACME-FI", parent=parent)
    user = make.make_user("bo@acme.example", company=child, roles=["orderer", "approver"])
    staff = make.make_staff("sam@tukku.example", ["sales"])
    product = make.make_product("M8X40", price="0.12", units=[make.Unit("pcs"), make.Unit("box", 100)])
    assert child.parent_id == parent.id
    assert staff.is_staff
    assert not user.is_staff
    assert [u.unit for u in product.units] == ["pcs", "box"]


def test_factories_work_under_a_limited_actor(data_app):
    set_actor(guest())
    company = make.make_company("ACME")
    assert company.code == "ACME"
    assert company not in db.session
