"""Backup while the shop works, restore into an empty place; what is damaged, newer or in the way is refused."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select, text

from core.data import files
from core.data.backup import BackupFailed, backup, read_manifest, restore
from core.data.db import db, make_engine
from core.data.migrate import core_history
from core.data.models import StoredFile
from core.data.scope import set_actor, system
from core.data.write import write
from core.jobs.models import Job
from core.pricing.models import CurrencyRate, ListPrice
from core.testing import factories as make

HISTORIES = {"core": core_history()}
NAME = "ruuvi\tłożysko\nçıvata \\N 'x'"


@pytest.fixture
def shop(data_app):
    company = make.make_company("A", name=NAME)
    product = make.make_product("M8", price="0.123456")
    with write() as session:
        files.store(b"drawing", "M8.pdf", "application/pdf", company_id=company.id)
        at = product.created_at
        session.add(Job(name="jobs.mail", payload={"to": "x"}, run_at=at, created_at=at))
        session.add(Job(name="jobs.prune", payload={}, run_at=at, created_at=at, unique_key="periodic:jobs.prune"))
    db.session.remove()
    return data_app


@pytest.fixture
def target(tmp_path):
    return tmp_path / "monday.tar.gz"


def _backup(database_url, data_dir, target):
    return backup(database_url, data_dir, target, HISTORIES, secret_key="k" * 40)


@pytest.fixture(scope="module")
def made():
    """The bytes of a backup by database, made once."""
    return {}


@pytest.fixture
def whole(request, made, database_backend, target):
    """A whole backup, that the test may spoil."""
    if database_backend not in made:
        request.getfixturevalue("shop")
        _backup(request.getfixturevalue("database_url"), request.getfixturevalue("data_dir"), target)
        made[database_backend] = target.read_bytes()
    target.write_bytes(made[database_backend])
    return target


@pytest.fixture
def elsewhere(databases, tmp_path):
    """An empty database and data directory."""
    url = databases.empty()
    return url.render_as_string(hide_password=False), tmp_path / "restored"


def _query(url, statement):
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(statement)
    finally:
        engine.dispose()


def test_what_was_backed_up_is_restored(shop, database_url, data_dir, target, elsewhere):
    made = _backup(database_url, data_dir, target)
    url, folder = elsewhere
    found = restore(target, url, folder, HISTORIES)
    assert found == made
    assert _query(url, text("SELECT name FROM companies_company")) == NAME
    assert _query(url, select(ListPrice.price)) == Decimal("0.123456")
    digest = _query(url, select(StoredFile.sha256))
    assert (folder / "files" / digest[:2] / digest).read_bytes() == b"drawing"
    assert [p.name for p in folder.iterdir()] == ["files"]
    assert "k" * 40 not in target.read_bytes().decode("latin-1")


def test_after_a_restore_new_rows_get_new_ids_and_old_mail_is_not_sent(whole, elsewhere):
    url, folder = elsewhere
    restore(whole, url, folder, HISTORIES)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO companies_segment (code, name) VALUES ('gold', '{}')"))
        row = {"name": "x", "payload": {}, "run_at": make.EARLY, "created_at": make.EARLY}
        connection.execute(insert(Job.__table__), row)
    engine.dispose()
    assert _query(url, select(func.count()).select_from(Job)) == 2
    assert _query(url, select(Job.state).order_by(Job.id)) == "failed"
    assert "tukku jobs retry" in _query(url, select(Job.error).order_by(Job.id))


def test_a_backup_during_writes_is_one_instant(shop, database_url, data_dir, target, elsewhere):
    """Each transaction writes a pair; a copy with half a pair would be torn."""
    stop, errors = threading.Event(), []

    def work():
        try:
            with shop.app_context():
                set_actor(system("writer"))
                number = 0
                while not stop.is_set():
                    number += 1
                    with write() as session:
                        for code in ("AAA", "BBB"):
                            day = make.EARLY.date().replace(year=2020 + number % 5000)
                            session.add(CurrencyRate(source=code, target=f"{number % 1000}", day=day, rate=Decimal(1)))
                            session.flush()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        _backup(database_url, data_dir, target)
    finally:
        stop.set()
        thread.join(30)
    assert errors == []
    url, folder = elsewhere
    restore(target, url, folder, HISTORIES)
    halves = [_query(url, select(func.count()).where(CurrencyRate.source == code)) for code in ("AAA", "BBB")]
    assert halves[0] == halves[1]


def test_nothing_is_overwritten(shop, database_url, data_dir, target, elsewhere):
    _backup(database_url, data_dir, target)
    before = target.read_bytes()
    with pytest.raises(BackupFailed, match="overwrites nothing"):
        _backup(database_url, data_dir, target)
    assert target.read_bytes() == before
    url, folder = elsewhere
    with pytest.raises(BackupFailed, match="NOT-EMPTY"):
        restore(target, database_url, folder, HISTORIES)
    (folder / "files").mkdir(parents=True)
    with pytest.raises(BackupFailed, match="NOT-EMPTY"):
        restore(target, url, folder, HISTORIES)


def test_a_missing_or_changed_file_stops_the_backup_and_leaves_none(shop, database_url, data_dir, target):
    stored = next(p for p in (data_dir / "files").rglob("*") if p.is_file())
    stored.write_bytes(b"other")
    with pytest.raises(BackupFailed, match="FILE-DAMAGED"):
        _backup(database_url, data_dir, target)
    stored.unlink()
    with pytest.raises(BackupFailed, match="FILE-MISSING"):
        _backup(database_url, data_dir, target)
    assert list(target.parent.glob("*monday*")) == []


def _rewrite(target, change):
    """Write the archive anew, with ``change(name, content) -> content or None`` applied to each member."""
    with tarfile.open(target) as tar:
        members = [(info.name, tar.extractfile(info).read()) for info in tar]
    with tarfile.open(target, "w:gz") as tar:
        for name, content in members:
            changed = change(name, content)
            if changed is not None:
                info = tarfile.TarInfo(name)
                info.size = len(changed)
                tar.addfile(info, io.BytesIO(changed))


def _manifest(**values):
    def change(name, content):
        return json.dumps({**json.loads(content), **values}).encode() if name == "manifest.json" else content

    return change


DAMAGE = {
    "a flipped bit": (lambda n, c: c[:-1] + b"?" if n != "manifest.json" else c, "is not what was backed up"),
    "a lost member": (lambda n, c: c if n == "manifest.json" else None, "is missing"),
    "a lost manifest": (lambda n, c: None if n == "manifest.json" else c, "not a whole backup"),
    "a later format": (_manifest(format=99), "format 99"),
    "a newer schema": (_manifest(revisions={"core": "core_9999"}), "newer version of Tukku"),
    "an addon that is not there": (_manifest(revisions={"credit_terms": "x"}), "credit_terms, which is not installed"),
    "fewer rows": (_manifest(counts={"companies_company": 7}), "1 rows instead of the 7"),
}


@pytest.mark.parametrize(("change", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_or_foreign_backup_is_refused_and_changes_nothing(whole, elsewhere, change, message):
    _rewrite(whole, change)
    url, folder = elsewhere
    with pytest.raises(BackupFailed, match=message):
        restore(whole, url, folder, HISTORIES)
    assert not (folder / "files").exists()
    engine = make_engine(url)
    with engine.connect() as connection:
        kind = "sqlite_master WHERE type = 'table'"
        tables = kind if engine.dialect.name == "sqlite" else "pg_tables WHERE schemaname = 'public'"
        assert connection.scalar(text(f"SELECT count(*) FROM {tables}")) == 0
    engine.dispose()


@pytest.mark.database("sqlite")
def test_a_truncated_backup_is_refused(whole):
    whole.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(BackupFailed, match="not a whole backup"):
        read_manifest(whole)
