"""Credentials, accounts, keys, intents, submissions, requests, notifications and looks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "credential",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_app_secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credential"),
    )
    op.create_table(
        "notification",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("attempt", BIG_ID, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("remote_address", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_cut", sa.String(), nullable=True),
        sa.Column("repeats", BIG_ID, nullable=False),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
    )
    op.create_index(
        "ix_notification_request_set_id_attempt",
        "notification",
        ["request_set_id", "attempt", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notification_unapplied",
        "notification",
        ["id"],
        unique=False,
        sqlite_where=sa.text("applied_at IS NULL"),
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.create_table(
        "account",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("credential_id", BIG_ID, nullable=False),
        sa.Column("resume_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name="fk_account_credential_id_credential"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("credential_id", BIG_ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name="fk_api_key_credential_id_credential"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_hash", name="uq_api_key_key_hash"),
        sa.UniqueConstraint("name", name="uq_api_key_name"),
    )
    op.create_table(
        "api_key_account",
        sa.Column("api_key_id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_api_key_account_account_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name="fk_api_key_account_api_key_id_api_key"
        ),
        sa.PrimaryKeyConstraint("api_key_id", "account_id", name="pk_api_key_account"),
    )
    op.create_table(
        "request_set",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("api_key_id", BIG_ID, nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ad_specs", sa.LargeBinary(), nullable=False),
        sa.Column("spec_count", BIG_ID, nullable=False),
        sa.Column("caller_notification_uri", sa.String(), nullable=True),
        sa.Column("caller_notification_mode", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_reason", sa.String(), nullable=True),
        sa.Column("attempt", BIG_ID, nullable=False),
        sa.Column("error_http_status", BIG_ID, nullable=True),
        sa.Column("error_body", sa.LargeBinary(), nullable=True),
        sa.Column("facebook_id", BIG_ID, nullable=True),
        sa.Column("owner_id", BIG_ID, nullable=True),
        sa.Column("is_completed", sa.Boolean(), nullable=False),
        sa.Column("total_count", BIG_ID, nullable=True),
        sa.Column("initial_count", BIG_ID, nullable=True),
        sa.Column("in_progress_count", BIG_ID, nullable=True),
        sa.Column("success_count", BIG_ID, nullable=True),
        sa.Column("error_count", BIG_ID, nullable=True),
        sa.Column("canceled_count", BIG_ID, nullable=True),
        sa.Column("notification_status", sa.String(), nullable=True),
        sa.Column("notification_result", sa.LargeBinary(), nullable=True),
        sa.Column("created_time", sa.String(), nullable=True),
        sa.Column("updated_time", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("learned_by", sa.String(), nullable=True),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.Column("collected_at", MOMENT, nullable=True),
        sa.Column("hinted_at", MOMENT, nullable=True),
        sa.Column("look_at", MOMENT, nullable=True),
        sa.Column("looked_at", MOMENT, nullable=True),
        sa.Column("quiet_looks", BIG_ID, nullable=False),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_expires_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_request_set_account_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name="fk_request_set_api_key_id_api_key"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_request_set"),
        sa.UniqueConstraint("facebook_id", name="uq_request_set_facebook_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_request_set_account_id_id", "request_set", ["account_id", "id"], unique=False
    )
    op.create_index(
        "ix_request_set_due",
        "request_set",
        ["look_at"],
        unique=False,
        sqlite_where=sa.text("look_at IS NOT NULL"),
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index("ix_request_set_state_id", "request_set", ["state", "id"], unique=False)
    op.create_table(
        "look",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("duration_ms", BIG_ID, nullable=False),
        sa.Column("calls", BIG_ID, nullable=False),
        sa.Column("rows", BIG_ID, nullable=False),
        sa.Column("is_completed", sa.Boolean(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("error_code", BIG_ID, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_set_id"], ["request_set.id"], name="fk_look_request_set_id_request_set"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_look"),
    )
    op.create_index("ix_look_request_set_id_id", "look", ["request_set_id", "id"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("scope_object_id", BIG_ID, nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("input", sa.LargeBinary(), nullable=True),
        sa.Column("created_object_id", BIG_ID, nullable=True),
        sa.Column("error_code", BIG_ID, nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("created_time", sa.String(), nullable=True),
        sa.Column("updated_time", sa.String(), nullable=True),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_set_id"], ["request_set.id"], name="fk_request_request_set_id_request_set"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
    )
    op.create_index(
        "ix_request_request_set_id_id", "request", ["request_set_id", "id"], unique=False
    )
    op.create_table(
        "submission",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("attempt", BIG_ID, nullable=False),
        sa.Column("credential_id", BIG_ID, nullable=False),
        sa.Column("send_before", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("facebook_id", BIG_ID, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name="fk_submission_credential_id_credential"
        ),
        sa.ForeignKeyConstraint(
            ["request_set_id"], ["request_set.id"], name="fk_submission_request_set_id_request_set"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint(
            "request_set_id", "attempt", name="uq_submission_request_set_id_attempt"
        ),
    )


def downgrade() -> None:
    op.drop_table("submission")
    op.drop_index("ix_request_request_set_id_id", table_name="request")
    op.drop_table("request")
    op.drop_index("ix_look_request_set_id_id", table_name="look")
    op.drop_table("look")
    op.drop_index("ix_request_set_state_id", table_name="request_set")
    op.drop_index(
        "ix_request_set_due",
        table_name="request_set",
        sqlite_where=sa.text("look_at IS NOT NULL"),
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.drop_index("ix_request_set_account_id_id", table_name="request_set")
    op.drop_table("request_set")
    op.drop_table("api_key_account")
    op.drop_table("api_key")
    op.drop_table("account")
    op.drop_index(
        "ix_notification_unapplied",
        table_name="notification",
        sqlite_where=sa.text("applied_at IS NULL"),
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.drop_index("ix_notification_request_set_id_attempt", table_name="notification")
    op.drop_table("notification")
    op.drop_table("credential")
