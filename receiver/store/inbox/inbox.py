"""Keep notifications as fast as a durable commit can be: one transaction for all that wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from receiver.store.database import Database, DatabaseAway, first_line
from receiver.store.inbox.group_commit import Ended, GroupCommit, NotCommitted
from receiver.store.inbox.rows import NewNotification
from receiver.store.inbox.sqlite import SqliteWriter

ResultT = TypeVar("ResultT")


class Writer(Protocol):
    """A connection that is held open to write rows, for one thread at a time."""

    def write(self, rows: Sequence[NewNotification]) -> None:
        """Commit rows. Raises DatabaseAway and what the driver raises."""

    @property
    def is_broken(self) -> bool:
        """Whether another connection has to be opened."""

    def close(self) -> None: ...


class _ConnectionBroke(DatabaseAway):
    """The database ended the connection."""


class Inbox:
    """Where the notifications of a process are kept. Make it after a fork."""

    def __init__(self, database: Database) -> None:
        """Open nothing yet: the first notification connects."""
        self._database = database
        self._writer: Writer | None = None
        self._group = GroupCommit(self._commit, timeout_seconds=database.timeout_seconds)

    def keep(self, notification: NewNotification) -> None:
        """Return once a notification is committed. Raises DatabaseAway.

        Beyond the rows that one token may fill, only a counter moves. It stands on the token's
        newest row, which is to be applied once more: a hint counts however many came before it.
        """
        try:
            self._group.put(notification)
        except NotCommitted as error:
            raise DatabaseAway(str(error)) from error

    def run_together(self, jobs: Sequence[Callable[[], ResultT]]) -> list[Ended[ResultT]]:
        """Run jobs in this thread that each keep a notification, and commit these together."""
        return self._group.run_together(jobs)

    def close(self) -> None:
        """Close the connection, once nobody keeps anything any more."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _commit(self, rows: Sequence[NewNotification]) -> Sequence[Exception | None]:
        try:
            self._write(rows)
        except DatabaseAway:
            raise
        except Exception:
            if len(rows) == 1:
                raise
            # No row takes others with it.
            return self._commit_each(rows)
        return [None] * len(rows)

    def _commit_each(self, rows: Sequence[NewNotification]) -> Sequence[Exception | None]:
        ends: list[Exception | None] = []
        for row in rows:
            is_away = bool(ends) and isinstance(ends[-1], DatabaseAway)
            # A database that is away is waited for once, and not once a row.
            ends.append(ends[-1] if is_away else self._commit_alone(row))
        return ends

    def _commit_alone(self, row: NewNotification) -> Exception | None:
        try:
            self._write([row])
        except Exception as error:  # noqa: BLE001  # whoever brought it is told
            return error
        return None

    def _write(self, rows: Sequence[NewNotification]) -> None:
        was_open = self._writer is not None
        try:
            self._write_once(rows)
        except _ConnectionBroke:
            if not was_open:
                raise
            # What was kept open did not outlive a restart of the database. A row that was
            # committed by then is written twice, which is one hint more.
            self._write_once(rows)

    def _write_once(self, rows: Sequence[NewNotification]) -> None:
        driver = self._database.driver
        if self._writer is not None and self._writer.is_broken:
            self.close()
        try:
            if self._writer is None:
                self._writer = open_writer(self._database)
            self._writer.write(rows)
        except (driver.OperationalError, driver.InterfaceError) as error:
            is_broken = self._writer is not None and self._writer.is_broken
            kind = _ConnectionBroke if is_broken else DatabaseAway
            raise kind(first_line(error)) from error


def open_writer(database: Database) -> Writer:
    """Connect. Raises DatabaseAway and what the driver raises."""
    if database.is_sqlite:
        return SqliteWriter(database)
    # Its driver is installed only where it is used.
    from receiver.store.inbox.postgresql import PostgresqlWriter  # noqa: PLC0415  # as said

    return PostgresqlWriter(database)
