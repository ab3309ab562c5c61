"""What is due of any account has an index that PostgreSQL cannot take for one account.

While workers of the version before still run, they find what is due by walking another index, which
is slower with many open sets and gives the same.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


NAME, TABLE = "ix_request_set_due", "request_set"
IS_DUE_SOME_DAY = "look_at IS NOT NULL"


def upgrade() -> None:
    _replace(f"{IS_DUE_SOME_DAY} AND quiet_looks >= 0")


def downgrade() -> None:
    _replace(IS_DUE_SOME_DAY)


def _replace(condition: str) -> None:
    where = sa.text(condition)
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["look_at"], sqlite_where=where, postgresql_where=where)
