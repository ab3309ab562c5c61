"""What it costs to find the set that is due next, with ever more open sets beside it.

Databases of a thousand, a hundred thousand and a million open sets hold the same number of sets
that are due; the others are due within a quarter of an hour. In others, a hundred thousand sets
have been due for longer, all of one account that Facebook asked to wait, beside few accounts and
beside many. A worker's two statements are timed, as it makes them: whose sets are due, and the
claim of what has been due for longest, rolled back afterwards so that the next one finds the same.
The databases take turns, call by call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.admin_rows import analyze
from benchmarks.figure import Figure
from benchmarks.loading import Row, loader_of
from benchmarks.plans import watched
from benchmarks.postgresql import new_database
from benchmarks.timing import percentile
from receiver.store import accounts, claims, due, waits
from receiver.store.database import Database
from receiver.store.models import Base
from receiver.store.waits import Wait

_DUE = 100
_FEW_ACCOUNTS, _ACCOUNTS, _MANY_ACCOUNTS = 20, 500, 5_000


@dataclass(frozen=True)
class Population:
    """What a database holds: ``waiting_sets`` of the open sets are due, and their account waits."""

    open_sets: int
    accounts: int = _ACCOUNTS
    waiting_sets: int = 0

    def __str__(self) -> str:
        if not self.waiting_sets and self.accounts == _ACCOUNTS:
            return f"{self.open_sets:,} open sets"
        waiting = f", {self.waiting_sets:,} due of one that waits" if self.waiting_sets else ""
        return f"{self.open_sets:,} open sets of {self.accounts:,} accounts{waiting}"


_POPULATIONS = (
    Population(1_000),
    Population(100_000),
    Population(1_000_000),
    *(
        Population(200_000, accounts=accounts, waiting_sets=100_000)
        for accounts in (_FEW_ACCOUNTS, _ACCOUNTS, _MANY_ACCOUNTS)
    ),
    Population(200_000, accounts=_MANY_ACCOUNTS),
)
_WARM_UPS = 20
"""PostgreSQL decides on a plan with the sixth execution, and the driver prepares with it, too."""

_FLAT = 1.5
_BY_ACCOUNT = 6
"""How many times as long it may take where it is asked account by account, of thousands of them."""

_WITHIN_SECONDS = 900
_FIRST_ACCOUNT = 710_000_001
_WAITING_ACCOUNT = 700_000_000
_LEASE = timedelta(seconds=120)
_ACCOUNTS_TRIED = 20

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
    *,
    rounds: int,
    say: Callable[[str], None],
    calls: int = 200,
    populations: Sequence[Population] = _POPULATIONS,
) -> Iterator[Figure]:
    """Time the finding, ``calls`` times a round in each database. Raises NoPostgreSQL."""
    now = datetime.now(UTC)
    with ExitStack() as stack:
        databases: dict[Population, Database] = {}
        for number, population in enumerate(populations):
            say(f"filling a database with {population}")
            databases[population] = stack.enter_context(_filled(population, number, now=now))
        for database in databases.values():
            for _ in range(_WARM_UPS):
                _find(database, now=now)
        measured = []
        for number in range(rounds):
            measured.append(_round(databases, calls=calls, now=now))
            say(f"round {number + 1} of {rounds}: {_medians(measured[-1])}")
        plans = {one: _plan(database, now=now) for one, database in databases.items()}
        for population, plan in plans.items():
            say(f"how PostgreSQL finds what is due among {population}:\n{plan}")
    yield from _figures(measured, plans)


def _medians(times: dict[Population, list[float]]) -> str:
    return ", ".join(f"{median(each):.2f} ms of {one}" for one, each in times.items())


def _figures(
    rounds: Sequence[dict[Population, list[float]]], plans: dict[Population, str]
) -> Iterator[Figure]:
    smallest = next(iter(plans))
    for one, plan in plans.items():
        p50s = [median(times[one]) for times in rounds]
        p99s = [percentile(sorted(times[one]), 0.99) for times in rounds]
        yield Figure.of(f"{one}, p50", p50s, unit="ms").with_detail(plan)
        yield Figure.of(f"{one}, p99", p99s, unit="ms")
        if one != smallest:
            ratios = [median(times[one]) / median(times[smallest]) for times in rounds]
            most = _BY_ACCOUNT if one.waiting_sets else _FLAT
            yield Figure.of(f"{one}, p50", ratios, unit="x", peer=str(smallest)).at_most(most)


def _round(
    databases: dict[Population, Database], *, calls: int, now: datetime
) -> dict[Population, list[float]]:
    times: dict[Population, list[float]] = {one: [] for one in databases}
    for _ in range(calls):
        for one, database in databases.items():
            began = time.perf_counter()
            _find(database, now=now)
            times[one].append(1000 * (time.perf_counter() - began))
    return times


class _Undone(Exception):
    """Ends a transaction without a trace of it."""


def _find(database: Database, *, now: datetime) -> None:
    """Find and claim what is due as a worker does, and give it back."""
    with database.reading() as session:
        account_ids = due.first_accounts(session, now=now, most=_ACCOUNTS_TRIED)
    with suppress(_Undone), database.writing() as session:
        claim = claims.claim_due(
            session,
            account_ids,
            now=now,
            lease_until=now + _LEASE,
            next_look_at=lambda _: now + _LEASE,
        )
        if claim is None:
            raise ValueError("Nothing could be claimed")
        session.flush()
        raise _Undone


@contextmanager
def _filled(population: Population, number: int, *, now: datetime) -> Iterator[Database]:
    with (
        new_database(f"due_{number}") as url,
        closing(Database(url, timeout_seconds=60)) as database,
    ):
        account_ids = range(_FIRST_ACCOUNT, _FIRST_ACCOUNT + population.accounts)
        _add_accounts(database, account_ids, now=now)
        with database.begin_writing() as connection:
            loader = loader_of(connection)
            indexes = Base.metadata.tables["request_set"].indexes
            # To make an index of many rows at once takes a fraction of adding them one by one.
            for index in indexes:
                index.drop(connection)
            loader.load("request_set", _COLUMNS, _rows(population, account_ids, now=now))
            for index in indexes:
                index.create(connection)
        analyze(database)
        yield database


def _add_accounts(database: Database, account_ids: Sequence[int], *, now: datetime) -> None:
    """Write accounts, twenty to a credential, and one that waits."""
    with database.writing() as session:
        for start in range(0, len(account_ids), 20):
            accounts.put_accounts(
                session,
                account_ids[start : start + 20],
                sealed_token=b"sealed",
                sealed_app_secret=None,
                now=now,
            )
        accounts.put_accounts(
            session, [_WAITING_ACCOUNT], sealed_token=b"sealed", sealed_app_secret=None, now=now
        )
        waits.wait(session, _WAITING_ACCOUNT, Wait(now + timedelta(days=1)))


def _rows(population: Population, account_ids: Sequence[int], *, now: datetime) -> Iterator[Row]:
    """Make open sets, of which every so-manyth is due: rows lie as they were made, not as due."""
    every = (population.open_sets - population.waiting_sets) // _DUE
    opened_at = now - timedelta(minutes=10)
    for number in range(population.open_sets):
        waits_for_its_account = number >= population.open_sets - population.waiting_sets
        if waits_for_its_account:
            look_at = now - timedelta(minutes=5, milliseconds=number)
        elif number % every == 0:
            look_at = now - timedelta(milliseconds=number // every)
        else:
            # Spread, and in no order.
            look_at = now + timedelta(milliseconds=1 + number * 7919 % (_WITHIN_SECONDS * 1000))
        yield (
            number + 1,
            # Those that are due belong to ever other accounts, too.
            _WAITING_ACCOUNT
            if waits_for_its_account
            else account_ids[(number + number // every) % len(account_ids)],
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
    with watched(database) as statements:
        _find(database, now=now)
    with database.engine.connect() as connection:
        return "\n\n".join(
            "\n".join(
                connection.exec_driver_sql(
                    f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {statement}", parameters
                ).scalars()
            )
            for statement, parameters in statements.executed
        )
