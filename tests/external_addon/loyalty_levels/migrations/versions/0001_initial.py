"""The first schema of loyalty_levels."""

import sqlalchemy as sa
from alembic import op

from core.api.data import Amount, Instant, Price

revision = "loyalty_levels_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loyalty_levels_level",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("percent", Price(), nullable=False),
        sa.Column("min_spend", Amount(), nullable=False),
        sa.Column("min_orders", sa.Integer(), nullable=False),
        sa.Column("max_returns", Price(), nullable=False),
        sa.CheckConstraint("percent >= 0 and percent <= 90000000", name=op.f("ck_loyalty_levels_level_percent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loyalty_levels_level")),
        sa.UniqueConstraint("rank", name=op.f("uq_loyalty_levels_level_rank")),
    )
    op.create_table(
        "loyalty_levels_standing",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=True),
        sa.Column("spend", Amount(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("returns", Price(), nullable=False),
        sa.Column("grace_until", Instant(), nullable=True),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies_company.id"],
            name=op.f("fk_loyalty_levels_standing_company_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["level_id"], ["loyalty_levels_level.id"],
            name=op.f("fk_loyalty_levels_standing_level_id"), ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_loyalty_levels_standing")),
    )
    op.create_index(op.f("ix_loyalty_levels_standing_level_id"), "loyalty_levels_standing", ["level_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_loyalty_levels_standing_level_id"), table_name="loyalty_levels_standing")
    op.drop_table("loyalty_levels_standing")
    op.drop_table("loyalty_levels_level")
