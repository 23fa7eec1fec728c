"""Two people at one company in the same moment: what one has just done is what the other finds."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from core.companies import invitations, memberships, services, tree
from core.companies.models import Company, Invitation, Membership
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.data.write import write
from core.spec.errors import Forbidden, NotFound
from core.testing.factories import make_company, make_user
from core.testing.rivals import rival


@pytest.fixture
def acme(app_with):
    app_with()
    return make_company("ACME")


def person(email):
    from core.accounts import users

    return users.find(email)


def test_whoever_waits_for_a_company_that_is_changed_gets_it_as_it_is_then(acme):
    def rename():
        with write():
            services.update_company(services.company_by_code("ACME"), name="Acme Plc")

    with rival("FROM companies_company", rename), write():
        company = services.company_by_code("ACME")
        assert company.version
        locked = tree.lock_company(company.id)
        assert locked is company
        assert company.name == db.session.scalar(select(Company.name).where(Company.id == company.id))


@pytest.mark.database("postgres")
def test_a_company_that_moves_while_it_is_waited_for_is_locked_with_its_new_parents(acme):
    parent, acme_id = make_company("GROUP"), acme.id

    def move():
        with write():
            tree.move(services.company_by_code("ACME"), services.company_by_code("GROUP"))

    parent_id = parent.id
    with rival("WITH RECURSIVE", move), write():
        assert tree.lock_company(acme_id).parent_id == parent_id
        with db.engine.connect() as other, pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(select(Company.id).where(Company.id == parent_id).with_for_update(nowait=True))


def test_two_administrators_who_remove_each_other_leave_one(acme):
    bea = make_user("bea@acme.example", company=acme, roles=["company_admin"])
    make_user("ben@acme.example", company=acme, roles=["company_admin"])
    ids, mine = (acme.id,), frozenset({"companies.member.edit"})

    def remove(email):
        with write():
            return memberships.change_roles(person(email), services.company_by_code("ACME"), [])

    actor = Actor(bea.id, "Bea", Scope("companies", ids, ids, ids), acme.id, permissions=mine)
    counted = r"count\(.*\s.*FROM companies_membership"
    with acting(actor), rival(counted, lambda: remove("bea@acme.example")) as others:
        assert remove("ben@acme.example")
    assert isinstance(others[0], Forbidden)
    db.session.rollback()
    assert list(db.session.scalars(select(Membership.role))) == ["company_admin"]


def test_an_invitation_that_was_just_accepted_is_neither_withdrawn_nor_sent_again(acme):
    secret = invitations.invite(acme, "new@acme.example", "Nelli New", ["orderer"]).rpartition("/")[2]

    [invitation] = invitations.open_invitations(acme.id)
    accept(secret)
    for deed in (invitations.revoke, invitations.resend):
        with pytest.raises(NotFound, match="answered or withdrawn"):
            deed(acme, invitation)
    assert [one.revoked_at for one in db.session.scalars(select(Invitation))] == [None]


def accept(secret):
    return invitations.accept_as_new(secret, "Nelli New", "seven green bicycles", "en")


def test_of_two_who_invite_the_same_person_one_replaces_the_others_invitation(acme):
    def invite():
        return invitations.invite(services.company_by_code("ACME"), "new@acme.example", "Nelli New", ["orderer"])

    with rival("FROM companies_invitation", invite):
        invite()
    db.session.rollback()
    assert len(invitations.open_invitations(acme.id)) == 1


def test_a_link_of_two_windows_is_accepted_once(acme):
    secret = invitations.invite(acme, "new@acme.example", "Nelli New", ["orderer"]).rpartition("/")[2]
    with rival("FROM accounts_user", lambda: accept(secret)) as others:
        outcome = []
        try:
            outcome.append(accept(secret))
        except NotFound as refused:
            outcome.append(refused)
    assert sorted(type(one).__name__ for one in (*outcome, *others)) == ["NotFound", "int"]
