"""The first schema of toy_addon."""

import sqlalchemy as sa
from alembic import op

revision = "toy_addon_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "toy_addon_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies_company.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("toy_addon_note")
