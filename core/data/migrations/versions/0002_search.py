"""The search index: an FTS5 table on SQLite, a tsvector with its indexes on PostgreSQL.

These tables belong to no model; core.catalog.search reads and writes them. The extension pg_trgm only makes
the look-up of words faster, so a server that does not offer it is good enough.
"""

from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None

SQLITE = (
    "CREATE VIRTUAL TABLE catalog_search USING fts5("
    "name, terms, category, body, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3')",
    "CREATE TABLE catalog_search_word (word VARCHAR(60) PRIMARY KEY, length SMALLINT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX catalog_search_word_length ON catalog_search_word (length, word)",
)
POSTGRES = (
    "CREATE TABLE catalog_search (rowid INTEGER PRIMARY KEY REFERENCES catalog_product (id) ON DELETE CASCADE, "
    "document TSVECTOR NOT NULL)",
    "CREATE INDEX catalog_search_document ON catalog_search USING gin (document)",
    "CREATE TABLE catalog_search_word (word VARCHAR(60) PRIMARY KEY, length SMALLINT NOT NULL)",
    "CREATE INDEX catalog_search_word_length ON catalog_search_word (length, word)",
)
TRIGRAMS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX catalog_search_word_trigrams ON catalog_search_word USING gin (word gin_trgm_ops)",
)


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRES if postgres else SQLITE:
        op.execute(statement)
    if postgres and _may_use_trigrams():
        for statement in TRIGRAMS:
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE catalog_search_word")
    op.execute("DROP TABLE catalog_search")


def _may_use_trigrams() -> bool:
    """Tell whether the extension is there, or is offered and this role may create it."""
    return bool(
        op.get_bind()
        .exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') OR ("
            "has_database_privilege(current_database(), 'CREATE') AND EXISTS "
            "(SELECT 1 FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND (trusted OR (SELECT rolsuper "
            "FROM pg_roles WHERE rolname = current_user))))"
        )
        .scalar()
    )
