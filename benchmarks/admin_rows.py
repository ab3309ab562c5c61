"""Fill a migrated, empty database with the population that the admin's view is measured on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from sqlalchemy import Connection, func, select, text

from benchmarks.admin_population import ACCOUNTS, DAYS, KEYS, LARGE, NOW, Population, Set
from benchmarks.admin_set_rows import (
    REQUEST_COLUMNS,
    audit_row,
    code_of,
    delivery_row,
    found_rows,
    look_row,
    notification_row,
    request_rows,
    set_row,
    submission_row,
)
from benchmarks.loading import Loader, Row, loader_of
from receiver.crypto import hash_api_key
from receiver.store import accounts, heartbeats, keys
from receiver.store.database import Database
from receiver.store.models import Base, RequestSet
from receiver.store.statistics import COUNTS, hour_of

_SETS_A_CHUNK = 500
_COUNTED = dict.fromkeys(COUNTS, 0)


def fill(database: Database, *, rows: int, seed: int = 1) -> None:
    """Fill an empty database with so many requests and all that belongs to them."""
    credential_id, key_ids = _add_accounts(database)
    with database.begin_writing() as connection:
        loader = loader_of(connection)
        indexes = [index for table in Base.metadata.sorted_tables for index in table.indexes]
        # To make an index of many rows at once takes a fraction of adding them one by one.
        for index in indexes:
            index.drop(connection)
        made = _load(loader, Population(rows, random.Random(seed)), credential_id, key_ids)  # noqa: S311  # not for secrets
        for index in indexes:
            click.echo(f"  index {index.name}", err=True)
            index.create(connection)
        _go_on_after(connection, made)
    with database.writing() as session:
        heartbeats.beat(session, "worker", started_at=NOW, now=NOW)
    analyze(database)


def _add_accounts(database: Database) -> tuple[int, list[int]]:
    with database.writing() as session:
        if session.execute(select(func.count()).select_from(RequestSet)).scalar_one():
            raise click.ClickException("The database holds sets already: take an empty one.")
        made = NOW - timedelta(days=DAYS)
        accounts.put_accounts(
            session, ACCOUNTS, sealed_token=b"sealed", sealed_app_secret=None, now=made
        )
        for name, (key, account_ids) in KEYS.items():
            keys.add_key(
                session, name, key_hash=hash_api_key(key), account_ids=account_ids, now=made
            )
        credential_id = accounts.credential_of(session, LARGE).id
        key_ids = [key.id for key in keys.list_keys(session)]
    return credential_id, key_ids


def _load(
    loader: Loader, population: Population, credential_id: int, key_ids: Sequence[int]
) -> dict[str, int]:
    """Load every table, some sets at a time; return the highest number of each that has one."""
    tables, done, sets = _Tables(credential_id, key_ids[0]), 0, population.sets()
    while chunk := list(islice(sets, _SETS_A_CHUNK)):
        for one in chunk:
            tables.add(one)
            done += one.size
        tables.flush(loader)
        click.echo(f"  {done:,} of {population.rows:,} requests", err=True)
    tables.add_statistics()
    tables.flush(loader)
    return tables.newest


class _Tables:
    """The rows of every table that are made and not loaded yet."""

    def __init__(self, credential_id: int, api_key_id: int) -> None:
        self._credential_id = credential_id
        self._api_key_id = api_key_id
        self._waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._requests: list[Row] = []
        self._outcomes: dict[tuple[int, datetime], dict[str, int]] = {}
        self._errors: dict[tuple[int, datetime, int], list[int]] = {}
        self.newest: dict[str, int] = defaultdict(int)

    def add(self, one: Set) -> None:
        """Make the rows of a set."""
        self._put("request_set", {**set_row(one), "api_key_id": self._api_key_id}, one.number)
        submission = {**submission_row(one), "credential_id": self._credential_id}
        self._put("submission", submission)
        for row in found_rows(one):
            self._waiting["found_set"].append(row)
        if one.verdict == "delivered":
            self._put("notification", notification_row(one))
        for look in range(1 + one.dice % 3):
            self._put("look", look_row(one, look))
        if one.dice % 5 == 0 and one.state == "collected":
            self._add_delivery(one)
        if one.dice % 50 == 1:
            self._put("audit_entry", audit_row(one))
        self._requests.extend(request_rows(one))
        self._count(one)

    def _add_delivery(self, one: Set) -> None:
        self._put("delivery", delivery_row(one))
        attempt = {
            "delivery_id": self.newest["delivery"],
            "number": 1,
            "started_at": one.collected_at,
            "duration_ms": 80,
            "http_status": 200,
            "error": None,
            "response": "ok",
        }
        self._put("delivery_attempt", attempt)

    def _put(self, table: str, row: dict[str, Any], number: int | None = None) -> None:
        self.newest[table] = number or self.newest[table] + 1
        self._waiting[table].append({"id": self.newest[table], **row})

    def _count(self, one: Set) -> None:
        made = self._outcomes.setdefault((one.account_id, hour_of(one.created_at)), {**_COUNTED})
        made["created"] += 1
        made["rejected"] += one.state == "rejected"
        if one.state != "collected":
            return
        hour = hour_of(one.collected_at)
        done = self._outcomes.setdefault((one.account_id, hour), {**_COUNTED})
        done["collected"] += 1
        done[f"by_{one.learned_by}"] += 1
        done["with_errors"] += bool(one.failed)
        done["requests"] += one.size
        done["failed_requests"] += len(one.failed)
        codes = [code_of(one, index) for index in one.failed]
        for code in set(codes):
            counted = self._errors.setdefault((one.account_id, hour, code), [0, 0])
            counted[0] += codes.count(code)
            counted[1] += 1

    def add_statistics(self) -> None:
        """Make the rows of what was counted."""
        for (account_id, hour), counts in self._outcomes.items():
            row = {"account_id": account_id, "hour": hour, **counts}
            self._waiting["outcome_by_hour"].append(row)
        for (account_id, hour, code), (requests, sets) in self._errors.items():
            key = {"account_id": account_id, "hour": hour, "error_code": code}
            self._waiting["error_by_hour"].append({**key, "requests": requests, "sets": sets})

    def flush(self, loader: Loader) -> None:
        """Load what waits; the sets first, which the others point to."""
        for table, rows in self._waiting.items():
            columns = tuple(rows[0]) if rows else ()
            loader.load(table, columns, (tuple(row.values()) for row in rows))
            rows.clear()
        loader.load("request", REQUEST_COLUMNS, self._requests)
        self._requests.clear()


def _go_on_after(connection: Connection, newest: dict[str, int]) -> None:
    """Let what is written next have numbers of its own."""
    if connection.dialect.name != "postgresql":
        return
    for table, number in newest.items():
        sequence = func.pg_get_serial_sequence(table, "id")
        connection.execute(select(func.setval(sequence, number)))


def analyze(database: Database) -> None:
    """Do what PostgreSQL's autovacuum does some minutes after such a load.

    SQLite is left as the receiver leaves it: nothing of ours asks it to analyze.
    """
    if database.engine.dialect.name != "postgresql":
        return
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE)"))


@click.command()
@click.option("--database-url", required=True, help="A migrated database without a set in it.")
@click.option("--rows", type=int, default=10_000, show_default=True, help="How many requests.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(database_url: str, rows: int, seed: int) -> None:
    """Fill a database."""
    database = Database(database_url, timeout_seconds=60)
    fill(database, rows=rows, seed=seed)
    database.close()


if __name__ == "__main__":
    main()
