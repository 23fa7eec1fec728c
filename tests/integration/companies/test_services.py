"""Companies, their tree, addresses, segments and members, beneath the pages."""

import pytest
from sqlalchemy import delete, select

from core.companies import addresses, editing, identifiers, memberships, segments, services, targets, tree
from core.companies.models import Address, Company, CompanySegment, Membership
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import Actor, Scope, acting, guest
from core.data.write import write
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound, WriteError
from core.testing.factories import make_address, make_company, make_segment, make_user


@pytest.fixture
def app(app_with):
    return app_with()


def values(**more):
    return {"name": "Acme Oy", "country": "FI", "currency": "EUR", **more}


def test_a_company_is_created_changed_and_remembered(app):
    with write():
        company = services.create_company("ACME", **values(business_id="01120389"))
        assert company.business_id == "0112038-9"
    with write():
        assert services.update_company(company, phone="+358 1", name="Acme Oy") is True
        assert services.update_company(company, phone="+358 1") is False
    trail = db.session.execute(
        select(AuditEntry.action, AuditEntry.before, AuditEntry.after)
        .where(AuditEntry.entity_id == "ACME")
        .order_by(AuditEntry.id)
    ).all()
    assert [row.action for row in trail] == ["created", "changed"]
    assert (trail[1].before, trail[1].after) == ({"phone": ""}, {"phone": "+358 1"})


BAD = (
    ("A B", values(), "code"), ("x" * 41, values(), "code"), ("../etc", values(), "code"),
    ("A", values(name=""), "name"), ("A", values(country="ZZ"), "country"), ("A", values(currency="XYZZY"), "currency"),
    ("A", values(business_id="1"), "business_id"), ("A", values(vat_id="1"), "vat_id"),
    ("A", values(status="odd"), "status"),
    ("A", values(name="n" * 201), "name"),
)  # fmt: skip


def test_bad_values_name_their_field(app):
    for code, given, field in BAD:
        with pytest.raises(Invalid) as refused, write():
            services.create_company(code, **given)
        assert refused.value.details["field"] == field
    assert db.session.scalar(select(Company.id)) is None


def test_a_code_is_given_once(app):
    make_company("ACME")
    with pytest.raises(Conflict, match="already a company"), write():
        services.create_company("ACME", **values())


def test_ids_are_checked_again_when_the_country_changes(app):
    company = make_company("ACME", business_id="0112038-9")
    with pytest.raises(Invalid) as refused, write():
        services.update_company(company, country="SE")
    assert refused.value.details["field"] == "business_id"


def test_the_tree_is_walked_both_ways(app, count_statements):
    root = make_company("ROOT")
    mid, sister = make_company("MID", parent=root), make_company("SISTER", parent=root)
    leaf = make_company("LEAF", parent=mid)
    top, middle, side, low = root.id, mid.id, sister.id, leaf.id
    with count_statements(4):
        assert services.ancestors(low) == (low, middle, top)
        assert services.descendants(top) == (top, middle, side, low)
        assert tree.around(middle) == ((middle, top), (middle, low))
        assert tree.descendants_of((middle, side)) == tuple(sorted((middle, side, low)))


def test_a_company_cannot_stand_below_itself(app):
    root = make_company("ROOT")
    mid = make_company("MID", parent=root)
    leaf = make_company("LEAF", parent=mid)
    for parent in (root, mid, leaf):
        with pytest.raises(Invalid, match="COMPANY-CYCLE"), write():
            editing.move_company(db.session.get_one(Company, root.id), db.session.get_one(Company, parent.id))
    with write():
        assert editing.move_company(leaf, root)
        assert editing.move_company(leaf, None)
        assert not editing.move_company(leaf, None)


def test_the_tree_has_a_deepest_level(app):
    company = None
    for level in range(tree.DEEPEST):
        company = make_company(f"L{level}", parent=company, address=False)
    below = make_company("BELOW", address=False)
    with pytest.raises(Invalid, match="COMPANY-DEEP"), write():
        editing.move_company(below, company)


def test_lock_company_sees_what_was_committed(app):
    root = make_company("ROOT")
    leaf = make_company("LEAF", parent=root)
    assert leaf.phone == ""
    with db.engine.begin() as other:
        other.exec_driver_sql("UPDATE companies_company SET phone = '1' WHERE code = 'LEAF'")
    with write():
        assert services.lock_company(leaf.id).phone == "1"
    with pytest.raises(NotFound), write():
        services.lock_company(10**9)


def test_addresses_have_one_default_for_each_use(app):
    company = make_company("ACME", address=False)
    given = {"name": "Acme", "street": "Tehtaankatu 1", "city": "Tampere", "country": "FI"}
    with write():
        first = addresses.save_address(company, None, use="both", is_default=True, **given)
        second = addresses.save_address(company, None, use="ship_to", is_default=True, **given)
    assert (first.code, second.code) == ("1", "2")
    assert (first.is_default, second.is_default) == (False, True)
    assert services.default_address(company.id, "ship_to").code == "2"
    assert services.default_address(company.id, "bill_to").code == "1"
    with write():
        addresses.retire_address(company, second)
    assert [a.code for a in services.addresses_of(company.id, "ship_to")] == ["1"]
    assert services.address_snapshot(first)["street"] == "Tehtaankatu 1"


BAD_ADDRESSES = (
    ({"street": ""}, "street"), ({"country": "XX"}, "country"), ({"use": "odd"}, "use"), ({"zone": "Mars/Base"}, "zone"),
    ({"city": "c" * 101}, "city"),
)  # fmt: skip


def test_bad_addresses_name_their_field(app):
    company = make_company("ACME")
    good = {"name": "Acme", "street": "Tehtaankatu 1", "city": "Tampere", "country": "FI", "use": "both"}
    for given, field in BAD_ADDRESSES:
        with pytest.raises(Invalid) as refused, write():
            addresses.save_address(company, None, **{**good, **given})
        assert refused.value.details["field"] == field
    assert len(addresses.all_addresses(company.id)) == 1


def test_settings_follow_a_company_that_moves_or_changes_its_segments_and_read_it_once(app, count_statements):
    old, new = make_company("OLD"), make_company("NEW", segments=["gold"])
    leaf = make_company("LEAF", parent=old)
    make_segment("marine")
    of = targets.CompanyTargets().of
    with write() as session:
        assert of(leaf.id) == ("company:LEAF", "company:OLD")
        with count_statements(exactly=0):
            assert of(leaf.id) == ("company:LEAF", "company:OLD")
        trial = session.begin_nested()
        tree.move(leaf, new)
        session.flush()
        assert of(leaf.id) == ("company:LEAF", "company:NEW", "segment:gold")
        trial.rollback()
        assert of(leaf.id) == ("company:LEAF", "company:OLD")
        segments.set_segments(leaf, ["marine"])
        session.flush()
        assert of(leaf.id) == ("company:LEAF", "company:OLD", "segment:marine")
    with pytest.raises(RuntimeError), write() as session:
        session.execute(delete(CompanySegment))
        assert of(leaf.id) == ("company:LEAF", "company:OLD")
        raise RuntimeError
    assert of(leaf.id) == ("company:LEAF", "company:OLD", "segment:marine")


def test_segments_are_assigned_and_settings_know_them(app):
    root = make_company("ROOT", segments=["gold"])
    leaf = make_company("LEAF", parent=root)
    make_segment("marine")
    with write():
        assert segments.set_segments(leaf, ["marine"]) is True
        assert segments.set_segments(leaf, ["marine"]) is False
    assert services.segment_ids(services.ancestors(leaf.id)) == tuple(sorted(s.id for s in segments.all_segments()))
    assert services.segment_ids(()) == ()
    assert targets.CompanyTargets().of(leaf.id) == ("company:LEAF", "company:ROOT", "segment:gold", "segment:marine")
    assert targets.CompanyTargets().exists("segment:gold")
    assert not targets.CompanyTargets().exists("company:NONE")
    with pytest.raises(NotFound), write():
        segments.set_segments(leaf, ["no-such"])


def test_roles_are_set_as_a_whole(app):
    company = make_company("ACME")
    user = make_user("anna@acme.example", company=company)
    with write():
        assert services.set_memberships(user, company, ["approver", "viewer"]) is True
        assert services.set_memberships(user, company, ["viewer", "approver"]) is False
    assert set(db.session.scalars(select(Membership.role))) == {"approver", "viewer"}
    with pytest.raises(Invalid, match="ROLE-UNKNOWN"), write():
        services.set_memberships(user, company, ["emperor"])


def test_nobody_raises_themselves_nor_takes_the_last_administrator_away(app):
    company = make_company("ACME")
    boss = make_user("boss@acme.example", company=company, roles=["company_admin"])
    make_user("anna@acme.example", company=company)
    ids = (company.id,)
    actor = Actor(
        boss.id, "Boss", Scope("companies", ids, ids, ids), company.id, permissions=frozenset({"companies.member.edit"})
    )
    with acting(actor):
        with pytest.raises(Forbidden, match="OWN-ROLES"), write():
            memberships.change_roles(_user(boss.id), services.current_company(), ["company_admin", "approver"])
        with pytest.raises(Forbidden, match="LAST-ADMIN"), write():
            memberships.change_roles(_user(boss.id), services.current_company(), ["viewer"])
        with write():
            assert memberships.change_roles(
                services_user("anna@acme.example"), services.current_company(), ["company_admin"]
            )
            assert memberships.change_roles(_user(boss.id), services.current_company(), [])


def _user(user_id):
    from core.accounts.models import User

    return db.session.get_one(User, user_id)


def services_user(email):
    from core.accounts import users

    return users.find(email)


def test_a_buyer_reads_the_path_upward_and_writes_only_below(app):
    root = make_company("ROOT")
    own = make_company("OWN", parent=root)
    sister = make_company("SISTER", parent=root)
    make_address(sister, "depot")
    scope = Scope("companies", (own.id,), (own.id,), (own.id, root.id))
    with acting(Actor(1, "Anna", scope, own.id)):
        assert set(db.session.scalars(select(Company.code))) == {"OWN", "ROOT"}
        assert set(db.session.scalars(select(Address.company_id))) == {own.id}
        with pytest.raises(NotFound):
            services.company_by_code("SISTER")
        assert services.ancestors(own.id) == (own.id, root.id)
    with acting(guest()):
        assert db.session.scalars(select(Company)).all() == []
        assert services.current_company() is None


def test_writing_outside_a_block_is_refused(app):
    company = make_company("ACME")
    with pytest.raises(WriteError):
        services.update_company(company, phone="1")
    db.session.rollback()


def test_the_seller_is_read_once(app, count_statements):
    services.seller()
    with count_statements(0):
        assert services.seller().currency == "EUR"
    editing.update_seller(services.seller(), vat_id="01120389", country="fi")
    assert services.seller().vat_id == "FI01120389"
    assert identifiers.country_name("FI") == "Finland"
