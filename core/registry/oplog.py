"""Operations run one at a time, each with a row and log lines that the back-office follows."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, select, text, update

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import after_commit, write
from core.registry.models import Operation
from core.registry.problems import Problem
from core.spec.errors import Conflict, TukkuError

_LOCK_NUMBER = 7_855_121  # any constant: PostgreSQL's advisory locks are numbers
_memory_lock = threading.Lock()


class Busy(Conflict):
    """Another operation is running; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "OPERATION-RUNNING",
            "Another operation on the addons is running. Wait until it has finished, then try again.",
        )


class OperationRefused(TukkuError):
    """The operation cannot be done; the problems say why. Nothing was changed."""

    status = 409

    def __init__(self, problems: Sequence[Problem]) -> None:
        details = {"problems": [p.as_dict() for p in problems]}
        super().__init__(problems[0].code, " ".join(f"{p.message} {p.remedy}" for p in problems), details=details)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class OperationLog:
    """Writes lines to the operation's row and to ``echo``."""

    id: str
    echo: Callable[[str], None]

    def line(self, message: str) -> None:
        """Add a line, stored at once, so that it can be followed."""
        self.echo(message)
        with write() as session:
            row = session.get_one(Operation, self.id)
            row.log += f"{message}\n"

    def finish(self, state: str, message: str) -> None:
        """Add the last line and the outcome: done, refused or failed; whoever came first is right.

        Inside `write()` both are stored with the decision, so that no kill leaves a deed that says it is still running.
        """
        with write() as session:
            row = session.get_one(Operation, self.id)
            if row.state != "running":
                return
            row.log += f"{message}\n"
            row.state, row.finished_at = state, clock.now()
            after_commit(lambda: self.echo(message))


@contextmanager
def operation(kind: str, addons: Sequence[str], echo: Callable[[str], None], identity: str = "") -> Iterator[OperationLog]:
    """Hold the lock and keep a row while the block runs; an exception marks the row failed and goes on.

    ``identity`` is the row's id, chosen by whoever wants to follow. Raises `Busy` when one is running.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(operation_lock(db.engine))
        except Busy as busy:
            if identity:  # somebody follows it
                _note_refused(kind, addons, identity, busy)
            raise
        log = _open(kind, addons, echo, identity)
        try:
            yield log
        except OperationRefused:
            log.finish("refused", "Nothing was changed.")
            raise
        except BaseException as error:
            log.finish("failed", f"Stopped: {error}")
            raise


def _row(kind: str, addons: Sequence[str], identity: str) -> Operation:
    return Operation(
        id=identity or str(uuid.uuid4()),
        kind=kind,
        addons=" ".join(addons),
        actor=current_actor().name,
        state="running",
        log="",
        started_at=clock.now(),
        finished_at=None,
    )


def _note_refused(kind: str, addons: Sequence[str], identity: str, error: TukkuError) -> None:
    row = _row(kind, addons, identity)
    row.state, row.log, row.finished_at = "refused", f"{error.message}\nNothing was changed.\n", clock.now()
    with write() as session:
        session.add(row)


def _open(kind: str, addons: Sequence[str], echo: Callable[[str], None], identity: str) -> OperationLog:
    row = _row(kind, addons, identity)
    with write() as session:
        # Whoever holds the lock is the only one running: older rows were left by a process that died.
        session.execute(update(Operation).where(Operation.state == "running").values(state="interrupted"))
        session.add(row)
    return OperationLog(row.id, echo)


def left_undone(kind: str, log: OperationLog) -> bool:
    """Tell whether the operation of this kind before the one of ``log`` was killed or failed on its way."""
    before = select(Operation.state).where(Operation.kind == kind, Operation.id != log.id)
    return db.session.scalar(before.order_by(Operation.started_at.desc()).limit(1)) in ("interrupted", "failed")


def killed() -> frozenset[str]:
    """Return the ids of operations that say they run though nobody holds the lock: their process died."""
    if not _running():
        return frozenset()
    try:
        with operation_lock(db.engine):
            return _running()  # read anew: what ended between the two looks did not die
    except Busy:
        return frozenset()


def _running() -> frozenset[str]:
    with db.engine.connect() as connection:  # apart, so that it sees what others have just written
        return frozenset(connection.scalars(select(Operation.id).where(Operation.state == "running")))


def latest(limit: int = 10) -> tuple[Operation, ...]:
    """Return the newest operations."""
    return tuple(db.session.scalars(select(Operation).order_by(Operation.started_at.desc()).limit(limit)))


@contextmanager
def operation_lock(engine: Engine) -> Iterator[None]:
    """Let one operation run at a time in the deployment; the lock dies with its process."""
    if engine.dialect.name == "postgresql":
        with _postgres_lock(engine):
            yield
    elif engine.url.database in (None, "", ":memory:"):
        with _thread_lock():
            yield
    else:
        with _file_lock(Path(f"{engine.url.database}.operation-lock")):
            yield


@contextmanager
def _postgres_lock(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:n)"), {"n": _LOCK_NUMBER}):
            raise Busy
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _LOCK_NUMBER})


@contextmanager
def _thread_lock() -> Iterator[None]:
    if not _memory_lock.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _memory_lock.release()


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        _take(file)
        yield  # closing the file releases the lock


def _take(file: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise Busy from error
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Busy from error
