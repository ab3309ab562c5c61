"""Alembic's entry: migrations run in the transaction that receiver.store.migrate opened."""

from __future__ import annotations

from alembic import context

from receiver.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
)
with context.begin_transaction():
    context.run_migrations()
