"""What proves that a create was lost, what a caller calls it, and who gave it up."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

ADDED: dict[str, list[sa.Column[Any]]] = {
    "request_set": [
        sa.Column("idempotency_key", sa.String()),
        sa.Column("parameters_hash", sa.LargeBinary()),
        sa.Column("absent_at", MOMENT),
        sa.Column("abandoned_at", MOMENT),
        sa.Column("recheck_at", MOMENT),
    ],
    "submission": [sa.Column("settles_from", MOMENT)],
}
INDEXES = {
    "uq_request_set_account_id_edge_idempotency_key": (
        ["account_id", "edge", "idempotency_key"],
        "idempotency_key IS NOT NULL",
    ),
    "ix_request_set_unresolved": (
        ["account_id", "edge", "parameters_hash"],
        "state IN ('submitting', 'unknown', 'stuck')",
    ),
    "ix_request_set_recheck_at": (["recheck_at"], "recheck_at IS NOT NULL"),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    for name, (columns_of_index, where) in INDEXES.items():
        op.create_index(
            name,
            "request_set",
            columns_of_index,
            unique=name.startswith("uq_"),
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "request_set")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
