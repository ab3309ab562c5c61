"""Every set at Facebook that names an intent: two of them for one intent are both kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "found_set",
        sa.Column("request_set_id", BIG_ID, nullable=False),
        sa.Column("facebook_id", BIG_ID, nullable=False),
        sa.Column("attempt", BIG_ID, nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_set_id"], ["request_set.id"], name="fk_found_set_request_set_id_request_set"
        ),
        sa.PrimaryKeyConstraint("request_set_id", "facebook_id", name="pk_found_set"),
    )
    # What is known already: an answer's id stands on its submission.
    op.execute(
        "INSERT INTO found_set (request_set_id, facebook_id, attempt, found_at) "
        "SELECT request_set_id, facebook_id, attempt, COALESCE(answered_at, created_at) "
        "FROM submission WHERE facebook_id IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("found_set")
