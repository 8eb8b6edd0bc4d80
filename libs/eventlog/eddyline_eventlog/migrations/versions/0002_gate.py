"""What the gate decided, what each cycle left behind and cost, and what it takes to extend a model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("booster", sa.Text, nullable=True))
    op.add_column("models", sa.Column("predecessor", sa.Text, nullable=True))
    op.add_column("models", sa.Column("decided_at", sa.BigInteger, nullable=True))
    op.execute("UPDATE models SET decided_at = last_sequence WHERE promoted_at IS NOT NULL")
    op.create_table(
        "learning_cycles",
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("learning", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=True),
        sa.Column("state", sa.JSON, nullable=True),
        sa.Column("cost", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("view", "learning", "number", name="learning_cycles_pkey"),
    )
    op.create_table(
        "gate_decisions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("learning", sa.Text, nullable=False),
        sa.Column("cut", sa.Integer, nullable=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("challenger", sa.Text, nullable=False),
        sa.Column("opponent", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("mean", sa.Double, nullable=False),
        sa.Column("lower", sa.Double, nullable=True),
        sa.Column("upper", sa.Double, nullable=True),
        sa.Column("delta", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.Text, nullable=True),
        sa.Column("event", sa.JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name="gate_decisions_pkey"),
    )


def downgrade() -> None:
    op.drop_table("gate_decisions")
    op.drop_table("learning_cycles")
    for column in ("decided_at", "predecessor", "booster"):
        op.drop_column("models", column)
