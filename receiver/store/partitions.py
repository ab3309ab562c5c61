"""Statements on the partitions by month of PostgreSQL's tables; SQLite has none.

Whatever has no partition of its month is taken by the table's DEFAULT partition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

MOMENTS: Mapping[str, str] = MappingProxyType({"notification": "received_at", "look": "started_at"})
"""The partitioned tables, and the column whose month chooses the partition."""

MOVED_MOST = 20_000
"""So many rows are moved out of a DEFAULT partition in well under a second, at the most."""

_MONTHS_AHEAD = 2
_LOCK_MILLISECONDS = 500
"""Notifications wait behind whoever waits for their table, so nobody here waits long."""
_STATEMENT_MILLISECONDS = 2000
_TOOK_TOO_LONG = ("55P03", "57014")
"""PostgreSQL's codes for a lock that did not come, and for a statement that did not end."""
_MAY_NOT = "42501"
"""Its code for what is left to the owner of a table."""

_TRY_ALONE = text("SELECT pg_try_advisory_xact_lock(7223310042)")
"""Any number: the name of the lock of whoever makes partitions."""

_PARTITIONS = text(
    """
    SELECT p.relname AS name,
           substring(bound FROM 'FROM \\(''([^'']+)''\\)')::timestamptz AS since,
           substring(bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz AS until
      FROM pg_inherits
      JOIN pg_class p ON p.oid = inhrelid
     CROSS JOIN LATERAL pg_get_expr(p.relpartbound, p.oid) AS bound
     WHERE inhparent = to_regclass(:table)
     ORDER BY until NULLS LAST
    """
)


class TableBusy(Exception):
    """Others have the table at work: nothing was done, and nobody was kept waiting for it."""


class NotOwner(Exception):
    """The role that we have in the database may change rows and no tables: nothing was done."""


@dataclass(frozen=True)
class Partition:
    """One partition of a table: rows from ``since`` up to ``until``, which is excluded.

    The first one has no ``since``, the DEFAULT one has neither.
    """

    table: str
    name: str
    since: datetime | None
    until: datetime | None


def are_there(session: Session) -> bool:
    """Tell whether this database has partitions at all."""
    return session.get_bind().dialect.name == "postgresql"


def month_of(moment: datetime) -> datetime:
    """Return when the month of a moment began, in UTC."""
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def next_month(month: datetime) -> datetime:
    """Return when the month after that of a moment begins."""
    return month_of(month_of(month) + timedelta(days=31))


def of_table(session: Session, table: str) -> list[Partition]:
    """Return a table's partitions, the oldest first and the DEFAULT one last."""
    rows = session.execute(_PARTITIONS, {"table": table})
    return [Partition(table, row.name, since=row.since, until=row.until) for row in rows]


def make_next(session: Session, *, now: datetime) -> str | None:
    """Make one of the partitions that are needed for this month and the next two; return its name.

    None where none is lacking, where somebody else makes them at this moment, and on SQLite.
    Raises TableBusy, NotOwner.
    """
    if not are_there(session) or not session.execute(_TRY_ALONE).scalar_one():
        return None
    with _briefly(session):
        for table in MOMENTS:
            for month in _lacking(session, table, now=now):
                name = _make(session, table, month)
                if name is not None:
                    return name
    return None


def _lacking(session: Session, table: str, *, now: datetime) -> list[datetime]:
    bounded = [each for each in of_table(session, table) if each.until is not None]
    months = [month_of(now)]
    for _ in range(_MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return [month for month in months if not any(_covers(each, month) for each in bounded)]


def _covers(partition: Partition, month: datetime) -> bool:
    begins = partition.since is None or partition.since <= month
    return begins and partition.until is not None and month < partition.until


def _make(session: Session, table: str, month: datetime) -> str | None:
    """Make a month's partition, with what the DEFAULT one has of it.

    None where that is more than MOVED_MOST rows: they stay there, and so does the month.
    """
    _lock_for(session, table)
    name, until = f"{table}_{month:%Y_%m}", next_month(month)
    within = {"since": month, "until": until}
    is_within = f"{MOMENTS[table]} >= :since AND {MOMENTS[table]} < :until"
    # All that is put into these statements are names of our own and moments.
    too_many = f"SELECT FROM {table}_default WHERE {is_within} OFFSET {MOVED_MOST} LIMIT 1"
    if session.execute(text(too_many), within).first() is not None:
        return None
    move = (
        f"WITH moved AS (DELETE FROM {table}_default WHERE {is_within} RETURNING *) "  # noqa: S608
        f"INSERT INTO {name} SELECT * FROM moved"
    )
    session.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)"))
    session.execute(text(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY (id)"))
    session.execute(text(move), within)
    session.execute(
        text(
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{month.isoformat()}') TO ('{until.isoformat()}')"
        )
    )
    return name


def _lock_for(session: Session, table: str) -> None:
    """Let what comes for a month wait until the month has a place of its own."""
    if table == "look":
        # Its foreign key has to be known there, and whoever writes a look writes its set first.
        session.execute(text("LOCK TABLE request_set IN SHARE ROW EXCLUSIVE MODE"))
    session.execute(text(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE"))


def hold(session: Session, partition: Partition, *, mode: str = "ACCESS SHARE") -> bool:
    """Let nobody drop a partition before this transaction ends; False where somebody has."""
    session.execute(text(f"LOCK TABLE ONLY {partition.table} IN {mode} MODE"))
    is_there = text("SELECT to_regclass(:name) IS NOT NULL")
    return bool(session.execute(is_there, {"name": partition.name}).scalar_one())


def drop(session: Session, partition: Partition) -> bool:
    """Drop a partition with all that it holds; False where somebody else did.

    Raises TableBusy, NotOwner.
    """
    with _briefly(session):
        is_there = hold(session, partition, mode="ACCESS EXCLUSIVE")
        if is_there:
            session.execute(text(f"DROP TABLE {partition.name}"))
        return is_there


@contextmanager
def _briefly(session: Session) -> Iterator[None]:
    """Let no statement of the block keep anybody waiting for long. Raises TableBusy, NotOwner."""
    session.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"))
    session.execute(text(f"SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}"))
    with giving_way():
        yield


@contextmanager
def giving_way() -> Iterator[None]:
    """Raise TableBusy for a lock that did not come in time, or a statement that did not end.

    Raises NotOwner where PostgreSQL lets this role do no such thing.
    """
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None)
        if code in _TOOK_TOO_LONG:
            raise TableBusy("Others have the table in use.") from None
        if code == _MAY_NOT:
            raise NotOwner("The database lets this role change no table.") from None
        raise
