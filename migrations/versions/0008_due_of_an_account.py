"""What is due of one account is found without walking past what is due of the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


NAME, TABLE = "ix_request_set_account_id_due", "request_set"
IS_DUE_SOME_DAY = sa.text("look_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        NAME,
        TABLE,
        ["account_id", "look_at"],
        sqlite_where=IS_DUE_SOME_DAY,
        postgresql_where=IS_DUE_SOME_DAY,
    )


def downgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
