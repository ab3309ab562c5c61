"""Notifications and looks stand in partitions by month on PostgreSQL, so that old ones are dropped.

No row is copied: what a table holds becomes its first partition. The old code serves meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENTS = {"notification": "received_at", "look": "started_at"}
INDEXES: dict[str, dict[str, tuple[list[str], str | None]]] = {
    "notification": {
        "ix_notification_unapplied": (["id"], "applied_at IS NULL"),
        "ix_notification_request_set_id_attempt": (["request_set_id", "attempt", "id"], None),
        "ix_notification_account_id_received_at": (["account_id", "received_at", "id"], None),
    },
    "look": {
        "ix_look_request_set_id_id": (["request_set_id", "id"], None),
        "ix_look_account_id_started_at": (["account_id", "started_at", "id"], None),
    },
}
AHEAD = timedelta(days=7)
"""How long the first partition takes rows at the least: nothing is refused while this runs."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    bound = _first_bound()
    for table, moment in MOMENTS.items():
        # An upgrade that gave way may have done the first of them.
        if _is_partitioned(table):
            continue
        # What was done for a table is committed before the next one: whoever writes looks and
        # hints locks these tables in different orders, and would wait for us, and we for them.
        with op.get_context().autocommit_block():
            # Whoever waits for a table keeps everybody behind it waiting: notifications come all
            # the time.
            op.execute("SET lock_timeout = '2s'")
            _prove_bound(table, moment, bound=bound)
        _partition(table, moment, bound=bound)
    op.execute("RESET lock_timeout")


def _first_bound() -> datetime:
    """Return the first midnight of a month, in UTC, that is far enough away."""
    now: datetime = op.get_bind().execute(sa.text("SELECT now()")).scalar_one()
    # The driver gives the moment in the server's time zone.
    after = (now.astimezone(UTC) + AHEAD).replace(day=1) + timedelta(days=31)
    return datetime(after.year, after.month, 1, tzinfo=UTC)


def _is_partitioned(table: str) -> bool:
    kind = sa.text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:table)")
    is_partitioned: bool = op.get_bind().execute(kind, {"table": table}).scalar_one()
    return is_partitioned


def _prove_bound(table: str, moment: str, *, bound: datetime) -> None:
    """Let a constraint say that every row fits the first partition.

    The table is read once for it, while others write: to attach it would read it under a lock.
    """
    # A clock that was wrong once must not stop the upgrade.
    op.execute(f"UPDATE {table} SET {moment} = now() WHERE {moment} >= '{bound.isoformat()}'")  # noqa: S608  # made of this file's own words
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS first_partition")
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT first_partition "
        f"CHECK ({moment} < '{bound.isoformat()}') NOT VALID"
    )
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT first_partition")


def _partition(table: str, moment: str, *, bound: datetime) -> None:
    """Put a partitioned table in the place of a table, which becomes its first partition.

    A primary key of the whole would have to hold the moment too, and an index for it would have to
    be made of all rows. So each partition has its own, of the id alone, which a sequence gives out.
    """
    first = f"{table}_until_{bound:%Y_%m}"
    if table == "look":
        # Its foreign key needs it in the end, and whoever writes a look writes its set first.
        op.execute("LOCK TABLE request_set IN ACCESS EXCLUSIVE MODE")
    op.rename_table(table, first)
    op.execute(f"ALTER TABLE {first} RENAME CONSTRAINT pk_{table} TO pk_{first}")
    for index in INDEXES[table]:
        op.execute(f"ALTER INDEX {index} RENAME TO {index.replace(table, first, 1)}")
    op.execute(
        f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE ({moment})"
    )
    op.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id")
    _add_indexes(table)
    op.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {first} "
        f"FOR VALUES FROM (MINVALUE) TO ('{bound.isoformat()}')"
    )
    op.drop_constraint("first_partition", first)
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.create_primary_key(f"pk_{table}_default", f"{table}_default", ["id"])


def _add_indexes(table: str) -> None:
    for index, (columns, where) in INDEXES[table].items():
        partial: dict[str, Any] = {} if where is None else {"postgresql_where": sa.text(where)}
        op.create_index(index, table, columns, **partial)
    if table == "look":
        op.create_foreign_key(
            "fk_look_request_set_id_request_set", "look", "request_set", ["request_set_id"], ["id"]
        )


def downgrade() -> None:
    """Copy every row into one table again: nobody writes meanwhile."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in MOMENTS:
        op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        op.execute(f"CREATE TABLE whole_{table} (LIKE {table} INCLUDING DEFAULTS)")
        op.execute(f"INSERT INTO whole_{table} SELECT * FROM {table}")  # noqa: S608  # made of this file's own words
        op.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY whole_{table}.id")
        op.drop_table(table)
        op.rename_table(f"whole_{table}", table)
        op.create_primary_key(f"pk_{table}", table, ["id"])
        _add_indexes(table)
