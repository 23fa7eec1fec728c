"""Full-text search behind one interface: FTS5 on SQLite, tsvector on PostgreSQL.

``index.py`` is the interface, ``documents.py`` what is written for a product, ``query.py`` what a typed text means.
"""
