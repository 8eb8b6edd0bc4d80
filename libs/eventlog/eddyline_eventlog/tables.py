"""The tables of Eddyline's database, as SQLAlchemy Core; the migrations build the same (a test compares them).

``event_log``, ``event_ids`` and ``log_cursor`` are written by the log writer only; ``models``, ``learning_cycles`` and
``gate_decisions`` by the trainer only.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
        "pk": "%(table_name)s_pkey",
    }
)

event_log = Table(
    "event_log",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text(collation="C"), nullable=False),
    Column("type", Text(collation="C"), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # json and not jsonb, which refuses \u0000 and forgets repeated members: the log keeps what was received.
    Column("payload", JSON, nullable=False),
    # Slates of the ranker only: the log position that their vectors were read at.
    Column("features_sequence", BigInteger, nullable=True),
)
Index(
    None,
    event_log.c.features_sequence,
    postgresql_where=event_log.c.features_sequence.is_not(None),
)

event_ids = Table(
    "event_ids",
    metadata,
    Column("event_id", Text(collation="C"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

log_cursor = Table(
    "log_cursor",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=true()),
    # The newest place that is decided: committed, duplicate or refused.
    Column("sequence", BigInteger, nullable=False),
    # Which inbox stream the places are of, and what tells it from another of the same name.
    Column("epoch", Integer, nullable=False),
    Column("stream_created", Text, nullable=True),
    # JetStream's time of the message at the cursor, in ns: tells whether the stream still is the one we read.
    Column("recorded_ns", BigInteger, nullable=True),
    # Raised by each writer that becomes active; a commit with an older one changes nothing.
    Column("fence", BigInteger, nullable=False),
    # Random: tells this log from any other, whose places may be the same numbers.
    Column("log_id", Text, nullable=False, server_default=text("gen_random_uuid()::text")),
    CheckConstraint("one", name="single_row"),
)

models = Table(
    "models",
    metadata,
    Column("model", Text(collation="C"), primary_key=True),
    Column("view", Text, nullable=False),
    Column("parent", Text, nullable=True),
    Column("objective", Text, nullable=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("n_slates", Integer, nullable=False),
    Column("n_examples", Integer, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("promoted_at", BigInteger, nullable=True),
    Column("role", Text, nullable=False),
    # LightGBM's text: what the model can be extended by.
    Column("booster", Text, nullable=True),
    # Who was champion before it.
    Column("predecessor", Text, nullable=True),
    # Place in the log of the decision that made it champion last: decisions of the past change nothing.
    Column("decided_at", BigInteger, nullable=True),
)

learning_cycles = Table(
    "learning_cycles",
    metadata,
    Column("view", Text, primary_key=True),
    # Digest of the settings that models are made by.
    Column("learning", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("model", Text, nullable=True),
    # What the learner goes on from; kept for the newest few.
    Column("state", JSON, nullable=True),
    Column("cost", JSON, nullable=False),
    # ms since the Unix epoch, as all such columns.
    Column("created_at", BigInteger, nullable=False),
)

gate_decisions = Table(
    "gate_decisions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("view", Text, nullable=False),
    Column("learning", Text, nullable=False),
    # Number of the cycle; none for a decision by hand.
    Column("cut", Integer, nullable=True),
    Column("sequence", BigInteger, nullable=False),
    Column("challenger", Text, nullable=False),
    Column("opponent", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("mean", Double, nullable=False),
    Column("lower", Double, nullable=True),
    Column("upper", Double, nullable=True),
    Column("delta", Double, nullable=False),
    # How long it took to compare and decide, all decisions of the cycle together.
    Column("seconds", Double, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    # The event that tells of it, if it changed the champion: sent until the log has it.
    Column("event_id", Text, nullable=True),
    Column("event", JSON, nullable=True),
)
