"""`tukku doctor` asks everything, says what to do, and never falls over what it finds."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from core.cli.main import main
from core.data import clock, files
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.registry.code import on_disk
from core.registry.models import Generation, Process
from core.registry.registry import registry
from core.runtime.diagnosis import AREAS, diagnose
from core.testing import factories
from core.testing.apps import SECRET
from core.testing.signin import sign_in

TESTS = Path(__file__).parents[2]


def tukku(folder, *words, code=0, **environ):
    given = {"TUKKU_DATA_DIR": str(folder), **environ}
    result = CliRunner().invoke(main, list(words), env=given)
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result.output


@pytest.fixture
def shop(app_with):
    """A shop without addons, and what the doctor says of it."""
    return app_with(addons=[])


def found(app, *areas):
    """Return level by code."""
    db.session.rollback()
    return {f.code: f.level for f in diagnose(app.extensions["tukku.config"], areas or AREAS)}


def process(name, **values):
    now = clock.now()
    given = {
        "kind": "web",
        "generation": registry().generation,
        "code": on_disk(registry()),
        "started_at": now,
        "seen_at": now,
    }
    with write() as session:
        session.add(Process(id=name, **{**given, **values}))


def test_a_place_without_anything_says_where_to_begin(tmp_path):
    said = tukku(tmp_path, "doctor", code=1)
    assert "There is no secret key" in said
    assert "Run `tukku init`" in said
    said = tukku(tmp_path, "doctor", code=1, TUKKU_SECRET_KEY=SECRET)
    assert "The database has no tables yet." in said
    assert "jobs" not in said, "what follows is not asked"


def test_a_new_shop_is_in_order_but_for_what_is_left_to_fill_in(tmp_path):
    tukku(tmp_path, "init")
    said = json.loads(tukku(tmp_path, "doctor", "--json", code=1))
    assert {f["area"] for f in said["findings"] if f["level"] == "error"} == {"set-up"}
    assert not said["healthy"]
    assert {f["area"] for f in said["findings"]} == set(AREAS)
    assert {f["code"] for f in said["findings"] if f["level"] == "ok"} >= {
        "SETTINGS", "DATABASE", "WRITABLE", "SOUND", "CURRENT", "ADDONS", "IN-TIME", "DISK", "FILES", "CLOCK",
    }  # fmt: skip
    only = json.loads(tukku(tmp_path, "doctor", "--json", "--area", "clock"))
    assert [f["code"] for f in only["findings"]] == ["CLOCK"]


def test_every_finding_that_stops_work_has_a_remedy(shop):
    assert found(shop, "database", "tables", "clock", "files").items() >= {
        "DATABASE": "ok", "WRITABLE": "ok", "CURRENT": "ok", "CLOCK": "ok", "FILES": "ok",
    }.items()  # fmt: skip
    with write():
        stored = files.store(b"bytes", "drawing.pdf", "application/pdf")
    files.path_of(stored).unlink()
    with write() as session:
        job = {
            "name": "jobs.mail",
            "addon": "jobs",
            "payload": {},
            "created_at": clock.now(),
            "attempts": 0,
            "max_attempts": 8,
        }
        session.add(Job(**job, state="waiting", run_at=clock.now() - timedelta(minutes=17)))
        session.add(Job(**job, state="failed", run_at=clock.now(), error="Traceback\nOSError: no route to host"))
    db.session.rollback()
    wrong = [f for f in diagnose(shop.extensions["tukku.config"]) if f.level in ("error", "warning")]
    said = {f.code: f.message for f in wrong}
    assert said["FILES-MISSING"] == "1 stored files are missing on disk, drawing.pdf among them."
    assert said["LATE"] == "The oldest job has waited for 17 minutes."
    assert said["FAILED"] == "1 jobs have failed for good."
    assert said["MAIL-FAILED"] == "The last mail that failed: OSError: no route to host"
    assert [f.code for f in wrong if f.level == "error" and not f.remedy] == []


def test_files_and_their_rows_are_compared_both_ways(shop):
    with write():
        whole, short, gone = (
            files.store(text, name, "text/plain")
            for text, name in ((b"one", "whole.txt"), (b"two two", "short.txt"), (b"three", "gone.txt"))
        )
    assert found(shop, "files") == {"DISK": "ok", "FILES": "ok"}
    files.path_of(short).write_bytes(b"two")
    files.path_of(gone).unlink()
    files.path_of(whole).with_name("f" * 64).write_bytes(b"being stored")
    assert found(shop, "files") == {"DISK": "ok", "FILES-MISSING": "error", "FILES-CUT": "error"}, "the new one has time"
    for path in files.path_of(whole).parent.iterdir():
        os.utime(path, (1e9, 1e9))
    said = {f.code: f.message for f in diagnose(shop.extensions["tukku.config"], ["files"])}
    assert said["FILES-MISSING"] == "1 stored files are missing on disk, gone.txt among them."
    assert said["FILES-CUT"] == "1 stored files have another length on disk, short.txt among them."
    assert said["FILES-UNKNOWN"] == "1 files (0.0 MB) in `files/` of the data directory belong to no row."


def test_processes_that_do_not_agree_are_named(shop):
    assert found(shop, "processes") == {"NONE": "warning"}
    process("one")
    process("two", kind="worker")
    assert found(shop, "processes") == {"AGREE": "ok"}
    process("old", code="0123456789ab")
    assert found(shop, "processes") == {"OLD-CODE": "warning"}
    with write() as session:
        session.add(Generation(id=1, number=7, reason="an addon was enabled", changed_at=clock.now()))
        session.execute(update(Process).where(Process.id != "one").values(generation=7))
    said = [f.message for f in diagnose(shop.extensions["tukku.config"], ["processes"])]
    assert sorted(said) == ["old (web) runs other code than lies on disk.", "one serves generation 0; decided is 7."]


def test_a_process_from_the_future_means_a_wrong_clock(shop):
    process("ahead", seen_at=clock.now() + timedelta(minutes=3))
    assert found(shop, "clock") == {"CLOCK": "error"}


def test_a_broken_addon_is_said_once_and_the_rest_is_asked(tmp_path):
    places = {"TUKKU_ADDON_PATHS": str(TESTS)}
    tukku(tmp_path, "init", "--with", "toy_addon", **places)
    said = json.loads(tukku(tmp_path, "doctor", "--json", code=1))
    wrong = [f for f in said["findings"] if f["level"] == "error" and f["area"] != "set-up"]
    assert [(f["area"], f["code"]) for f in wrong] == [("addons", "FILES-GONE")]
    assert "IN-TIME" in {f["code"] for f in said["findings"]}


def test_rows_without_their_parent_are_found(tmp_path):
    tukku(tmp_path, "init")
    connection = sqlite3.connect(tmp_path / "tukku.sqlite")
    with connection:
        connection.execute("INSERT INTO accounts_staff_role (user_id, role) VALUES (99, 'admin')")
    connection.close()
    said = tukku(tmp_path, "doctor", "--area", "database", code=1)
    assert "1 rows of accounts_staff_role refer to rows that are gone." in said


def test_without_a_database_it_says_so(tmp_path):
    place = {"TUKKU_SECRET_KEY": SECRET, "TUKKU_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    said = tukku(tmp_path, "doctor", code=1, **place)
    assert "This could not be asked: OperationalError" in said


def test_the_page_shows_whether_processes_agree(shop):
    factories.make_staff("admin@tukku.example")
    client = sign_in(shop, "admin@tukku.example")
    process("one")
    assert "All agree" in client.get("/admin/status").text
    process("two", code="0123456789ab")
    page = client.get("/admin/status").text
    assert "They differ" in page
    assert page.count("Restart it: it runs other code than lies on disk") == 1
    assert on_disk(registry()) in page
