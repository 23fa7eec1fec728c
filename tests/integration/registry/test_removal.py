"""Uninstall and purge: refused with reasons, exported and compared first, taken up again after a kill."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy import inspect, select, text

from core.data import clock, dump
from core.data.db import db
from core.data.dump import DumpFailed
from core.data.write import write
from core.registry import operations, processes
from core.registry.doctor import examine
from core.registry.models import AddonState, Generation, Incident, Operation, OwnedTable, Process
from core.registry.operations import Tools
from core.registry.oplog import OperationRefused
from core.registry.overview import overview
from core.registry.removal import propose, remove
from core.registry.sources import Discovery, FolderSource, discover
from core.registry.state import read_snapshot
from core.runtime.config import Config
from core.runtime.operator import Operator
from core.settings.models import Setting

from .conftest import SECRET, TESTS

NOTES = [(1, None, "first"), (2, None, 'Ääkköset, łódź, ığdır; "quoted"\n')]


@pytest.fixture
def lines():
    return []


@pytest.fixture
def installed(data_app, zoo):
    """The toy addon, switched off again, with two notes and a setting."""
    tools = Tools(zoo, lambda names, enabled: (), lambda name: ())
    operations.enable(tools, ["toy_addon"], lambda line: None)
    with db.engine.begin() as connection:
        for values in NOTES:
            row = dict(zip("abc", values, strict=True))
            connection.execute(text("INSERT INTO toy_addon_note (id, company_id, text) VALUES (:a, :b, :c)"), row)
    with write() as session:
        session.add(Setting(owner="toy_addon", key="colour", target="", value="red", changed_by="t", changed_at=clock.now()))
    operations.disable(tools, ["toy_addon"], lambda line: None)
    return tools


@pytest.fixture
def gone() -> Discovery:
    """A deployment in which the addon's files are no longer there."""
    return discover([FolderSource(Path(__file__).parent)])


def folders() -> list[Path]:
    return sorted((Path(current_app.config["TUKKU_DATA_DIR"]) / "removed").glob("*"))


def tables() -> set[str]:
    return {name for name in inspect(db.engine).get_table_names() if name.startswith("toy_addon")}


def codes(removal):
    return [problem.code for problem in removal.problems]


def findings(discovery):
    """What the doctor finds, apart from the manifests of the zoo that nobody can read."""
    found = examine(overview(discovery, read_snapshot(db.engine, discovery)))
    return [problem for problem in found if problem.code != "MANIFEST"]


def test_uninstall_writes_what_people_read_as_far_as_the_addon_can(installed, zoo, lines, database_url, data_dir):
    config = Config(data_dir, database_url, SECRET, addon_paths=(TESTS,), testing=True)
    remove(zoo, "uninstall", "toy_addon", lines.append, readable=Operator(config).readable)
    assert lines[1:3] == [
        "Written for people: notes.csv, 2 rows.",
        "toy_addon could not write broken.csv; the tables are exported all the same.",
    ]
    (folder,) = folders()
    with (folder / "readable" / "notes.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["note"], *([note] for _id, _company, note in NOTES)]
    assert tables() == set()


def test_uninstall_of_an_addon_that_does_not_load_writes_nothing_for_people(installed, zoo, lines, database_url, data_dir):
    config = Config(data_dir, database_url, SECRET, addon_paths=(TESTS / "zoo",), testing=True)
    Operator(config).readable("zoo_syntax", data_dir / "readable", lines.append)
    assert lines == ["zoo_syntax does not load and writes no files for people."]


def test_uninstall_exports_compares_removes_and_forgets(installed, zoo, lines):
    shown = propose(zoo, "uninstall", "toy_addon")
    assert (dict(shown.rows), shown.settings) == ({"toy_addon_note": 2}, 1)
    assert shown.as_dict()["references"] == [
        {"table": "toy_addon_note", "column": "company_id", "target": "companies_company", "count": 0}
    ]
    remove(zoo, "uninstall", "toy_addon", lines.append)
    assert tables() == set()
    (folder,) = folders()
    assert lines == [
        f"Exported and compared 2 rows of 1 tables: {folder}",
        "The tables of toy_addon are removed.",
        "Done: uninstall toy_addon. The shop is at generation 3.",
    ]
    kept = [json.loads(line) for line in (folder / "toy_addon_note.jsonl").read_text().splitlines()]
    assert [(row["id"], row["company_id"], row["text"]) for row in kept] == NOTES
    about = json.loads((folder / "dump.json").read_text())
    assert about["tables"]["toy_addon_note"]["rows"] == 2
    assert 'name = "toy_addon"' in about["manifest"]
    assert db.session.scalars(select(AddonState)).all() == []
    assert db.session.scalars(select(OwnedTable)).all() == []
    assert db.session.scalar(select(Setting.value)) == "red"
    assert codes(propose(zoo, "uninstall", "toy_addon")) == ["NOT-INSTALLED"]
    assert findings(zoo) == []
    operations.enable(installed, ["toy_addon"], lambda line: None)
    assert tables() == {"toy_addon_note", "toy_addon_alembic_version"}


def test_what_forbids_it_is_said(installed, zoo, gone):
    operations.enable(installed, ["toy_addon"], lambda line: None)
    assert codes(propose(zoo, "uninstall", "toy_addon")) == ["ENABLED"]
    assert codes(propose(gone, "uninstall", "toy_addon")) == ["ENABLED", "FILES-GONE"]
    assert codes(propose(zoo, "purge", "toy_addon")) == ["ENABLED", "FILES-PRESENT"]
    assert codes(propose(zoo, "purge", "never_there")) == ["NOT-INSTALLED"]
    with write() as session:
        for name in ("zoo_syntax", "zoo_dependent"):
            session.add(AddonState(name=name, enabled=False, version="1.0", changed_by="t", changed_at=clock.now()))
    refused = propose(zoo, "uninstall", "zoo_syntax")
    assert [str(problem) for problem in refused.problems] == [
        "NEEDED zoo_syntax: zoo_dependent is installed and needs zoo_syntax; its tables may refer to those of zoo_syntax. "
        "Run `tukku addons uninstall zoo_dependent` first."
    ]


def test_a_table_of_somebody_else_that_refers_to_it_forbids_it(installed, zoo):
    with db.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE strange (id integer primary key, note integer references toy_addon_note (id))")
        )
    assert str(propose(zoo, "uninstall", "toy_addon").problems[0]) == (
        "REFERENCED toy_addon: The table strange refers to toy_addon_note. Remove the addon that strange belongs to first."
    )
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE strange"))


def test_purge_needs_no_files_and_takes_settings_along(installed, gone, lines):
    assert findings(gone) == []
    remove(gone, "purge", "toy_addon", lines.append, with_settings=True)
    assert tables() == set()
    assert db.session.scalars(select(Setting)).all() == []
    assert db.session.scalars(select(OwnedTable)).all() == []
    assert len((folders()[0] / "toy_addon_note.jsonl").read_text().splitlines()) == 2


def test_a_process_that_still_runs_it_is_waited_for(installed, zoo, lines):
    with write() as session:
        session.add(
            Process(id="web-1", kind="web", generation=1, addons="toy_addon", started_at=clock.now(), seen_at=clock.now())
        )
    with pytest.raises(OperationRefused, match="web-1 still runs toy_addon"):
        remove(zoo, "uninstall", "toy_addon", lines.append, patience=0.1)
    assert lines[0] == "Waiting for processes that still run toy_addon: web-1."
    assert "toy_addon_note" in tables()
    assert [problem.code for problem in findings(zoo)] == ["STRAGGLER"]
    processes.forget()


def test_an_export_that_differs_removes_nothing(installed, zoo, monkeypatch):
    write_file = dump._write

    def lossy(connection, table, path):
        known = write_file(connection, table, path)
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
        return known

    monkeypatch.setattr(dump, "_write", lossy)
    with pytest.raises(DumpFailed, match="toy_addon_note: the export was read back with 1 rows instead of 2"):
        remove(zoo, "uninstall", "toy_addon", lambda line: None)
    assert "toy_addon_note" in tables()
    assert db.session.scalars(select(Operation).order_by(Operation.started_at.desc())).first().state == "failed"


def test_a_row_that_came_after_the_export_was_written_removes_nothing(installed, zoo, monkeypatch):
    write_file = dump._write

    def overtaken(connection, table, path):
        known = write_file(connection, table, path)
        connection.execute(text("INSERT INTO toy_addon_note (id, text) VALUES (3, 'late')"))
        return known

    monkeypatch.setattr(dump, "_write", overtaken)
    with pytest.raises(DumpFailed, match="toy_addon_note: the export was read back with 2 rows instead of 3"):
        remove(zoo, "uninstall", "toy_addon", lambda line: None)
    assert "toy_addon_note" in tables()


def test_the_outcome_is_stored_with_the_deed(installed, zoo):
    """A kill after the deciding transaction leaves nothing that says it still runs."""

    def kill(line):
        if line.startswith("Done"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remove(zoo, "uninstall", "toy_addon", kill)
    row = db.session.scalars(select(Operation).where(Operation.kind == "uninstall")).one()
    assert (row.state, row.log.splitlines()[-1]) == ("done", "Done: uninstall toy_addon. The shop is at generation 3.")
    assert findings(zoo) == []


@pytest.mark.parametrize("step", range(3))
def test_interrupted_it_is_taken_up_again(installed, zoo, step):
    seen = []

    def interrupt(line):
        if len(seen) == step:
            raise KeyboardInterrupt
        seen.append(line)

    with pytest.raises(KeyboardInterrupt):
        remove(zoo, "uninstall", "toy_addon", interrupt)
    forgotten = step == 2  # the last line is written after the deciding transaction
    assert db.session.scalar(select(Generation.number)) == 2 + forgotten
    if not forgotten:
        remove(zoo, "uninstall", "toy_addon", lambda line: None)
    assert tables() == set()
    assert db.session.scalar(select(Generation.number)) == 3


def test_the_doctor_names_orphans_killed_operations_and_incidents(installed, zoo):
    now = clock.now()
    with write() as session:
        session.add_all(
            [
                OwnedTable(name="lost_thing", owner="lost"),
                Operation(id="dead", kind="enable", addons="toy_addon", actor="x", state="running", started_at=now),
                Incident(
                    fingerprint="f", addon="toy_addon", phase="request", hook="ui_panels", generation=1,
                    message="It broke.", first_seen=now, last_seen=now,
                ),
            ]
        )  # fmt: skip
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE gone_alembic_version (version_num varchar(32))"))
    found = findings(zoo)
    assert [(p.code, p.addon, p.level) for p in found] == [
        ("ORPHAN", "lost", "error"),
        ("ORPHAN", "gone", "error"),
        ("INTERRUPTED", "toy_addon", "error"),
        ("INCIDENT", "toy_addon", "notice"),
    ]
    assert "tukku addons purge lost" in found[0].remedy
    assert "`tukku addons enable toy_addon` again" in found[2].remedy
    assert found[3].message.startswith("It broke. (request, ui_panels; 1 times since ")
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE gone_alembic_version"))
