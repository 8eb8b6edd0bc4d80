"""The log, its ids and cursor, and the registry of models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_log",
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("features_sequence", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("sequence", name="event_log_pkey"),
    )
    op.create_index(
        "event_log_features_sequence",
        "event_log",
        ["features_sequence"],
        postgresql_where=sa.text("features_sequence IS NOT NULL"),
    )
    op.create_table(
        "event_ids",
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="event_ids_pkey"),
    )
    op.create_table(
        "log_cursor",
        sa.Column("one", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("stream_created", sa.Text, nullable=True),
        sa.Column("recorded_ns", sa.BigInteger, nullable=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("one", name="log_cursor_pkey"),
        sa.CheckConstraint("one", name="single_row"),
    )
    op.execute("INSERT INTO log_cursor (sequence, epoch, fence) VALUES (0, 0, 0)")
    op.create_table(
        "models",
        sa.Column("model", sa.Text(collation="C"), nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=True),
        sa.Column("objective", sa.Text, nullable=False),
        sa.Column("first_sequence", sa.BigInteger, nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("n_slates", sa.Integer, nullable=False),
        sa.Column("n_examples", sa.Integer, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("bundle", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("promoted_at", sa.BigInteger, nullable=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", name="models_pkey"),
    )


def downgrade() -> None:
    for table in ("models", "log_cursor", "event_ids", "event_log"):
        op.drop_table(table)
