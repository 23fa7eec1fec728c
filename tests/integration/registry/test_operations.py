"""Enable, disable and upgrade on both databases: plans first, one transaction last, repeatable in between."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import event, inspect, select, text

from core.data.db import db, make_engine
from core.data.migrate import addon_history
from core.registry import operations
from core.registry.models import AddonState, Generation, Operation, OwnedTable
from core.registry.operations import Tools
from core.registry.oplog import Busy, OperationRefused, operation_lock
from core.registry.overview import overview
from core.registry.problems import Problem
from core.registry.state import read_snapshot
from core.spec.app import Impact


@pytest.fixture
def lines():
    return []


@pytest.fixture
def tools(data_app, zoo):
    return Tools(zoo, lambda names, enabled: (), lambda name: ())


@pytest.fixture
def enable(tools, lines):
    return lambda *names, **kwargs: operations.enable(replace(tools, **kwargs), names, lines.append)


@pytest.fixture
def disable(tools, lines):
    return lambda *names, **kwargs: operations.disable(replace(tools, **kwargs), names, lines.append)


def generation():
    return db.session.scalar(select(Generation.number)) or 0


def state(zoo, name):
    return overview(zoo, read_snapshot(db.engine, zoo)).row(name).state


@pytest.mark.parametrize("first", ["core_addon", "core_generation"])
def test_a_snapshot_is_of_one_instant_although_an_operation_ends_while_it_is_read(enable, database_url, zoo, first):
    """A process that served the old set under the new number would go on with it until the next operation."""
    reader, done = make_engine(database_url), []

    def an_operation_ends(_connection, _cursor, statement, *_more):
        if re.search(rf"FROM {first}\b", statement) and not done:
            done.append(enable("toy_addon"))

    event.listen(reader, "after_cursor_execute", an_operation_ends)
    try:
        before = read_snapshot(reader, zoo)
        assert done
        after = read_snapshot(reader, zoo)
    finally:
        reader.dispose()
    assert (before.generation, before.enabled) == (0, frozenset())
    assert (after.generation, after.enabled) == (1, {"toy_addon"})


def test_enable_migrates_records_and_raises_the_generation_once(enable, lines, zoo):
    proposal = enable("toy_addon")
    assert proposal.names == ("toy_addon",)
    assert generation() == 1
    assert "toy_addon_note" in inspect(db.engine).get_table_names()
    owned = db.session.execute(select(OwnedTable.name, OwnedTable.owner)).all()
    assert [tuple(row) for row in owned] == [("toy_addon_note", "toy_addon")]
    assert lines == [
        "Trying toy_addon in a process apart.",
        "The tables of toy_addon are upgraded.",
        "Done: enable toy_addon. The shop is at generation 1.",
    ]
    row = db.session.scalars(select(Operation)).one()
    assert (row.kind, row.addons, row.state, row.log.splitlines()) == ("enable", "toy_addon", "done", lines)
    assert state(zoo, "toy_addon") == "running"


def test_enable_twice_changes_nothing(enable, lines):
    enable("toy_addon")
    enable("toy_addon")
    assert generation() == 1
    assert lines[-1] == "Nothing to do: already enabled."


def test_disable_keeps_the_data(enable, disable, zoo):
    enable("toy_addon")
    disable("toy_addon")
    assert generation() == 2
    assert "toy_addon_note" in inspect(db.engine).get_table_names()
    assert state(zoo, "toy_addon") == "disabled"


def test_enable_takes_what_is_required(tools):
    proposal = operations.propose_enable(tools, ["zoo_leaf"])
    assert proposal.added == ("zoo_syntax", "zoo_dependent")
    assert proposal.names == ("zoo_syntax", "zoo_dependent", "zoo_leaf")


def test_unknown_addon_says_where_was_searched(enable, lines, zoo):
    with pytest.raises(OperationRefused) as caught:
        enable("no_such_addon")
    (problem,) = caught.value.problems
    places = ", ".join(s.place for s in zoo.searched)
    assert problem.message == f"There is no addon no_such_addon. Searched: {places}."
    assert lines[-1] == "Nothing was changed."
    assert generation() == 0


def test_all_reasons_are_given_at_once(tools):
    proposal = operations.propose_enable(tools, ["zoo_core", "zoo_package", "zoo_old_package", "zoo_toml"])
    assert [(p.code, p.addon) for p in proposal.problems] == [
        ("CORE-VERSION", "zoo_core"),
        ("PACKAGE", "zoo_old_package"),
        ("PACKAGE", "zoo_package"),
        ("MANIFEST", "zoo_toml"),
    ]
    old, missing = proposal.problems[1], proposal.problems[2]
    assert old.message.startswith("zoo_old_package needs the Python package pluggy>=99, which is installed as 1.")
    assert missing.message == ("zoo_package needs the Python package no-such-distribution>=1, which is not installed.")
    assert missing.remedy == ("Run `pip install 'no-such-distribution>=1'` in Tukku's environment, or disable zoo_package.")


def test_probe_that_fails_refuses(enable, lines):
    problem = Problem("QUARANTINED", "zoo_syntax", "zoo_syntax: it is broken.", "Mend it.")
    with pytest.raises(OperationRefused, match="zoo_syntax: it is broken"):
        enable("zoo_syntax", probe=lambda names, enabled: (problem,))
    assert db.session.scalars(select(AddonState)).all() == []
    assert db.session.scalars(select(Operation)).one().state == "refused"


def test_failing_migration_leaves_nothing(enable, zoo):
    with pytest.raises(RuntimeError, match="the disk is full"):
        enable("zoo_migration")
    assert generation() == 0
    assert "zoo_migration_row" not in inspect(db.engine).get_table_names()
    row = db.session.scalars(select(Operation)).one()
    assert (row.state, row.log.splitlines()[-1]) == ("failed", "Stopped: the disk is full")
    assert state(zoo, "zoo_migration") == "available"


def test_upgrade_pending_blocks_until_upgraded(enable, tools, lines, zoo):
    enable("zoo_pending")
    history = addon_history("zoo_pending", zoo.by_name("zoo_pending")[0].location)
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE zoo_pending_row"))
        connection.execute(text(f"DELETE FROM {history.version_table}"))
    snapshot = read_snapshot(db.engine, zoo)
    assert str(snapshot.faults["zoo_pending"]) == (
        "UPGRADE-PENDING zoo_pending: The tables of zoo_pending are at revision none, and its code needs "
        "zoo_pending_0001. Run `tukku upgrade`."
    )
    assert state(zoo, "zoo_pending") == "upgrade-pending"
    assert operations.upgrade_all(zoo, lines.append) is True
    assert state(zoo, "zoo_pending") == "running"
    assert operations.upgrade_all(zoo, lines.append) is False
    assert generation() == 2


def test_schema_newer_than_the_code_is_said(enable, zoo):
    enable("zoo_pending")
    history = addon_history("zoo_pending", zoo.by_name("zoo_pending")[0].location)
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE {history.version_table} SET version_num = 'zoo_pending_0009'"))
    assert str(read_snapshot(db.engine, zoo).faults["zoo_pending"]) == (
        "UPGRADE-PENDING zoo_pending: The tables of zoo_pending are at revision zoo_pending_0009, "
        "which its files do not know. Install the newer version of its files again."
    )


def test_disable_names_the_dependents(tools, disable):
    for name in ("zoo_syntax", "zoo_dependent", "zoo_leaf"):
        _remember(name)
    proposal = operations.propose_disable(tools, ["zoo_syntax"])
    assert [str(p) for p in proposal.problems] == [
        "NEEDED zoo_syntax: zoo_dependent is enabled and needs zoo_syntax. Disable both: "
        "`tukku addons disable zoo_syntax zoo_dependent zoo_leaf`.",
        "NEEDED zoo_dependent: zoo_leaf is enabled and needs zoo_dependent. Disable both: "
        "`tukku addons disable zoo_syntax zoo_dependent zoo_leaf`.",
    ]
    disable("zoo_syntax", "zoo_dependent", "zoo_leaf")
    assert generation() == 1


def test_disable_shows_the_impact(enable, tools):
    enable("toy_addon")
    told = replace(tools, impact=lambda name: (Impact("3 notes are no longer shown.", 3, "severe"),))
    proposal = operations.propose_disable(told, ["toy_addon"])
    assert proposal.severe
    assert proposal.as_dict()["impacts"] == [
        {"addon": "toy_addon", "message": "3 notes are no longer shown.", "count": 3, "severity": "severe"}
    ]


def test_addon_without_files_can_be_disabled(disable, zoo):
    _remember("zoo_gone")
    assert state(zoo, "zoo_gone") == "files-gone"
    disable("zoo_gone")
    assert state(zoo, "zoo_gone") == "disabled"


def test_one_operation_at_a_time(enable):
    with operation_lock(db.engine), pytest.raises(Busy) as caught:
        enable("toy_addon")
    assert str(caught.value) == (
        "OPERATION-RUNNING Another operation on the addons is running. Wait until it has finished, then try again."
    )
    enable("toy_addon")


def test_refusal_is_noted_for_whoever_follows(tools):
    with operation_lock(db.engine), pytest.raises(Busy):
        operations.enable(tools, ["toy_addon"], lambda line: None, "followed")
    row = db.session.get_one(Operation, "followed")
    assert row.state == "refused"
    assert row.log.splitlines()[-1] == "Nothing was changed."


def test_operation_of_a_killed_process_is_marked(enable):
    from core.data import clock
    from core.data.write import write

    with write() as session:
        session.add(Operation(id="dead", kind="enable", addons="x", actor="x", state="running", started_at=clock.now()))
    enable("toy_addon")
    assert db.session.get_one(Operation, "dead").state == "interrupted"


def _remember(name):
    from core.data import clock
    from core.data.write import write

    with write() as session:
        session.add(AddonState(name=name, enabled=True, version="1.0", changed_by="t", changed_at=clock.now()))


@pytest.mark.parametrize("step", range(3))
def test_interrupted_enable_changes_nothing_and_goes_on(tools, step, zoo):
    seen = []

    def interrupt(line):
        if len(seen) == step:
            raise KeyboardInterrupt
        seen.append(line)

    with pytest.raises(KeyboardInterrupt):
        operations.enable(tools, ["toy_addon"], interrupt)
    decided = step == 2  # the last line is written after the deciding transaction
    assert generation() == int(decided)
    assert state(zoo, "toy_addon") == ("running" if decided else "available")
    operations.enable(tools, ["toy_addon"], lambda line: None)
    assert generation() == 1
    assert state(zoo, "toy_addon") == "running"
    assert [r.name for r in db.session.scalars(select(OwnedTable))] == ["toy_addon_note"]


def test_enable_loads_the_reference_data_before_the_decision(data_app, zoo):
    seen = []

    def seed(names, enabled, echo):
        seen.append((tuple(names), set(enabled), db.session.get(AddonState, "toy_addon")))

    operations.enable(Tools(zoo, lambda names, enabled: (), lambda name: (), seed), ["toy_addon"], lambda line: None)
    assert seen == [(("toy_addon",), {"toy_addon"}, None)]
