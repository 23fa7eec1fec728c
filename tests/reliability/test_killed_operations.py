"""kill -9 of every operation before each of its commits: nothing is half, and the same command goes on.

a state ── command in a subprocess, killed before its n-th commit ── what must hold ── the command again ── the next n
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from core.data.db import db
from core.data.migrate import addon_history, downgrade
from core.data.scope import acting, system
from core.registry import operations
from core.registry.doctor import examine
from core.registry.models import AddonState, Generation, Operation, OwnedTable
from core.registry.operations import Tools
from core.registry.overview import overview
from core.registry.removal import remove
from core.registry.state import read_snapshot
from core.runtime.app import bare_app, find_addons
from core.runtime.config import Config
from core.runtime.probe import environment

HERE = Path(__file__).parent
SECRET = "not-a-secret-but-long-enough-for-the-check"
NAME, TABLE, NOTES = "toy_addon", "toy_addon_note", 3
MOST = 40  # commits; an operation that needs more never ends

pytestmark = [pytest.mark.trust, pytest.mark.timeout(600)]


@dataclass
class Deployment:
    """A database with its files, looked at from this process and changed by commands in others."""

    config: Config
    tools: Tools = field(init=False)

    def __post_init__(self) -> None:
        self.tools = Tools(find_addons(self.config), lambda names, enabled: (), lambda name: ())

    def command(self, *arguments: str, files: bool = True, dies_at: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `tukku`, killed before that commit (0: never), with or without the addon's files."""
        config = self.config if files else replace(self.config, addon_paths=())
        command = [sys.executable, str(HERE / "killed_operation.py"), str(dies_at), "addons", *arguments]
        return subprocess.run(command, env=environment(config), capture_output=True, text=True, timeout=120, check=False)

    def quietly(self, operate, *names: str) -> None:
        operate(self.tools, list(names), lambda line: None)

    @property
    def generation(self) -> int:
        db.session.rollback()
        return db.session.scalar(select(Generation.number)) or 0

    @property
    def state(self) -> bool | None:
        """Whether the addon is on; None where nothing was decided."""
        db.session.rollback()  # else SQLite goes on reading what was there before the command
        return db.session.scalar(select(AddonState.enabled).where(AddonState.name == NAME))

    @property
    def tables(self) -> set[str]:
        return {name for name in inspect(db.engine).get_table_names() if name.startswith(NAME)}

    @property
    def notes(self) -> int:
        if TABLE not in self.tables:
            return 0
        with db.engine.connect() as connection:
            return connection.scalar(text(f"SELECT count(*) FROM {TABLE}")) or 0

    @property
    def exported(self) -> int:
        """The most rows that a whole export holds."""
        dumps = (self.config.data_dir / "removed").glob("*/dump.json")
        return max((json.loads(d.read_text())["tables"].get(TABLE, {"rows": 0})["rows"] for d in dumps), default=0)

    def write_notes(self) -> None:
        with db.engine.begin() as connection:
            for number in range(NOTES):
                values = {"id": number + 1, "text": f"note {number}"}
                connection.execute(text(f"INSERT INTO {TABLE} (id, text) VALUES (:id, :text)"), values)


@pytest.fixture
def shop(database_url: str, data_dir: Path) -> Iterator[Deployment]:
    config = Config(data_dir, database_url, SECRET, addon_paths=(HERE.parent,))
    app = bare_app(config)
    with app.app_context(), acting(system("trust")):
        yield Deployment(config)
        db.session.remove()
        db.engine.dispose()


def nothing(shop: Deployment) -> None:
    """Begin with an addon that was never there."""
    if shop.state is not None:
        with_notes(shop)
        remove(shop.tools.discovery, "uninstall", NAME, lambda line: None)


def running(shop: Deployment) -> None:
    """Begin with an addon that runs and has rows."""
    shop.quietly(operations.enable, NAME)
    if not shop.notes:
        shop.write_notes()


def with_notes(shop: Deployment) -> None:
    """Begin with an addon that is off and has rows."""
    running(shop)
    shop.quietly(operations.disable, NAME)


def behind(shop: Deployment) -> None:
    """Begin with an addon that runs, whose tables are older than its code."""
    shop.quietly(operations.enable, NAME)
    downgrade(db.engine, addon_history(NAME, HERE.parent / NAME))


def whole_enable(shop: Deployment, before: int) -> None:
    assert (shop.state is True) == (shop.generation > before)
    assert shop.state in (None, True)


def whole_disable(shop: Deployment, before: int) -> None:
    assert (shop.state is False) == (shop.generation > before)
    assert shop.notes == NOTES


def whole_upgrade(shop: Deployment, before: int) -> None:
    assert shop.state is True
    assert shop.generation == before or TABLE in shop.tables


def whole_removal(shop: Deployment, before: int) -> None:
    assert shop.notes == NOTES or shop.exported == NOTES, "rows that were not exported are gone"
    assert (shop.state is None) == (shop.generation > before)
    assert shop.state is not None or not shop.tables


def gone(shop: Deployment) -> bool:
    return shop.state is None and not shop.tables and not db.session.scalars(select(OwnedTable)).all()


CASES = {
    "enable": (nothing, ("enable", NAME), whole_enable, lambda shop: shop.state is True and TABLE in shop.tables),
    "disable": (running, ("disable", NAME, "--confirm", NAME), whole_disable, lambda shop: shop.state is False),
    "upgrade": (behind, ("upgrade",), whole_upgrade, lambda shop: TABLE in shop.tables),
    "uninstall": (with_notes, ("uninstall", NAME, "--confirm", NAME), whole_removal, gone),
    "purge": (with_notes, ("purge", NAME, "--confirm", NAME), whole_removal, gone),
}


@pytest.mark.parametrize("kind", CASES)
def test_an_operation_killed_before_any_commit_is_whole_and_goes_on(shop, kind):
    begin, arguments, whole, done = CASES[kind]
    files, killed = kind != "purge", 0
    for number in range(1, MOST):
        begin(shop)
        before = shop.generation
        ended = shop.command(*arguments, files=files, dies_at=number)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
        killed += 1
        whole(shop, before)
        if not done(shop) or shop.generation == before:
            again = shop.command(*arguments, files=files)
            assert again.returncode == 0, f"after a kill before commit {number}: {again.stdout}{again.stderr}"
        assert done(shop)
        assert shop.generation == before + 1
        assert_nothing_is_left_running(shop, files)
    else:
        pytest.fail(f"{kind} did not end within {MOST} commits")
    assert killed >= 2, "the operation was never killed in its midst"


def assert_nothing_is_left_running(shop: Deployment, files: bool) -> None:
    discovery = find_addons(shop.config if files else replace(shop.config, addon_paths=()))
    wrong = examine(overview(discovery, read_snapshot(db.engine, discovery)))
    assert [problem for problem in wrong if problem.code in ("INTERRUPTED", "ORPHAN")] == []
    assert "running" not in set(db.session.scalars(select(Operation.state)))
