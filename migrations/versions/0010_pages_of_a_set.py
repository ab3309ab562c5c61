"""What a page of one set's requests may hold stands with the set."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("request_set", sa.Column("page_limit", BIG_ID))


def downgrade() -> None:
    op.drop_column("request_set", "page_limit")
