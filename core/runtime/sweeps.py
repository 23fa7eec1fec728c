"""Sweeps over stored rows: what domains and addons say holds at all times, asked without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import text

from core.data.db import db
from core.registry.registry import registry
from core.spec.app import DataCheck

SHOWN = 5
#: How many broken rows are counted: more are "and more".
COUNTED = 1000
#: A sweep over millions of rows takes longer than a page may.
LONGEST = "10min"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a check found: the first names, how many in all, and why it could not be asked, '' where it could."""

    owner: str
    check: DataCheck
    names: tuple[str, ...] = ()
    count: int = 0
    failure: str = ""

    def __str__(self) -> str:
        """Say what holds, and of which rows it does not."""
        more = f" and {self.count - SHOWN} more" if self.count > SHOWN else ""
        more = " and more than a thousand more" if self.count > COUNTED else more
        return f"{self.check.says} Not so: {', '.join(self.names)}{more}."


def sweep() -> Iterator[Swept]:
    """Ask every check in turn; one that fails is an answer, and the next is asked all the same."""
    for found in registry().contributions("data_checks"):
        try:
            with _reading():
                broken = iter(found.value.broken())
                names = tuple(islice(broken, SHOWN))
                count = len(names) + sum(1 for _ in islice(broken, COUNTED + 1 - len(names)))
            yield Swept(found.owner, found.value, names, count)
        except (Exception, SystemExit) as error:  # whatever it is, it is the answer
            first = str(error).splitlines()[0] if str(error) else ""
            yield Swept(found.owner, found.value, failure=f"{type(error).__name__}: {first}".rstrip(": "))


@contextmanager
def _reading() -> Iterator[None]:
    """Let the session read, for as long as it needs, and have the database refuse everything else."""
    db.session.rollback()
    try:
        with _postgres() if db.engine.dialect.name == "postgresql" else _sqlite():
            yield
    finally:
        db.session.rollback()


@contextmanager
def _sqlite() -> Iterator[None]:
    connection = db.session.connection().connection
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only = OFF")


@contextmanager
def _postgres() -> Iterator[None]:
    """Of both connections of the session: that of streams, in a transaction, and that of all else, which commits each."""
    streams = db.session.connection(bind_arguments={"bind": db.engine})
    for setting in (f"statement_timeout = '{LONGEST}'", "idle_in_transaction_session_timeout = 0"):
        streams.execute(text(f"SET LOCAL {setting}"))
    streams.execute(text("SET TRANSACTION READ ONLY"))
    others = db.session.connection()
    others.execute(text(f"SET statement_timeout = '{LONGEST}'"))
    others.execute(text("SET default_transaction_read_only = on"))
    try:
        yield
    finally:
        for name in ("statement_timeout", "default_transaction_read_only"):
            others.execute(text(f"RESET {name}"))
