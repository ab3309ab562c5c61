"""What the admin's view asks for: indexes, statistics, actions, sessions and heartbeats."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

ADDED: dict[str, list[sa.Column[Any]]] = {
    "request_set": [sa.Column("parent_id", BIG_ID), sa.Column("row_keys", sa.LargeBinary())],
    # The worker fills it in the background: there may be millions of rows.
    "request": [sa.Column("account_id", BIG_ID)],
    "notification": [sa.Column("account_id", BIG_ID)],
    "delivery": [sa.Column("account_id", BIG_ID)],
}
INDEXES: dict[str, tuple[str, list[str], str | None]] = {
    "ix_request_set_account_id_created_at": (
        "request_set",
        ["account_id", "created_at", "id"],
        None,
    ),
    "ix_request_set_account_id_completed_at": (
        "request_set",
        ["account_id", "completed_at", "id", "opened_at", "verdict", "spec_count"],
        "completed_at IS NOT NULL",
    ),
    "ix_request_set_account_id_state": (
        "request_set",
        ["account_id", "state", "created_at", "id"],
        None,
    ),
    "ix_request_set_account_id_verdict": (
        "request_set",
        ["account_id", "verdict", "created_at", "id"],
        None,
    ),
    "ix_request_set_with_errors": (
        "request_set",
        ["account_id", "created_at", "id", "error_count"],
        "error_count > 0",
    ),
    "ix_request_set_without_end": (
        "request_set",
        ["account_id", "created_at", "id", "state", "deadline_at", "missing_at", "collected_at"],
        "state NOT IN ('collected', 'rejected')",
    ),
    "ix_request_set_parent_id": ("request_set", ["parent_id"], "parent_id IS NOT NULL"),
    "ix_request_account_id_id": ("request", ["account_id", "id"], None),
    "ix_request_account_id_status": ("request", ["account_id", "status", "id"], None),
    "ix_request_account_id_error_code": (
        "request",
        ["account_id", "error_code", "id"],
        "error_code IS NOT NULL",
    ),
    "ix_request_without_account": ("request", ["id"], "account_id IS NULL"),
    "ix_notification_account_id_received_at": (
        "notification",
        ["account_id", "received_at", "id"],
        None,
    ),
    "ix_look_account_id_started_at": ("look", ["account_id", "started_at", "id"], None),
    "ix_delivery_account_id_created_at": ("delivery", ["account_id", "created_at", "id"], None),
    "ix_delivery_account_id_state": (
        "delivery",
        ["account_id", "state", "created_at", "id"],
        None,
    ),
}
COUNTS = (
    "created",
    "rejected",
    "collected",
    "by_notification",
    "by_poll",
    "by_read",
    "with_errors",
    "requests",
    "failed_requests",
    "canceled_requests",
)
OF_ITS_SET = "(SELECT s.account_id FROM request_set s WHERE s.id = {table}.request_set_id)"


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    for table in ("notification", "delivery"):
        op.execute(f"UPDATE {table} SET account_id = {OF_ITS_SET.format(table=table)}")  # noqa: S608  # made of this file's own words
    for name, (table, columns_of_index, where) in INDEXES.items():
        partial = None if where is None else sa.text(where)
        op.create_index(
            name, table, columns_of_index, sqlite_where=partial, postgresql_where=partial
        )
    _create_statistics()
    _create_operations()
    _fill_statistics()


def _create_statistics() -> None:
    op.create_table(
        "outcome_by_hour",
        sa.Column("account_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("hour", MOMENT, nullable=False),
        *(sa.Column(name, BIG_ID, server_default=sa.text("0"), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("account_id", "hour", name="pk_outcome_by_hour"),
    )
    op.create_table(
        "error_by_hour",
        sa.Column("account_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("error_code", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("requests", BIG_ID, nullable=False),
        sa.Column("sets", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "hour", "error_code", name="pk_error_by_hour"),
    )


def _create_operations() -> None:
    op.create_table(
        "resubmission",
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("spec_index", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("request_id", BIG_ID, nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_set_id"],
            ["request_set.id"],
            name="fk_resubmission_request_set_id_request_set",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name="fk_resubmission_request_id_request"
        ),
        sa.PrimaryKeyConstraint("request_set_id", "spec_index", name="pk_resubmission"),
    )
    live = sa.text("is_live")
    op.create_index(
        "ix_resubmission_live_request",
        "resubmission",
        ["request_id"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("ix_resubmission_request_id", "resubmission", ["request_id"])
    op.create_table(
        "audit_entry",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("api_key_id", BIG_ID),
        sa.Column("account_id", BIG_ID),
        sa.Column("request_set_id", BIG_ID),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_account_id_at", "audit_entry", ["account_id", "at", "id"])
    op.create_index("ix_audit_entry_request_set_id", "audit_entry", ["request_set_id", "id"])
    op.create_table(
        "action_plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("api_key_id", BIG_ID),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_action_plan"),
    )
    op.create_table(
        "action_plan_item",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("request_set_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("tries", BIG_ID, nullable=False),
        sa.Column("lease_token", sa.String()),
        sa.Column("outcome", sa.String()),
        sa.Column("note", sa.String()),
        sa.Column("ended_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["action_plan.id"], name="fk_action_plan_item_plan_id_action_plan"
        ),
        sa.PrimaryKeyConstraint("plan_id", "request_set_id", name="pk_action_plan_item"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_action_plan_item_due",
        "action_plan_item",
        ["due_at"],
        sqlite_where=due,
        postgresql_where=due,
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("api_key_id", BIG_ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name="fk_sign_in_api_key_id_api_key"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in"),
    )
    op.create_table(
        "worker_heartbeat",
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("beat_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name="pk_worker_heartbeat"),
    )


def _fill_statistics() -> None:
    """Count what was there before: charts begin with the first set, not with this revision."""
    created, collected = _hour_of("created_at"), _hour_of("collected_at")
    zero = dict.fromkeys(COUNTS, "0")
    made = zero | {
        "created": "1",
        "rejected": "CASE WHEN state = 'rejected' THEN 1 ELSE 0 END",
    }
    done = zero | {
        "collected": "1",
        **{
            f"by_{how}": f"CASE WHEN learned_by = '{how}' THEN 1 ELSE 0 END"
            for how in ("notification", "poll", "read")
        },
        "with_errors": "CASE WHEN error_count > 0 THEN 1 ELSE 0 END",
        "requests": "COALESCE(total_count, 0)",
        "failed_requests": "COALESCE(error_count, 0)",
        "canceled_requests": "COALESCE(canceled_count, 0)",
    }
    parts = [
        _select(created, made, where="created_at IS NOT NULL"),
        _select(collected, done, where="collected_at IS NOT NULL"),
    ]
    sums = ", ".join(f"SUM({name})" for name in COUNTS)
    op.execute(
        f"INSERT INTO outcome_by_hour (account_id, hour, {', '.join(COUNTS)}) "  # noqa: S608  # made of this file's own words
        f"SELECT account_id, hour, {sums} FROM ({' UNION ALL '.join(parts)}) AS counted "
        "GROUP BY account_id, hour"
    )
    op.execute(
        "INSERT INTO error_by_hour (account_id, hour, error_code, requests, sets) "  # noqa: S608  # made of this file's own words
        f"SELECT s.account_id, {_hour_of('s.collected_at')}, r.error_code, COUNT(*), "
        "COUNT(DISTINCT s.id) FROM request r JOIN request_set s ON s.id = r.request_set_id "
        "WHERE r.error_code IS NOT NULL AND s.collected_at IS NOT NULL "
        f"GROUP BY s.account_id, {_hour_of('s.collected_at')}, r.error_code"
    )


def _select(hour: str, counts: dict[str, str], *, where: str) -> str:
    columns = ", ".join(f"{expression} AS {name}" for name, expression in counts.items())
    return f"SELECT account_id, {hour} AS hour, {columns} FROM request_set WHERE {where}"  # noqa: S608  # made of this file's own words


def _hour_of(column: str) -> str:
    if op.get_bind().dialect.name == "sqlite":
        return f"substr({column}, 1, 13) || ':00:00.000000'"
    return f"date_trunc('hour', {column} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"


def downgrade() -> None:
    for table in (
        "worker_heartbeat",
        "sign_in",
        "action_plan_item",
        "action_plan",
        "audit_entry",
        "resubmission",
        "error_by_hour",
        "outcome_by_hour",
    ):
        op.drop_table(table)
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table)
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
