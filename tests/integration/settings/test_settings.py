"""Settings: typed, environment first, then company, segment, deployment, default; unknown names are errors."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from core.data.db import db
from core.data.models import AuditEntry
from core.i18n import _l
from core.settings import services
from core.settings.services import SettingUnknown, get, get_each, reset, set_value, use_targets
from core.settings.values import SettingInvalid, parse
from core.spec.app import SettingSpec
from core.spec.errors import Conflict
from core.testing.registries import give_registry
from core.testing.rivals import rival

EVERYWHERE = ("deployment", "segment", "company")
SPECS = {
    "flag": SettingSpec("flag", bool, False, _l("A flag")),
    "number": SettingSpec("number", int, 7, _l("A number"), minimum=1, maximum=10),
    "text": SettingSpec("text", str, "SO-", _l("A text"), maximum=5),
    "limit": SettingSpec("limit", Decimal, Decimal(0), _l("A limit"), minimum=Decimal(0), scopes=EVERYWHERE),
    "choice": SettingSpec("choice", ("red", "green"), "red", _l("A choice")),
    "key": SettingSpec("key", str, "", _l("A secret"), secret=True),
}


class Family:
    """Company 1 belongs to company 2 and to segment gold."""

    def of(self, company_id):
        return {1: ("company:A", "company:P", "segment:gold"), 2: ("company:P",)}[company_id]

    def of_each(self, company_ids):
        return {company_id: self.of(company_id) for company_id in company_ids}

    def exists(self, target):
        return target in ("company:A", "company:P", "segment:gold")


@pytest.fixture
def shop(data_app):
    contributions = [*(("orders", spec) for spec in SPECS.values()), ("rebates", SettingSpec("flag", bool, True, _l("x")))]
    give_registry(data_app, {"app_settings": contributions}, domains=("orders",))
    use_targets(data_app, Family())
    return data_app


def test_the_default_holds_until_a_value_is_stored(shop):
    assert get("orders", "number") == 7
    set_value("orders", "number", 3)
    assert get("orders", "number") == 3
    reset("orders", "number")
    assert get("orders", "number") == 7


def test_owners_are_apart_and_core_stands_for_its_domains(shop):
    set_value("rebates", "flag", False)
    assert get("core", "flag") is False
    set_value("core", "flag", True)
    assert (get("orders", "flag"), get("rebates", "flag")) == (True, False)


@pytest.mark.parametrize("name", [("orders", "flagg"), ("nobody", "flag"), ("core", "limitt")])
def test_an_unknown_name_is_an_error_with_a_suggestion(shop, name):
    with pytest.raises(SettingUnknown, match=r"Did you mean orders\.|Did you mean rebates\."):
        get(*name)


def test_the_nearest_target_wins(shop):
    set_value("orders", "limit", Decimal("100.50"))
    assert get("orders", "limit", company=1) == Decimal("100.50")
    for target, value in (("segment:gold", 200), ("company:P", 300), ("company:A", 400)):
        set_value("orders", "limit", Decimal(value), target=target)
        assert get("orders", "limit", company=1) == value
    assert get("orders", "limit", company=2) == 300
    assert get("orders", "limit") == Decimal("100.50")


def test_the_environment_wins_and_cannot_be_overruled(shop, monkeypatch):
    set_value("orders", "limit", Decimal(5), target="company:A")
    monkeypatch.setenv("TUKKU_ORDERS__LIMIT", "12.5")
    assert get("orders", "limit", company=1) == Decimal("12.5")
    with pytest.raises(Conflict, match="TUKKU_ORDERS__LIMIT"):
        set_value("orders", "limit", Decimal(1))
    assert {s.name: s.source for s in services.everything()}["orders.limit"] == "environment"


def test_a_wrong_value_in_the_environment_is_named(shop, monkeypatch):
    monkeypatch.setenv("TUKKU_ORDERS__NUMBER", "many")
    with pytest.raises(SettingInvalid, match="number: “many” is not a number"):
        get("orders", "number")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("number", 0, "least is 1"), ("number", 11, "most is 10"), ("number", True, "wrong type"),
        ("number", "3", "wrong type"), ("limit", 1.5, "wrong type"), ("limit", Decimal("NaN"), "not a number"),
        ("limit", Decimal(-1), "least is 0"), ("text", "far too long", "most is 5"),
        ("choice", "blue", "red, green"), ("flag", 1, "wrong type"),
    ],
)  # fmt: skip
@pytest.mark.database("sqlite")
def test_values_that_do_not_fit_are_refused(shop, key, value, message):
    with pytest.raises(SettingInvalid, match=message):
        set_value("orders", key, value)
    assert get("orders", key) == SPECS[key].default


@pytest.mark.parametrize(("key", "target"), [("number", "company:A"), ("limit", "company:X"), ("limit", "planet:earth")])
@pytest.mark.database("sqlite")
def test_targets_that_do_not_fit_are_refused(shop, key, target):
    with pytest.raises(SettingInvalid):
        set_value("orders", key, SPECS[key].default, target=target)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("flag", "on", True), ("flag", "No", False), ("number", " 3 ", 3), ("limit", "1.50", Decimal("1.50")),
        ("choice", "green", "green"), ("text", "X", "X"),
    ],
)  # fmt: skip
def test_text_is_read_by_type(key, text, value):
    assert parse(SPECS[key], text) == value


@pytest.mark.parametrize(("key", "text"), [("flag", "perhaps"), ("number", "1.5"), ("limit", "1,5"), ("limit", "Infinity")])
@pytest.mark.database("sqlite")
def test_text_that_spells_nothing_is_refused(shop, key, text):
    with pytest.raises(SettingInvalid):
        parse(SPECS[key], text)


def test_changes_are_audited_and_secrets_are_not_shown(shop):
    set_value("orders", "text", "A-", reason="new series")
    set_value("orders", "key", "hunter2")
    first, second = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert (first.entity_id, first.before, first.after, first.reason) == (
        "orders.text", {"value": None}, {"value": "A-"}, "new series",
    )  # fmt: skip
    assert "hunter2" not in f"{second.before}{second.after}"


def test_a_request_reads_stored_values_once(shop, count_statements):
    with shop.test_request_context():
        with count_statements(2):  # the stamp, and the values, which are kept until one is changed
            for _ in range(3):
                get("orders", "number")
                get("orders", "text")
        with count_statements(1):
            get("orders", "limit", company=1)
            get("orders", "limit", company=1)


def test_several_companies_are_asked_for_at_once(shop, count_statements):
    set_value("orders", "limit", Decimal(5), target="company:A")
    set_value("orders", "limit", Decimal(3), target="company:P")
    assert get_each("orders", "limit", (1, 2)) == {1: Decimal(5), 2: Decimal(3)}
    reset("orders", "limit", target="company:P")
    with count_statements(at_most=2):  # the stamps, and what is stored
        assert get_each("orders", "limit", (1, 2)) == {i: get("orders", "limit", company=i) for i in (1, 2)}
    assert get_each("orders", "limit", ()) == {}


def test_what_the_environment_fixes_holds_for_all_of_several(shop, monkeypatch):
    set_value("orders", "limit", Decimal(5), target="company:A")
    monkeypatch.setenv("TUKKU_ORDERS__LIMIT", "9")
    assert get_each("orders", "limit", (1, 2)) == {1: Decimal(9), 2: Decimal(9)}


@pytest.mark.parametrize("known", [False, True])
def test_of_two_who_change_a_setting_at_once_each_is_audited_with_what_it_was(shop, known):
    if known:
        set_value("orders", "number", 2)
    with rival("FROM core_setting", lambda: set_value("orders", "number", 3)):
        set_value("orders", "number", 4)
    db.session.rollback()
    trail = list(db.session.execute(select(AuditEntry.before, AuditEntry.after).order_by(AuditEntry.id)))
    chain = [row.after["value"] for row in trail]
    assert [row.before["value"] for row in trail] == [None, *chain[:-1]]
    services._forget()
    assert get("orders", "number") == chain[-1]
