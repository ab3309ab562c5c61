"""Keys that end and read only, three edges to create on, what others made, deliveries, waits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

# The old code still writes rows while this runs: what it does not name needs a default.
ADDED: dict[str, list[sa.Column[Any]]] = {
    "credential": [
        sa.Column("resume_at", MOMENT),
        sa.Column("wait_http_status", BIG_ID),
        sa.Column("wait_body", sa.LargeBinary()),
    ],
    "account": [
        sa.Column("wait_http_status", BIG_ID),
        sa.Column("wait_body", sa.LargeBinary()),
    ],
    "api_key": [
        sa.Column("is_read_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("last_used_at", MOMENT),
    ],
    "submission": [sa.Column("signing_key_id", sa.String())],
    "request_set": [
        sa.Column("edge", sa.String(), server_default="asyncadrequestsets", nullable=False),
        sa.Column("uri_pending", sa.Boolean(), server_default=sa.false(), nullable=False),
    ],
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        "ix_request_set_account_id_edge_facebook_id",
        "request_set",
        ["account_id", "edge", "facebook_id"],
    )
    op.create_index("ix_request_scope_object_id_id", "request", ["scope_object_id", "id"])
    op.create_index("ix_request_created_object_id", "request", ["created_object_id"])
    _create_memory()
    _create_deliveries()


def _create_memory() -> None:
    op.create_table(
        "graph_object",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_graph_object"),
    )
    op.create_table(
        "edge_reading",
        sa.Column("object_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("read_at", MOMENT),
        sa.Column("walked_at", MOMENT),
        sa.Column("after", sa.String()),
        sa.Column("lease_token", sa.String()),
        sa.Column("lease_expires_at", MOMENT),
        sa.PrimaryKeyConstraint("object_id", "edge", name="pk_edge_reading"),
    )
    op.create_table(
        "edge_member",
        sa.Column("object_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("member_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("object_id", "edge", "member_id", name="pk_edge_member"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", BIG_ID, nullable=False),
        sa.Column("send_at", MOMENT),
        sa.Column("result_status", sa.String()),
        sa.Column("result_response", sa.String()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("lease_token", sa.String()),
        sa.Column("lease_expires_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["request_set_id"], ["request_set.id"], name="fk_delivery_request_set_id_request_set"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("request_set_id", name="uq_delivery_request_set_id"),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["send_at"],
        sqlite_where=sa.text("send_at IS NOT NULL"),
        postgresql_where=sa.text("send_at IS NOT NULL"),
    )
    op.create_table(
        "delivery_attempt",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("delivery_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("duration_ms", BIG_ID, nullable=False),
        sa.Column("http_status", BIG_ID),
        sa.Column("error", sa.String()),
        sa.Column("response", sa.String()),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_delivery_attempt_delivery_id_delivery"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_attempt"),
        sa.UniqueConstraint("delivery_id", "number", name="uq_delivery_attempt_delivery_id_number"),
    )


def downgrade() -> None:
    for table in ("delivery_attempt", "delivery", "edge_member", "edge_reading", "graph_object"):
        op.drop_table(table)
    op.drop_index("ix_request_created_object_id", "request")
    op.drop_index("ix_request_scope_object_id_id", "request")
    op.drop_index("ix_request_set_account_id_edge_facebook_id", "request_set")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
