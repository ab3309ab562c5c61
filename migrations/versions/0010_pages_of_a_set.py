"""How a set's requests are read stands with the set: how many at once, and how far it got."""

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
    op.add_column("request_set", sa.Column("page_after", sa.String()))


def downgrade() -> None:
    op.drop_column("request_set", "page_after")
    op.drop_column("request_set", "page_limit")
