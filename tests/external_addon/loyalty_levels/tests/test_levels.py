"""Levels: who reaches which, grace before one is lost, the discount, and what the buyer sees."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.api.data import now, write
from core.api.orders import Movement
from core.api.pricing import context, price_one
from core.api.settings import set_value
from core.testing import factories
from core.testing.signin import sign_in
from core.testing.sweeping import break_rows, swept
from loyalty_levels import reports, services
from loyalty_levels.models import Level, Standing
from loyalty_levels.rules import Bought, Place, Target, decide

NOW = datetime(2026, 5, 1, tzinfo=UTC)
GRACE = timedelta(days=30)
SILVER, GOLD = Target(1, 1, Decimal(100), 1, Decimal(100)), Target(2, 2, Decimal(500), 3, Decimal(10))


@pytest.mark.parametrize(
    ("spend", "orders", "returns", "level"),
    [(99, 5, 0, None), (100, 1, 0, SILVER), (500, 2, 0, SILVER), (500, 3, 10, GOLD), (900, 9, "10.1", SILVER)],
)
def test_all_three_count(spend, orders, returns, level):
    assert decide([SILVER, GOLD], Bought(Decimal(spend), orders, Decimal(returns)), Place(), NOW, GRACE) == Place(level)


def test_a_level_is_lost_only_after_the_grace():
    little = Bought(Decimal(100), 1)
    kept = decide([SILVER, GOLD], little, Place(GOLD), NOW, GRACE)
    assert kept == Place(GOLD, NOW + GRACE)
    assert decide([SILVER, GOLD], little, kept, NOW + timedelta(days=29), GRACE) == kept
    assert decide([SILVER, GOLD], little, kept, NOW + GRACE, GRACE) == Place(SILVER)
    assert decide([SILVER, GOLD], Bought(Decimal(500), 3), kept, NOW, GRACE) == Place(GOLD)


@pytest.fixture
def shop(app_with):
    """A shop with two levels, a company that bought for 600, and a product on sale."""
    app = app_with(addons=["loyalty_levels"])
    company = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=company)
    with write() as session:
        session.add(Level(rank=1, name="Silver", percent=Decimal(5), min_spend=Decimal(100)))
        session.add(Level(rank=2, name="Gold", percent=Decimal(10), min_spend=Decimal(1000), max_returns=Decimal(20)))
    sound, sale = factories.make_product("A-1"), factories.make_product("S-1", category="sale")
    factories.make_order(company, [(sound, 60), (sale, 50)], number="1", state="confirmed")
    factories.make_order(company, [(sound, 60)], number="2", state="rejected")
    set_value("loyalty_levels", "sale_category", "sale")
    return app, company.id


def standing(company_id):
    from core.api.data import db

    return db.session.get(Standing, company_id)


def test_counts_gives_a_discount_and_leaves_the_sale_alone(shop):
    _app, company_id = shop
    assert services.count() == 1
    found = standing(company_id)
    assert (found.spend, found.orders, found.returns) == (Decimal(600), 1, Decimal(0))
    where = context(company_id=company_id)
    assert price_one(where, "A-1", Decimal(1)).price == Decimal("9.5")
    assert price_one(where, "S-1", Decimal(1)).price == Decimal(10)
    assert price_one(context(company_id=None), "A-1", Decimal(1)).price == Decimal(10)


def test_returns_count_by_value(shop):
    from sqlalchemy import select

    from core.api.data import db
    from core.api.orders import OrderLine

    _app, company_id = shop
    line = db.session.scalars(select(OrderLine).where(OrderLine.sku == "A-1")).first()
    values = {"line_id": line.id, "company_id": company_id, "quantity": Decimal(15), "at": now()}
    with write() as session:
        session.add(Movement(kind="returned", **values))
    services.count()
    assert standing(company_id).returns == Decimal(25)


def test_buyer_sees_the_way_to_the_next_level(shop):
    app, _company_id = shop
    services.count()
    page = sign_in(app, "anna@acme.example").get("/").text
    assert "Your company has the level Silver" in page
    assert "The next level is Gold" in page
    assert "<progress" in page


def test_staff_keep_the_levels(shop):
    app, _company_id = shop
    factories.make_staff("admin@tukku.example")
    staff = sign_in(app, "admin@tukku.example")
    level = {"rank": 3, "name": "Platinum", "percent": "15", "min_spend": "5000", "min_orders": 12, "max_returns": "5"}
    assert staff.post("/admin/a/loyalty_levels/", data=level).status_code == 302
    assert "3. Platinum" in staff.get("/admin/a/loyalty_levels/").text
    assert staff.post("/admin/a/loyalty_levels/", data={**level, "percent": "95"}).status_code == 422
    staff.post("/admin/a/loyalty_levels/3/delete")
    assert "3. Platinum" not in staff.get("/admin/a/loyalty_levels/").text


def test_staff_see_where_companies_stand(shop):
    app, _company_id = shop
    factories.make_staff("sales@tukku.example", roles=["sales"])
    client = sign_in(app, "sales@tukku.example")
    services.count()
    home = client.get("/admin/").text
    assert re.search(r"<dt>Silver</dt><dd>1 company</dd>", home)
    assert re.search(r"<dt>Gold</dt><dd>0 companies</dd>", home)
    page = client.get("/admin/reports/loyalty_levels.standings").text  # it asks nothing, so it answers at once
    assert "Silver" in page
    rows = client.get("/admin/reports/loyalty_levels.standings.csv").text.splitlines()
    assert "acme" in rows[1]
    assert "Silver" in rows[1]


def test_the_medal_is_served_from_the_addon(shop):
    app, _company_id = shop
    services.count()
    page = sign_in(app, "anna@acme.example").get("/").text
    (address,) = set(re.findall(r'src="([^"]*medal[^"]*)"', page))
    assert sign_in(app, "anna@acme.example").get(address).data.startswith(b"<svg")


def test_a_level_that_is_kept_for_nobody_is_found(shop):
    from core.api.data import db

    _app, company_id = shop
    services.count()
    assert list(reports.kept_for_nothing()) == []
    with write():
        row = db.session.get(Standing, company_id)
        row.level_id, row.grace_until = None, now()
    assert list(reports.kept_for_nothing()) == ["acme"]


def test_the_doctor_names_a_level_that_is_kept_for_nothing(shop):
    app, _company_id = shop
    services.count()
    assert swept(app, "loyalty_levels") == {}
    break_rows(app, "UPDATE loyalty_levels_standing SET level_id = NULL, grace_until = counted_at")
    assert swept(app, "loyalty_levels") == {"LOYALTY-GRACE": ["acme"]}
