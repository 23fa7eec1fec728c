"""Core's history goes up and down on both databases, and leaves exactly what the models say."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

from core.data import schema
from core.data.db import Base, make_engine
from core.data.migrate import History, core_history, downgrade, drift, pending, upgrade

schema.load()

FIRST = """
import sqlalchemy as sa
from alembic import op
revision = "toy_0001"
down_revision = None
def upgrade():
    op.create_table("toy_parent", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(10)))
    op.create_table("toy_child", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("toy_parent.id", ondelete="CASCADE", name="fk_toy")))
def downgrade():
    op.drop_table("toy_child")
    op.drop_table("toy_parent")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision = "toy_0002"
down_revision = "toy_0001"
def upgrade():
    with op.batch_alter_table("toy_parent") as batch:
        batch.alter_column("name", type_=sa.String(50), existing_type=sa.String(10))
        batch.add_column(sa.Column("extra", sa.String(10), nullable=False, server_default=""))
def downgrade():
    with op.batch_alter_table("toy_parent") as batch:
        batch.drop_column("extra")
"""
BROKEN = """
from alembic import op
revision = "toy_0002"
down_revision = "toy_0001"
def upgrade():
    op.execute("INSERT INTO toy_parent (id, name) VALUES (99, 'half')")
    op.execute("CREATE TABLE toy_new (id integer)")
    raise RuntimeError("power cut")
"""


@pytest.fixture
def engine(databases):
    engine = make_engine(databases.empty())
    yield engine
    engine.dispose()


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "0001.py").write_text(FIRST)
    return History("toy", folder)


def _mapped_addons():
    """Return the addons whose classes other tests of this process have mapped."""
    modules = set()
    for mapper in Base.registry.mappers:
        parts = mapper.class_.__module__.split(".")
        if parts[0] != "core":
            modules.add(parts[1] if len(parts) > 1 else parts[0])
    return tuple(sorted(modules))


def _tables(engine):
    return set(inspect(engine).get_table_names())


def test_up_down_up_and_no_drift(engine):
    core = core_history()
    assert pending(engine, core)
    assert upgrade(engine, core)
    assert not upgrade(engine, core)
    assert not pending(engine, core)
    assert drift(engine, core, addons=_mapped_addons()) == []
    tables = _tables(engine)
    assert "orders_order" in tables
    downgrade(engine, core)
    assert _tables(engine) == set()
    upgrade(engine, core)
    assert _tables(engine) == tables


def test_each_owner_has_its_own_version_table_and_leaves_alone(engine, toy):
    upgrade(engine, core_history())
    before = _tables(engine)
    upgrade(engine, toy)
    assert _tables(engine) - before == {"toy_parent", "toy_child", "toy_alembic_version"}
    downgrade(engine, toy)
    assert _tables(engine) == before
    assert not pending(engine, core_history())


def test_rebuilding_a_table_keeps_its_children(engine, toy):
    """SQLite rebuilds the parent; with foreign keys on, the implicit drop would delete every child."""
    upgrade(engine, toy)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO toy_parent (id, name) VALUES (1, 'a')"))
        connection.execute(text("INSERT INTO toy_child (id, parent_id) VALUES (1, 1), (2, 1)"))
    (toy.versions / "0002.py").write_text(SECOND)
    upgrade(engine, toy)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM toy_child")) == 2
    with engine.begin() as connection, pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute(text("INSERT INTO toy_child (id, parent_id) VALUES (3, 77)"))


def test_a_step_that_fails_leaves_nothing_behind(engine, toy):
    upgrade(engine, toy)
    (toy.versions / "0002.py").write_text(BROKEN)
    with pytest.raises(RuntimeError, match="power cut"):
        upgrade(engine, toy)
    assert _tables(engine) == {"toy_parent", "toy_child", "toy_alembic_version"}
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM toy_parent")) == 0
        assert toy.current(connection) == "toy_0001"


def test_a_history_without_versions_changes_nothing(engine, tmp_path):
    nothing = History("nothing", tmp_path)
    assert not upgrade(engine, nothing)
    assert not pending(engine, nothing)
    assert _tables(engine) == set()


@pytest.mark.database("sqlite")
def test_a_migration_that_orphans_rows_is_refused(engine, toy):
    upgrade(engine, toy)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO toy_parent (id, name) VALUES (1, 'a')"))
        connection.execute(text("INSERT INTO toy_child (id, parent_id) VALUES (1, 1)"))
    (toy.versions / "0002.py").write_text(
        'from alembic import op\nrevision = "toy_0002"\ndown_revision = "toy_0001"\n'
        'def upgrade():\n    op.execute("DELETE FROM toy_parent")\n'
    )
    with pytest.raises(RuntimeError, match="without their parent"):
        upgrade(engine, toy)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM toy_parent")) == 1
