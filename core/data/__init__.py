"""Database, transactions, scope, clock, audit and files: what every other package stands on.

Modules: db (engine, base class), write (the only writer), scope (who may see a row), enforcement (which applies
it), types (exact money), stamps (what may be kept in memory, and how long), prepared (statements compiled once), clock
(the only source of time), audit, files, migrate (one Alembic history per owner), backup. Importing any of them attaches
the guards, so that there is no session without them.
"""

from core.data import enforcement, stamps, write

__all__ = ["enforcement", "stamps", "write"]
