"""Two mirrored companies: whatever the statement, one never sees or writes a row of the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import (
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import aliased, joinedload, selectinload

from core.catalog.models import ItemCode, Product
from core.companies.models import Address, Company, CompanySegment, Invitation, Membership
from core.data import audit
from core.data.db import Base, db
from core.data.models import AuditEntry, StoredFile
from core.data.scope import Actor, Scope, acting, current_actor, guest, owned_models, set_actor, system, unscoped
from core.data.write import write
from core.orders.models import Hold, Movement, Order, OrderCharge, OrderLine
from core.restapi.models import ApiKey
from core.spec.errors import ScopeError, WriteError
from core.testing import factories as make

AT = datetime(2026, 1, 1, tzinfo=UTC)
OURS, THEIRS = "A-mark", "B-mark"


@dataclass(frozen=True)
class World:
    """Ids of two companies with the same data; ``parent`` is above A only, ``child`` below it."""

    a: int
    b: int
    parent: int
    child: int
    orders: dict[int, int]

    def actor(self, *, subtree=False):
        below = (self.a, self.child) if subtree else (self.a,)
        return Actor(1, "anna", Scope("companies", (self.a,), below, (self.a, self.parent)), company_id=self.a)


@pytest.fixture
def world(data_app):
    seller = make.make_seller()
    parent = make.make_company("P")
    a = make.make_company("A", parent=parent, segments=["gold"])
    b = make.make_company("B", segments=["gold"])
    child = make.make_company("C", parent=a)
    user = make.make_user("anna@a.example", company=a)
    make.make_membership(user, b)
    product = make.make_product("M8")
    orders = {}
    with write():
        for company, mark in ((a, OURS), (b, THEIRS), (parent, "P-mark"), (child, "C-mark")):
            orders[company.id] = _fill(seller, company, user, product, mark)
    world = World(a.id, b.id, parent.id, child.id, orders)
    db.session.remove()
    set_actor(world.actor())
    return world


def _fill(seller, company, user, product, mark):
    order = Order(
        seller_id=seller.id, company_id=company.id, currency="EUR", net=Decimal(10), note=mark,
        created_at=AT, updated_at=AT, state="submitted", number=mark,
    )  # fmt: skip
    line = OrderLine(
        company_id=company.id, position=1, product_id=product.id, unit="pcs", quantity=Decimal(1),
        base_quantity=Decimal(1), sku="M8", name=mark,
    )  # fmt: skip
    order.lines.append(line)
    db.session.add(order)
    db.session.flush()
    db.session.add_all([
        Hold(order_id=order.id, company_id=company.id, owner="core", code="x", label=mark, blocks=[], since=AT,
             release_permission=""),
        OrderCharge(order_id=order.id, company_id=company.id, owner="orders", code="freight", label=mark, net=Decimal(1)),
        Movement(line_id=line.id, company_id=company.id, kind="shipped", quantity=Decimal(1), at=AT),
        ItemCode(company_id=company.id, product_id=product.id, code=mark, code_folded=mark),
        Invitation(company_id=company.id, email=f"{mark}@x.fi", roles=[], token_hash=mark, created_at=AT, expires_at=AT),
        ApiKey(code=mark, name=mark, secret_hash=mark, company_id=company.id, permissions=[], created_at=AT, expires_at=AT),
        StoredFile(key=mark, company_id=company.id, sha256="", name=mark, type="", size=0, created_at=AT),
    ])  # fmt: skip
    audit.record("order", mark, "submitted", company_id=company.id)
    return order.id


def test_every_owned_model_of_core_is_known_here():
    known = {Company, Address, CompanySegment, Membership, Invitation, ItemCode, ApiKey}
    known |= {Order, OrderLine, OrderCharge, Hold, Movement}
    core = {model for model in owned_models() if model.__module__.startswith("core.")}
    assert core - known - {StoredFile, AuditEntry} == set(), "add the new model to the tests below"


def test_no_shared_model_has_a_relationship_to_an_owned_one():
    """A joined load from a shared model would read the owned table without its criterion."""
    owned = set(owned_models())
    leaks = [
        str(relation)
        for mapper in Base.registry.mappers
        for relation in mapper.relationships
        if mapper.class_.__module__.startswith("core.") and mapper.class_ not in owned and relation.mapper.class_ in owned
    ]
    assert leaks == []


def _ids(model):
    return set(db.session.scalars(select(getattr(model, model.__scope__.attribute))))


@pytest.mark.parametrize("model", [Order, OrderLine, OrderCharge, Hold, Movement, Address, Membership, Invitation, ApiKey])
def test_rows_of_the_active_company_only(world, model):
    assert _ids(model) == {world.a}


@pytest.mark.parametrize("model", [Order, OrderLine, Hold, Movement, Address])
def test_rows_of_subsidiaries_where_the_role_allows_it(world, model):
    set_actor(world.actor(subtree=True))
    assert _ids(model) == {world.a, world.child}


def test_contracts_are_read_upward(world):
    assert _ids(ItemCode) == {world.a, world.parent}


def test_companies_are_seen_up_and_down(world):
    assert _ids(Company) == {world.a, world.parent}
    set_actor(world.actor(subtree=True))
    assert _ids(Company) == {world.a, world.parent, world.child}
    assert _ids(CompanySegment) == {world.a}


def test_files_for_everybody_and_of_the_company(world):
    with acting(system("tests")), write():
        db.session.add(StoredFile(key="all", sha256="", name="", type="", size=0, created_at=AT))
    assert _ids(StoredFile) == {None, world.a, world.parent}
    set_actor(guest())
    assert _ids(StoredFile) == {None}


def test_the_trail_shows_a_company_its_own_entries_and_none_without_company(world):
    with acting(system("tests")), write():
        audit.record("price", "M8", "changed")
    assert _ids(AuditEntry) == {world.a}


@pytest.mark.parametrize("model", [Order, OrderLine, Hold, Movement, Address, Membership, ItemCode, Company, AuditEntry])
def test_a_guest_sees_no_row_of_any_company(world, model):
    set_actor(guest())
    assert _ids(model) == set()


@pytest.mark.parametrize("model", [Order, Company, ItemCode])
def test_staff_and_jobs_see_all(world, model):
    set_actor(Actor(2, "sam", Scope("merchant")))
    assert len(_ids(model)) == 4
    set_actor(system("tests"))
    assert len(_ids(model)) == 4


READS = {
    "entity": lambda w: db.session.scalars(select(Order.note)),
    "column": lambda w: db.session.scalars(select(Order.note).where(Order.id == w.orders[w.b])),
    "alias": lambda w: db.session.scalars(select(aliased(Order).note)),
    "join": lambda w: db.session.scalars(select(OrderLine.name).join(Order, Order.id == OrderLine.order_id)),
    "join from a shared model": lambda w: db.session.scalars(
        select(OrderLine.name).select_from(Product).join(OrderLine, OrderLine.product_id == Product.id)
    ),
    "join along a relationship": lambda w: db.session.scalars(
        select(Order.note).select_from(OrderLine).join(OrderLine.order)
    ),
    "outer join": lambda w: db.session.scalars(
        select(Order.note).select_from(Product).outerjoin(OrderLine).outerjoin(OrderLine.order)
    ),
    "subquery": lambda w: db.session.scalars(select(select(Order.note).subquery().c.note)),
    "cte": lambda w: db.session.scalars(select(select(Order.note).cte().c.note)),
    "alias of a subquery": lambda w: db.session.scalars(select(aliased(Order, select(Order).subquery()).note)),
    "scalar subquery": lambda w: db.session.scalars(
        select(select(Order.note).where(Order.company_id == w.b).scalar_subquery())
    ),
    "union": lambda w: db.session.scalars(union_all(select(Order.note), select(OrderLine.name))),
    "lateral columns": lambda w: db.session.scalars(select(OrderLine.name).where(OrderLine.order_id.in_(select(Order.id)))),
    "eager": lambda w: [
        line.name for order in db.session.scalars(select(Order).options(selectinload(Order.lines))) for line in order.lines
    ],
    "joined eager": lambda w: [
        line.order.note for line in db.session.scalars(select(OrderLine).options(joinedload(OrderLine.order)))
    ],
    "legacy query": lambda w: [o.note for o in db.session.query(Order).all()],
    "stream": lambda w: [o.note for o in db.session.scalars(select(Order).execution_options(yield_per=1))],
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_statement_shows_another_companys_row(world, read):
    seen = {value for value in read(world) if value is not None}
    assert THEIRS not in seen
    assert seen <= {OURS}


def test_counts_and_existence(world):
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1
    assert db.session.scalar(select(func.count(Order.id))) == 1
    assert db.session.scalar(select(func.sum(Order.net))) == 10
    assert db.session.scalar(select(exists().where(Order.id == world.orders[world.b]))) is False
    assert db.session.scalar(select(func.count()).select_from(select(Order).subquery())) == 1


def test_get_and_lazy_loads(world):
    assert db.session.get(Order, world.orders[world.b]) is None
    assert db.session.get(Company, world.b) is None
    order = db.session.get(Order, world.orders[world.a])
    assert [line.name for line in order.lines] == [OURS]
    company = db.session.get(Company, world.a)
    assert {address.company_id for address in company.addresses} == {world.a}


def test_get_does_not_hand_out_what_an_unscoped_statement_left_in_memory(world):
    foreign = db.session.scalar(unscoped(select(Order).where(Order.company_id == world.b), "a test"))
    assert foreign.note == THEIRS
    assert db.session.get(Order, foreign.id) is None


def test_objects_of_the_previous_actor_are_let_go(world):
    set_actor(system("tests"))
    theirs = db.session.get(Order, world.orders[world.b])
    assert theirs.note == THEIRS
    set_actor(world.actor())
    assert theirs not in db.session
    assert db.session.get(Order, world.orders[world.b]) is None


REFUSED = {
    "table": lambda: select(Order.__table__),
    "column of the table": lambda: select(Order.__table__.c.note),
    "alias of the table": lambda: select(Order.__table__.alias().c.note),
    "subquery of the table": lambda: select(Product.sku).where(Product.id.in_(select(OrderLine.__table__.c.product_id))),
    "text": lambda: text("SELECT note FROM orders_order"),
    "text inside": lambda: select(text("note from orders_order")),
    "literal column": lambda: select(literal_column("(select max(note) from orders_order)")),
    "named table": lambda: select(func.count()).select_from(table("orders_order")),
    "from text": lambda: select(Order).from_statement(text("SELECT * FROM orders_order")),
    "any of a relationship": lambda: select(Order.id).where(Order.lines.any()),
    "beside the class": lambda: select(Order.id, Order.__table__.alias().c.note),
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
@pytest.mark.database("sqlite")
def test_statements_without_the_mapped_class_are_refused(world, statement):
    with pytest.raises(ScopeError):
        db.session.execute(statement())


@pytest.mark.database("sqlite")
def test_text_fragments_on_shared_tables_are_fine(world):
    assert db.session.scalar(select(func.count()).select_from(Product).where(text("sku = 'M8'"))) == 1


@pytest.mark.database("sqlite")
def test_unscoped_lifts_the_scope_and_wants_a_reason(world):
    notes = set(db.session.scalars(unscoped(select(Order.note), "a test")))
    assert {OURS, THEIRS} <= notes
    with pytest.raises(ValueError, match="reason"):
        unscoped(select(Order), "")


@pytest.mark.database("sqlite")
def test_without_an_actor_owned_rows_raise_and_shared_ones_do_not(world):
    db.session.remove()
    with pytest.raises(ScopeError, match="no actor"):
        db.session.scalars(select(Order))
    assert db.session.scalar(select(Product.sku)) == "M8"
    with pytest.raises(ScopeError, match="no actor"):
        current_actor()


def _order(world, company):
    seller = db.session.scalar(select(Order.seller_id))
    return {
        "seller_id": seller, "company_id": company, "currency": "EUR", "created_at": AT, "updated_at": AT,
        "note": "new", "version": 1,
    }  # fmt: skip


def test_writing_ones_own_rows_works(world):
    with write() as session:
        session.add(Order(**_order(world, world.a)))
        session.execute(insert(Order), [_order(world, world.a)])
        session.execute(update(Order).where(Order.note == "new").values(po_number="1"))
        session.flush()
        session.execute(delete(Order).where(Order.note == "new"))


@pytest.mark.parametrize("company", ["b", "parent", "child"])
def test_adding_a_row_of_another_company_is_refused(world, company):
    with pytest.raises(ScopeError, match="another company"), write() as session:
        session.add(Order(**_order(world, getattr(world, company))))


INSERTS = {
    "parameters": lambda row: (insert(Order), [row]),
    "several": lambda row: (insert(Order), [{**row, "company_id": current_actor().company_id}, row]),
    "values": lambda row: (insert(Order).values(**row), None),
    "many values": lambda row: (insert(Order).values([row]), None),
    "by column": lambda row: (insert(Order).values({Order.company_id: row.pop("company_id")} | row), None),
}


@pytest.mark.parametrize("build", INSERTS.values(), ids=INSERTS)
@pytest.mark.database("sqlite")
def test_inserting_in_bulk_for_another_company_is_refused(world, build):
    statement, parameters = build(_order(world, world.b))
    with pytest.raises(ScopeError), write() as session:
        session.execute(statement, parameters)


@pytest.mark.database("sqlite")
def test_insert_from_select_is_refused(world):
    source = select(Hold.order_id, Hold.company_id)
    with pytest.raises(ScopeError), write() as session:
        session.execute(insert(Hold).from_select(["order_id", "company_id"], source))


def test_bulk_update_and_delete_pass_over_other_companies(world):
    with write() as session:
        session.execute(update(Order).values(po_number="mine"))
        session.execute(delete(Movement))
    set_actor(system("tests"))
    touched = set(db.session.scalars(select(Order.company_id).where(Order.po_number == "mine")))
    assert touched == {world.a}
    assert _ids(Movement) == {world.b, world.parent, world.child}


@pytest.mark.parametrize("values", [{"company_id": -1}, {Order.company_id: -1}])
@pytest.mark.database("sqlite")
def test_giving_rows_away_is_refused(world, values):
    with pytest.raises(ScopeError), write() as session:
        session.execute(update(Order).values(values))


@pytest.mark.database("sqlite")
def test_giving_or_taking_an_object_is_refused(world):
    with pytest.raises(ScopeError), write() as session:
        session.get(Order, world.orders[world.a]).company_id = world.b
    with pytest.raises(ScopeError), write() as session:
        theirs = session.scalar(unscoped(select(Order).where(Order.company_id == world.b), "a test"))
        theirs.company_id = world.a


@pytest.mark.database("sqlite")
def test_what_is_inherited_is_read_only(world):
    """A buyer sees its parent's codes and companies, and changes neither, nor its own segments."""
    with write() as session:
        assert session.execute(update(ItemCode).values(code_folded="x")).rowcount == 0
        assert session.execute(delete(CompanySegment)).rowcount == 0
        assert session.execute(update(Company).values(phone="1")).rowcount == 1
    with pytest.raises(ScopeError), write() as session:
        session.get(Company, world.parent).name = "taken over"
    with pytest.raises(ScopeError), write() as session:
        session.add(CompanySegment(company_id=world.child, segment_id=1))


@pytest.mark.database("sqlite")
def test_the_trail_is_added_to_by_anybody_and_changed_by_nobody(world):
    set_actor(guest())
    with write():
        audit.record("session", "anna@a.example", "refused", company_id=None)
    set_actor(system("tests"))
    for act in (lambda s, e: setattr(e, "actor", "nobody"), lambda s, e: s.delete(e)):
        with pytest.raises(WriteError, match="only added to"), write() as session:
            act(session, session.scalar(select(AuditEntry).limit(1)))


@pytest.mark.database("sqlite")
def test_pending_changes_survive_a_change_of_actor(world):
    with write() as session:
        session.add(Order(**_order(world, world.a)))
        with acting(system("a step within")):
            assert session.scalar(select(func.count()).select_from(Order).where(Order.note == "new")) == 1
    assert db.session.scalar(select(func.count()).select_from(Order).where(Order.note == "new")) == 1


@pytest.mark.database("sqlite")
def test_pending_changes_are_checked_as_the_actor_who_made_them(world):
    with pytest.raises(ScopeError), write() as session:
        session.add(Order(**_order(world, world.b)))
        set_actor(system("a step within"))
