"""Database, transactions, scope, clock, audit and files, as addons may use them."""

from core.data import audit, clock
from core.data.clock import end_of_day, now, start_of_day, today
from core.data.db import db
from core.data.models import AuditEntry
from core.data.once import once
from core.data.scope import (
    Actor,
    Audience,
    Inherited,
    Own,
    Owned,
    Scope,
    Staff,
    Subtree,
    Tree,
    acting,
    current_actor,
    system,
    unscoped,
)
from core.data.stamps import book
from core.data.types import Amount, Instant, Json, Price, Quantity, Translated
from core.data.write import after_commit, locked, unhurried, write, writing

__all__ = [
    # database and transactions
    "db", "write", "locked", "writing", "unhurried", "after_commit",
    # what is kept in memory
    "book", "once",
    # column types
    "Amount", "Price", "Quantity", "Instant", "Json", "Translated",
    # whose rows they are
    "Actor", "Scope", "Own", "Owned", "Subtree", "Inherited", "Tree", "Audience", "Staff", "acting",
    "current_actor", "system", "unscoped",
    # time, audit
    "clock", "now", "today", "start_of_day", "end_of_day", "audit", "AuditEntry",
]  # fmt: skip
