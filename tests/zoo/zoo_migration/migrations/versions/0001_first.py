"""A migration of zoo_migration."""

import sqlalchemy as sa
from alembic import op

revision = "zoo_migration_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    """Create the table."""
    op.create_table("zoo_migration_row", sa.Column("id", sa.Integer(), primary_key=True))
    raise RuntimeError("the disk is full")


def downgrade():
    """Drop it."""
    op.drop_table("zoo_migration_row")
