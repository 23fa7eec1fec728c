"""Database, transactions, scope, clock, audit and files: what every other package stands on.

Modules: db (engine, base class), write (the only writer), scope (who may see a row), types (exact
money), clock (the only source of time), audit, files, migrate (one Alembic history per owner), backup.
"""
