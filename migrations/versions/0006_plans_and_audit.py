"""Where a plan points sets at, when it was stopped, and how an audited deed ended in words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("action_plan", sa.Column("public_url", sa.String()))
    op.add_column("action_plan", sa.Column("stopped_at", MOMENT))
    op.add_column("audit_entry", sa.Column("note", sa.String()))


def downgrade() -> None:
    op.drop_column("audit_entry", "note")
    op.drop_column("action_plan", "stopped_at")
    op.drop_column("action_plan", "public_url")
