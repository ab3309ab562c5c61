"""What it costs to find the set that is due next, with ever more open sets beside it.

Databases of a thousand, a hundred thousand and a million open sets hold the same number of sets
that are due; the others are due within a quarter of an hour. A worker's two statements are timed,
as it makes them: is anything due, and the claim of what has been due for longest, rolled back
afterwards so that the next one finds the same. The databases take turns, call by call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import event

from benchmarks.admin_rows import analyze
from benchmarks.figure import Figure
from benchmarks.loading import Row, loader_of
from benchmarks.postgresql import new_database
from receiver.store import accounts, claims
from receiver.store.database import Database
from receiver.store.models import Base

_SIZES = (1_000, 100_000, 1_000_000)
_ACCOUNTS = 500
_DUE = 100
_WARM_UPS = 20
"""PostgreSQL decides on a plan with the sixth execution, and the driver prepares with it, too."""

_FLAT = 1.5
_WITHIN_SECONDS = 900
_LEASE = timedelta(seconds=120)

_COLUMNS = (
    "id",
    "account_id",
    "edge",
    "name",
    "ad_specs",
    "spec_count",
    "caller_notification_mode",
    "created_at",
    "state",
    "attempt",
    "facebook_id",
    "is_completed",
    "verdict",
    "opened_at",
    "look_at",
    "quiet_looks",
)


def figures(
    *, rounds: int, say: Callable[[str], None], calls: int = 200, sizes: Sequence[int] = _SIZES
) -> Iterator[Figure]:
    """Time the finding, ``calls`` times a round in each database. Raises NoPostgreSQL."""
    now = datetime.now(UTC)
    with ExitStack() as stack:
        databases: dict[int, Database] = {}
        for size in sizes:
            say(f"filling a database with {size:,} open sets")
            databases[size] = stack.enter_context(_filled(size, now=now))
        for database in databases.values():
            for _ in range(_WARM_UPS):
                _find(database, now=now)
        measured = []
        for number in range(rounds):
            measured.append(_round(databases, calls=calls, now=now))
            say(f"round {number + 1} of {rounds}: {_medians(measured[-1])}")
        plans = {size: _plan(database, now=now) for size, database in databases.items()}
        for size, plan in plans.items():
            say(f"how PostgreSQL finds what is due among {size:,} open sets:\n{plan}")
    yield from _figures(measured, plans)


def _medians(times: dict[int, list[float]]) -> str:
    return ", ".join(f"{median(each):.2f} ms of {size:,}" for size, each in times.items())


def _figures(rounds: Sequence[dict[int, list[float]]], plans: dict[int, str]) -> Iterator[Figure]:
    smallest = min(plans)
    for size, plan in plans.items():
        p50s = [median(times[size]) for times in rounds]
        p99s = [_p99(times[size]) for times in rounds]
        yield Figure.of(f"{size:,} open sets, p50", p50s, unit="ms").with_detail(plan)
        yield Figure.of(f"{size:,} open sets, p99", p99s, unit="ms")
        if size != smallest:
            ratios = [median(times[size]) / median(times[smallest]) for times in rounds]
            peer = f"{smallest:,} open sets"
            yield Figure.of(f"{size:,} open sets, p50", ratios, unit="x", peer=peer).at_most(_FLAT)


def _p99(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.99 * len(times)))]


def _round(databases: dict[int, Database], *, calls: int, now: datetime) -> dict[int, list[float]]:
    times: dict[int, list[float]] = {size: [] for size in databases}
    for _ in range(calls):
        for size, database in databases.items():
            began = time.perf_counter()
            _find(database, now=now)
            times[size].append(1000 * (time.perf_counter() - began))
    return times


class _Undone(Exception):
    """Ends a transaction without a trace of it."""


def _find(database: Database, *, now: datetime) -> None:
    """Find and claim what is due as a worker does, and give it back."""
    with database.reading() as session:
        if not claims.is_any_due(session, now=now):
            raise ValueError("Nothing is due")
    with suppress(_Undone), database.writing() as session:
        claim = claims.claim_due(
            session, now=now, lease_until=now + _LEASE, next_look_at=lambda _: now + _LEASE
        )
        if claim is None:
            raise ValueError("Nothing could be claimed")
        session.flush()
        raise _Undone


@contextmanager
def _filled(size: int, *, now: datetime) -> Iterator[Database]:
    with (
        new_database(f"due_{size}") as url,
        closing(Database(url, timeout_seconds=60)) as database,
    ):
        account_ids = range(710_000_001, 710_000_001 + _ACCOUNTS)
        with database.writing() as session:
            accounts.put_accounts(
                session, account_ids, sealed_token=b"sealed", sealed_app_secret=None, now=now
            )
        with database.begin_writing() as connection:
            loader = loader_of(connection)
            indexes = Base.metadata.tables["request_set"].indexes
            # To make an index of many rows at once takes a fraction of adding them one by one.
            for index in indexes:
                index.drop(connection)
            loader.load("request_set", _COLUMNS, _rows(size, account_ids, now=now))
            for index in indexes:
                index.create(connection)
        analyze(database)
        yield database


def _rows(size: int, account_ids: Sequence[int], *, now: datetime) -> Iterator[Row]:
    """Make open sets, of which every so-manyth is due: rows lie as they were made, not as due."""
    every, opened_at = size // _DUE, now - timedelta(minutes=10)
    for number in range(size):
        if number % every == 0:
            look_at = now - timedelta(milliseconds=number // every)
        else:
            # Spread, and in no order.
            look_at = now + timedelta(milliseconds=1 + number * 7919 % (_WITHIN_SECONDS * 1000))
        yield (
            number + 1,
            # Those that are due belong to ever other accounts, too.
            account_ids[(number + number // every) % len(account_ids)],
            "asyncadrequestsets",
            f"set {number}",
            b"[]",
            100,
            "OFF",
            opened_at,
            "open",
            1,
            6_500_000_000_000 + number,
            False,
            "pending",
            opened_at,
            look_at,
            0,
        )


def _plan(database: Database, *, now: datetime) -> str:
    """Return how PostgreSQL finds what is due, in its own words."""
    executed: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and "FOR " in statement:
            executed.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    _find(database, now=now)
    event.remove(database.engine, "before_cursor_execute", note)
    statement, parameters = executed[0]
    with database.engine.connect() as connection:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {statement}"
        return "\n".join(connection.exec_driver_sql(explain, parameters).scalars())
