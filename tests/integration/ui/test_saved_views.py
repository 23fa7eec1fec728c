"""Saved views: a list's filters and columns under a name, one's own or shared with staff; they never widen what one sees."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from core.data.scope import Actor, Scope, acting
from core.spec.errors import Forbidden, Invalid
from core.testing import factories as make
from core.ui import saved

LIST = "companies.companies"
PATH = "/admin/companies/c/"
STAFF = frozenset({saved.OWN})


@pytest.fixture
def staff(app, login):
    """Sign in three of the staff: two who may share, and one of the warehouse."""
    make.make_company("ACME", name="Acme Oy")
    for role in ("admin", "sales", "warehouse"):
        make.make_staff(f"{role}@tukku.example", [role])
    return {role: login(f"{role}@tukku.example") for role in ("admin", "sales", "warehouse")}


def _save(client, name, query="q=acme&col=name", **flags):
    answer = client.post("/list-views/save", data={"list": LIST, "path": PATH, "query": query, "name": name, **flags})
    assert answer.status_code == 303
    return answer.headers["Location"]


def _code(address):
    return parse_qs(urlsplit(address).query)["view"][0]


def test_a_view_is_saved_opened_changed_and_deleted(staff):
    sales = staff["sales"]
    address = _save(sales, "Mine")
    assert parse_qs(urlsplit(address).query).items() >= {"q": ["acme"], "col": ["name"]}.items()
    page = sales.get(address).text
    assert "Mine</a>" in page
    assert "Mine" not in staff["admin"].get(PATH).text, "one's own is nobody else's"
    changed = _save(sales, "Renamed", "q=oy", code=_code(address))
    page = sales.get(changed).text
    assert "Renamed</a>" in page
    assert "Mine</a>" not in page
    gone = sales.post("/list-views/delete", data={"code": _code(address), "path": PATH, "query": "q=oy"})
    assert gone.headers["Location"] == f"{PATH}?q=oy&view=all", "what was shown stays"
    assert "Renamed</a>" not in sales.get(PATH).text


def test_a_shared_view_is_everybodys_and_changed_by_those_who_may_share(staff):
    address = _save(staff["sales"], "Team", shared="on")
    assert "Team</a>" in staff["warehouse"].get(PATH).text
    _save(staff["warehouse"], "Taken over", code=_code(address))
    assert "another" in staff["warehouse"].get(PATH).text
    _save(staff["warehouse"], "Pushed", shared="on")
    assert "may not share" in staff["warehouse"].get(PATH).text
    _save(staff["admin"], "Whole team", code=_code(address), shared="on")
    assert "Whole team</a>" in staff["sales"].get(PATH).text


def test_the_list_opens_with_the_chosen_view_until_it_is_withdrawn(staff):
    address = _save(staff["sales"], "Team", shared="on")
    warehouse = staff["warehouse"]
    warehouse.post("/list-views/first", data={"code": _code(address), "first": "1", "path": PATH})
    opened = warehouse.get(PATH)
    assert opened.status_code == 302
    assert _code(opened.headers["Location"]) == _code(address)
    page = warehouse.get(f"{PATH}?view=all")
    assert f'href="{PATH}?view=all"' in page.text, "the way to all rows stays open"
    _save(staff["sales"], "Team", code=_code(address))  # no longer shared
    assert warehouse.get(PATH).status_code == 200


def test_exports_follow_the_view(staff):
    make.make_company("OTHER", name="Other Oy")
    address = _save(staff["sales"], "Names")
    rows = staff["sales"].get(f"{address}&export=csv").text.splitlines()
    assert len(rows) == 2
    assert "Acme Oy" in rows[1]
    assert rows[0].count(",") == 1


def test_a_view_asks_for_what_is_not_there_and_says_so(staff):
    address = _save(staff["sales"], "Old", "gone__risk=1&col=name&col=gone__risk")
    page = staff["sales"].get(address).text
    assert "It was left out." in page
    assert "Acme Oy" in page


def test_buyers_keep_views_of_their_own_orders(app, login):
    company = make.make_company("ACME")
    make.make_user("anna@acme.example", company=company)
    make.make_user("ben@acme.example", company=company)
    anna, ben = login("anna@acme.example"), login("ben@acme.example")
    sent = {"list": "orders.history", "path": "/orders", "query": "state=confirmed", "name": "Under way"}
    anna.post("/list-views/save", data=sent)
    assert "Under way</a>" in anna.get("/orders").text
    assert "Under way" not in ben.get("/orders").text
    assert "all staff" not in anna.get("/orders").text
    anna.post("/list-views/save", data={**sent, "name": "For all", "shared": "on"})
    assert "may not share" in anna.get("/orders").text


def test_names_are_given_once_and_lengths_are_bounded(data_app):
    one, two = [make.make_staff(f"{name}@x.example", ["sales"]).id for name in ("one", "two")]
    first = Actor(one, "One", Scope("merchant"), permissions=STAFF)
    with acting(first):
        saved.save(LIST, " My  view ", [("q", "x"), ("after", "abc"), ("state", "")])
        (view,) = saved.saved_views(LIST).views
        assert (view.name, view.params) == ("My view", (("q", "x"),))
        for name, pairs in (("My view", []), ("", []), ("n" * 61, []), ("long", [("q", "x" * 600)])):
            with pytest.raises(Invalid):
                saved.save(LIST, name, pairs)
        with pytest.raises(Forbidden):
            saved.save(LIST, "all", [], shared=True)
    with acting(Actor(two, "Two", Scope("merchant"), permissions=STAFF)):
        assert saved.save(LIST, "My view", []).mine
