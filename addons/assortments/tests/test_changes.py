"""Prepared changes of assortments: who loses and gains what is what buyers will see; published, on a day, undone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.assortments import changes, editing
from addons.assortments.models import AssortmentChange
from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import system
from core.orders import cart
from core.orders.merging import NewItem
from core.spec.errors import Conflict, Invalid
from core.testing.factories import make_staff
from core.testing.rivals import rival
from core.testing.signin import sign_in

PAGE = "/admin/a/assortments/assortments/A"


def prepare(shop, text: str = "", *, remove: bool = False, status: str = "") -> int:
    """Prepare a change of the assortment A and return its id."""
    with shop.request(system("tests")):
        one = editing.by_code("A")
        return changes.prepare(one, editing.read_pasted(one, text, remove=remove)[0], status).id


def found(shop, change: int) -> AssortmentChange:
    return db.session.get_one(AssortmentChange, change)


def act(shop, deed, change: int, *more) -> str:
    """Publish, undo or withdraw; return the change's state."""
    with shop.request(system("tests")):
        one = found(shop, change)
        deed(one.assortment, one, one.version, *more)
        return found(shop, change).state


def test_a_change_says_who_loses_and_who_gains_what_and_nothing_moves(shop):
    shop.make("A", "only", "BOLT", "NUT")
    assert (shop.seen("acme"), shop.seen("other")) == ("BOLT NUT", "BOLT NUT PIPE VALVE LOOSE")
    change = prepare(shop, "PIPE")
    with shop.request(system("tests")):
        effect = found(shop, change).effect
        assert (effect["concerned"], effect["lost"], effect["gained"]) == (2, 0, 1)
        assert {(one["code"], tuple(one["names_gained"])) for one in effect["companies"]} == {
            (shop.acme.code, ("PIPE",)), (shop.daughter.code, ("PIPE",)),
        }  # fmt: skip
    change = prepare(shop, "BOLT", remove=True)
    with shop.request(system("tests")):
        effect = found(shop, change).effect
        assert [one["names_lost"] for one in effect["companies"]] == [["BOLT"], ["BOLT"]]
    assert shop.seen("acme") == "BOLT NUT"
    assert act(shop, changes.publish, change) == "published"
    assert (shop.seen("acme"), shop.seen("daughter")) == ("NUT", "NUT")
    assert act(shop, changes.undo, change) == "undone"
    assert shop.seen("acme") == "BOLT NUT"


def test_open_carts_that_lose_goods_are_named(shop):
    shop.make("A", "without", "PIPE")
    with shop.request("daughter"):
        cart.add([NewItem("BOLT", D(1)), NewItem("NUT", D(1))])
    change = prepare(shop, "BOLT\nVALVE")
    with shop.request(system("tests")):
        assert found(shop, change).effect["carts"] == [
            {"code": shop.daughter.code, "company": shop.daughter.name, "lines": 1, "names": ["BOLT"]}
        ]


def test_a_state_is_prepared_too_visitors_are_told_and_it_waits_for_its_day(shop):
    shop.make("A", "only", "BOLT", audience="public", status="draft")
    change = prepare(shop, status="active")
    with shop.request(system("tests")):
        effect = found(shop, change).effect
        assert effect["concerned"] == 3
        assert [one["code"] for one in effect["companies"]][-1] == ""  # visitors
        assert {one["lost"] for one in effect["companies"]} == {4}
    day = clock.now() + timedelta(days=2)
    assert act(shop, changes.publish, change, day) == "scheduled"
    with shop.request(system("tests")):
        changes.publish_due({"change": change})
    assert shop.seen("acme") == "BOLT NUT PIPE VALVE LOOSE"
    with clock.frozen(day):
        with shop.request(system("tests")):
            changes.publish_due({"change": change})
            changes.publish_due({"change": change})  # a job may run twice
        assert shop.seen("acme") == "BOLT"
        assert act(shop, changes.undo, change) == "undone"
        assert shop.seen("acme") == "BOLT NUT PIPE VALVE LOOSE"


def test_what_was_changed_meanwhile_is_looked_at_again_and_not_undone(shop):
    shop.make("A", "only", "BOLT", "NUT")
    change = prepare(shop, "PIPE")
    with shop.request(system("tests")), clock.frozen(clock.now() + timedelta(seconds=5)):
        editing.paste(editing.by_code("A"), "VALVE")
    with pytest.raises(Invalid, match="Work it out again"):
        act(shop, changes.publish, change)
    with shop.request(system("tests")):
        changes.look_again(found(shop, change).assortment, found(shop, change))
    assert act(shop, changes.publish, change) == "published"
    with shop.request(system("tests")):
        editing.paste(editing.by_code("A"), "PIPE", remove=True)
    with pytest.raises(Conflict, match="changed the same again"):
        act(shop, changes.undo, change)
    assert shop.seen("acme") == "BOLT NUT VALVE"


def test_what_was_there_before_stays_when_a_change_is_undone(shop):
    shop.make("A", "only", "BOLT", "NUT")
    change = prepare(shop, "NUT\nPIPE")
    assert act(shop, changes.publish, change) == "published"
    act(shop, changes.undo, change)
    assert shop.seen("acme") == "BOLT NUT"
    with pytest.raises(Conflict, match="Only a published change"):
        act(shop, changes.undo, change)
    with pytest.raises(Invalid, match="nothing would change"):
        prepare(shop, "NUT")


def test_the_pages_tell_the_same_story(shop):
    shop.make("A", "only", "BOLT", "NUT")
    with shop.request(system("tests")):
        make_staff("sales@tukku.example", ["sales"])
        make_staff("finance@tukku.example", ["finance"])
    sales = sign_in(shop.app, "sales@tukku.example")
    wrong = sales.post(f"{PAGE}/paste", data={"rows": "BOLT\nSCREW", "what": "remove", "prepare": "1"})
    assert (wrong.status_code, "There is no product with this code" in wrong.text) == (422, True)
    answer = sales.post(f"{PAGE}/paste", data={"rows": "BOLT", "what": "remove", "prepare": "1"})
    shown = sales.get(answer.location).text
    assert "Goods to take out" in shown
    assert "Publish the change" in shown
    assert shop.acme.name in shown
    assert sign_in(shop.app, "finance@tukku.example").get(answer.location).status_code == 403
    assert sales.post(f"{answer.location}/publish", data={"version": "1"}).status_code == 303
    assert "Undo the change" in sales.get(answer.location).text
    assert "Goods to take out" in sales.get(PAGE).text
    assert shop.seen("acme") == "NUT"
    assert sales.post(f"{answer.location}/undo", data={"version": "2"}).status_code == 303
    assert shop.seen("acme") == "BOLT NUT"
    ended = sales.post(f"{PAGE}/status", data={"status": "ended", "prepare": "1"})
    assert "State of the assortment: Ended" in sales.get(ended.location).text
    assert sales.post(f"{ended.location}/effect").status_code == 303
    assert sales.post(f"{ended.location}/withdraw", data={"version": "2"}).status_code == 303
    with shop.request(system("tests")):
        assert db.session.scalars(select(AssortmentChange.state).order_by(AssortmentChange.id)).all() == [
            "undone",
            "withdrawn",
        ]


def test_a_change_is_not_published_over_goods_of_that_moment(shop):
    """What somebody puts in while it is looked whether anything changed goes in after it, and not before it unseen."""
    shop.make("A", "only", "BOLT", "NUT")
    change = prepare(shop, "PIPE")

    def put_in():
        editing.paste(editing.by_code("A"), "VALVE")

    with shop.request(system("tests")):
        one = found(shop, change)
        with rival(r"SELECT assortments_assortment\.updated_at", put_in):
            changes.publish(one.assortment, one, one.version)
        db.session.rollback()
        query = select(AuditEntry.after).where(AuditEntry.action == "rows added").order_by(AuditEntry.id)
        assert [after["rows"] for after in db.session.scalars(query)][-2:] == [["PIPE"], ["VALVE"]]


def test_two_people_prepare_changes_of_one_assortment_at_once(shop):
    shop.make("A", "only", "BOLT", "NUT")
    numbered = r"max\(assortments_change\.number\)"
    with shop.request(system("tests")), rival(numbered, lambda: prepare(shop, "VALVE")) as others:
        first = prepare(shop, "PIPE")
    with shop.request(system("tests")):
        assert [found(shop, one).number for one in (first, *others)] == [1, 2]
