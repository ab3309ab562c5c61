"""Alembic's entry: migrations run on the connection that receiver.store.migrate opened.

On SQLite they share the transaction that is open on it; on PostgreSQL each has its own.
"""

from __future__ import annotations

from alembic import context

from receiver.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
