"""Alembic's entry: writes the SQL of the migrations to the configuration's buffer. `migrate` runs it."""

from __future__ import annotations

from alembic import context

from eddyline_eventlog.tables import metadata

context.configure(
    dialect_name="postgresql",
    target_metadata=metadata,
    # `migrate` holds the transaction.
    transactional_ddl=False,
)
context.run_migrations()
