"""What tells this log from any other: places may coincide."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "log_cursor",
        sa.Column("log_id", sa.Text, server_default=sa.text("gen_random_uuid()::text"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("log_cursor", "log_id")
