"""A migration of zoo_pending."""

import sqlalchemy as sa
from alembic import op

revision = "zoo_pending_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    """Create the table."""
    op.create_table("zoo_pending_row", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade():
    """Drop it."""
    op.drop_table("zoo_pending_row")
