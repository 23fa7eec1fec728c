"""Lists: what the URL asks for is what is shown, counted, summed and exported; addons' columns cost one query a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from core.companies.models import Company
from core.data import clock
from core.data.scope import Actor, Scope, acting, set_actor, system
from core.data.write import write
from core.orders.models import Order
from core.registry.incidents import IncidentLog
from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import EXTENSION, Contribution, Registry
from core.registry.resolver import Plan
from core.spec.ui import Action, Column, ListFilter
from core.testing import factories as make
from core.ui.listing import Listing
from core.ui.resource import Field, Resource
from core.ui.states import state_choices

ORDERS = Resource(
    key="orders.orders",
    title="Orders",
    id=Order.id,
    code="number",
    source=lambda statement: statement.join(Company, Company.id == Order.company_id),
    where=lambda: [Order.state != "cart"],
    fields=(
        Field("number", "Number", Order.number, "code", search=True),
        Field("company", "Company", Company.name, search=True),
        Field("state", "State", Order.state, "state", choices=state_choices("submitted", "confirmed")),
        Field("submitted", "Submitted", Order.submitted_at, "instant"),
        Field("net", "Net", Order.net, "money", extra="currency", total=True),
        Field("margin", "Margin", Order.tax, "money", extra="currency", permission="orders.margin.view"),
        Field("currency", "Currency", Order.currency, column=False, filter=False),
    ),
    order="number",
    link=lambda code: f"/admin/orders/{code}",
    page_size=3,
)


class Calls:
    """An addon's column and filter, counting how often they are asked."""

    def __init__(self) -> None:
        self.count = 0

    def values(self, ids: Any) -> Mapping[int, Any]:
        self.count += 1
        return {row: f"risk {row}" for row in ids}


@pytest.fixture
def calls(data_app):
    """Give the app a registry in which one addon adds a column and a filter to the list of orders."""
    calls = Calls()
    column = Column("risk", "orders.orders", "Risk", calls.values)
    big = ListFilter(
        "big",
        "orders.orders",
        "Big",
        lambda value: select(Order.id).where(Order.net > Decimal(value)),
        lambda: [("100", "over 100")],
    )
    contributed = {"ui_columns": (Contribution("credit", column),), "ui_filters": (Contribution("credit", big),)}
    data_app.extensions[EXTENSION] = Registry(
        1, Plan((), (), {}), (), hook_infos(make_manager()), contributed, {}, IncidentLog()
    )
    with data_app.test_request_context("/admin/orders"):
        set_actor(system("tests"))
        yield calls


@pytest.fixture
def orders(calls):
    """Seven orders of two companies, in two currencies, and a cart that is no order."""
    seller, one, two = make.make_seller(), make.make_company("ONE"), make.make_company("TWO")
    with write() as session:
        for at in range(1, 9):
            session.add(
                Order(
                    seller_id=seller.id,
                    company_id=(one if at % 2 else two).id,
                    number=f"SO-{at}" if at < 8 else None,
                    state="cart" if at == 8 else "submitted" if at < 4 else "confirmed",
                    currency="EUR" if at < 6 else "SEK",
                    net=Decimal(at * 100),
                    submitted_at=clock.now() if at != 2 else None,
                    created_at=clock.now(),
                    updated_at=clock.now(),
                )
            )


def _ask(query: str = "") -> Listing:
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return Listing(ORDERS, MultiDict(pairs), "/admin/orders")


def _numbers(query: str = "") -> list[str]:
    return [row.code for row in _ask(query).page().rows]


def _value(url: str, name: str) -> str:
    return next(part.partition("=")[2] for part in url.partition("?")[2].split("&") if part.startswith(name + "="))


def test_pages_follow_each_other_by_keyset(orders):
    first = _ask().page()
    assert [row.code for row in first.rows] == ["SO-1", "SO-2", "SO-3"]
    assert first.pager.text == "3 of 7 rows"
    assert (first.pager.previous_url, first.pager.first_url) == ("", "")
    second = _ask("after=" + _value(first.pager.next_url, "after")).page()
    assert [row.code for row in second.rows] == ["SO-4", "SO-5", "SO-6"]
    back = _ask("before=" + _value(second.pager.previous_url, "before")).page()
    assert [row.code for row in back.rows] == ["SO-1", "SO-2", "SO-3"]


def test_sort_goes_both_ways_and_back_to_the_first_page(orders):
    assert _numbers("sort=-net") == ["SO-5", "SO-4", "SO-3"]  # amounts are compared within a currency
    listing = _ask("sort=-net&after=xyz")
    assert "after" not in listing.url(sort="net")
    assert _numbers("sort=nonsense") == ["SO-1", "SO-2", "SO-3"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("state=submitted", ["SO-1", "SO-2", "SO-3"]),
        ("net=>=600", ["SO-6", "SO-7"]),
        ("net=200..300", ["SO-2", "SO-3"]),
        ("net=..100", ["SO-1"]),
        ("q=so-7", ["SO-7"]),
        ("q=two 6", ["SO-6"]),
        ("q=100%", []),
        ("credit__big=600", ["SO-7"]),
        ("number=_", []),
        ("submitted=2001-01-01", []),
        ("state=submitted&net=>250", ["SO-3"]),
    ],
)
def test_filters(orders, query, numbers):
    assert _numbers(query) == numbers


def test_today_finds_instants_of_the_whole_day(orders):
    assert _ask("submitted=today").page().count == 6


@pytest.mark.parametrize("query", ["net=abc", "net=NaN", "state=; drop table", "submitted=31.2.", "net=>="])
def test_a_filter_that_cannot_be_read_is_said_and_left_out(orders, query):
    page = _ask(query).page()
    assert page.count == 7
    assert len(page.problems) == 1


def test_chips_read_as_sentences_and_can_be_taken_away(orders):
    page = _ask("state=submitted&net=>=100&sort=-net").page()
    assert {chip.text for chip in page.chips} == {"State is Submitted", "Net from 100"}
    without = next(chip for chip in page.chips if chip.text.startswith("State")).remove_url
    assert without == "/admin/orders?net=%3E%3D100&sort=-net"


def test_totals_are_by_currency_under_the_filter(orders):
    totals = {total.extra: total.values["net"] for total in _ask("net=>=200").page().totals}
    assert totals == {"EUR": Decimal(1400), "SEK": Decimal(1300)}


def test_columns_can_be_chosen_and_the_code_stays(orders):
    names = [column.name for column in _ask("col=net&col=credit__risk").page().columns]
    assert names == ["number", "net", "credit__risk"]


def test_an_addon_column_costs_one_call_and_a_page_few_statements(orders, calls, count_statements):
    with count_statements(2):
        page = _ask().page()
    assert calls.count == 1
    assert page.rows[0].cells["credit__risk"] == f"risk {page.rows[0].id}"


def test_a_field_without_its_permission_is_not_there(orders):
    staff = Actor(1, "Mikko", Scope("merchant"), permissions=frozenset({"orders.order.view"}))
    with acting(staff):
        listing = _ask("sort=margin&margin=>=1&col=margin")
        page = listing.page()
    assert [column.name for column in page.columns] == ["number"]
    assert page.count == 7
    assert not page.chips
    assert listing.sort_field.name == "number"


def test_export_is_all_pages_of_what_is_seen(orders):
    response = _ask("state=confirmed&sort=-net&col=number&col=state&col=net").export("csv")
    rows = list(csv.reader(io.StringIO(response.get_data(as_text=True).lstrip("\ufeff"))))
    assert rows == [
        ["Number", "State", "Net", "Currency"],
        ["SO-5", "Confirmed", "500", "EUR"],
        ["SO-4", "Confirmed", "400", "EUR"],
        ["SO-7", "Confirmed", "700", "SEK"],
        ["SO-6", "Confirmed", "600", "SEK"],
    ]
    assert response.headers["Content-Disposition"].startswith('attachment; filename="orders-')


def test_an_action_is_offered_to_whoever_has_its_permission(app_with):
    app = app_with(addons=[])
    own = (
        Action("drop", "orders.orders", "Drop", "orders_admin.orders", "orders.order.cancel", "trash", dangerous=True),
        Action("gone", "orders.orders", "Gone", "nowhere.view", "orders.desk.view"),
    )
    allowed = {"orders.desk.view", "orders.order.cancel"}
    offered = {}
    for name, may in (("none", allowed - {"orders.order.cancel"}), ("all", allowed)):
        staff = Actor(1, "Mikko", Scope("merchant"), permissions=frozenset(may))
        with app.test_request_context("/admin/orders"), acting(staff):
            offered[name] = [(link.label, link.dangerous) for link in _ask().page(own).actions]
    assert offered == {"none": [], "all": [("Drop", True)]}
