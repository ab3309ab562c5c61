"""What proves that a create was lost, what a caller calls it, and what an account may spend."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

ADDED: dict[str, list[sa.Column[Any]]] = {
    "request_set": [
        sa.Column("parameters_hash", sa.LargeBinary()),
        sa.Column("twin_of", BIG_ID),
        sa.Column("deadline_at", MOMENT),
        sa.Column("missing_at", MOMENT),
        sa.Column("doubled_at", MOMENT),
        sa.Column("absent_at", MOMENT),
        sa.Column("abandoned_at", MOMENT),
        sa.Column("recheck_at", MOMENT),
        sa.Column("etag", sa.String()),
        sa.Column("flag", sa.String()),
    ],
    "account": [
        sa.Column("parked_reason", sa.String()),
        sa.Column("score_slots", sa.String()),
        sa.Column("score_version", BIG_ID, server_default=sa.text("0"), nullable=False),
        sa.Column("tier", sa.String()),
        sa.Column("page_limit", BIG_ID),
        sa.Column("sweep_pages", sa.Float()),
    ],
    "credential": [
        sa.Column("parked_reason", sa.String()),
        sa.Column("app_percent", sa.Float()),
        sa.Column("app_percent_at", MOMENT),
    ],
    "submission": [sa.Column("settles_from", MOMENT)],
}
INDEXES = {
    "ix_request_set_deadline_at": (["deadline_at"], "state NOT IN ('collected', 'rejected')"),
    "ix_request_set_twin_of": (["twin_of"], "twin_of IS NOT NULL"),
    "ix_request_set_doubled_at": (["doubled_at"], "doubled_at IS NOT NULL"),
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
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    # What had no end before there were deadlines is past them, until it has one.
    op.execute(
        "UPDATE request_set SET deadline_at = created_at, missing_at = created_at "
        "WHERE state NOT IN ('collected', 'rejected')"
    )
    op.create_table(
        "reconciliation",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.Column("calls", BIG_ID, nullable=False),
        sa.Column("sets", BIG_ID, nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("differences", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
    )
    op.create_index("ix_reconciliation_account_id_id", "reconciliation", ["account_id", "id"])
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_set_id"],
            ["request_set.id"],
            name="fk_idempotency_key_request_set_id_request_set",
        ),
        sa.PrimaryKeyConstraint("account_id", "edge", "key", name="pk_idempotency_key"),
    )
    op.create_index("ix_idempotency_key_request_set_id", "idempotency_key", ["request_set_id"])


def downgrade() -> None:
    op.drop_table("idempotency_key")
    op.drop_table("reconciliation")
    for name in INDEXES:
        op.drop_index(name, "request_set")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
