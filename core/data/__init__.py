"""Database, transactions, scope, clock, audit and files: what every other package stands on.

Modules: db (engine, base class), write (the only writer), scope (who may see a row), enforcement (which applies
it), types (exact money), clock (the only source of time), audit, files, migrate (one Alembic history per owner),
backup. Importing any of them attaches the guards, so that there is no session without them.
"""

from core.data import enforcement, write

__all__ = ["enforcement", "write"]
