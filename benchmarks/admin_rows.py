"""Fill a migrated, empty database with a population to measure the admin's view on.

Twenty accounts, of which one holds half of everything, one next to nothing, and one has been silent
for sixty days; sets of one to a thousand requests over ninety days; most of them collected, a few
hundred at work, some in trouble. Campaigns end: an ad set has its requests within ten days, so that
what is frequent in a table need not be so among its newest rows.
The same seed makes the same rows: the population has a present of its own, ``NOW``.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click
from sqlalchemy import Connection, func, select, text

from benchmarks.loading import Loader, Row, loader_of
from receiver.crypto import hash_api_key
from receiver.store import accounts, heartbeats, keys
from receiver.store.database import Database
from receiver.store.models import Base, RequestSet
from receiver.store.statistics import COUNTS, hour_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNTS = tuple(710_000_000_000_001 + 97 * number for number in range(20))
LARGE, SILENT, TINY = ACCOUNTS[0], ACCOUNTS[1], ACCOUNTS[-1]
KEYS = {
    "all": ("key-of-all-accounts", ACCOUNTS),
    "large": ("key-of-the-large-account", (LARGE,)),
    "silent": ("key-of-the-silent-account", (SILENT,)),
    "tiny": ("key-of-the-tiny-account", (TINY,)),
}
"""The keys of the population: their secrets, which only a benchmark may know, and accounts."""

_DAYS = 90
_MEAN_SIZE = 100
_MOST_REQUESTS = 1000
_OPEN_MOST = 300
_SETS_A_CHUNK = 500
_AD_SETS = 200
_CODES = (100, 190, 200, 2635, 1487390, 1885183, 1885316, 2490085, 1, 2, 4, 17, 80004, 368, 613)
_COUNTED = dict.fromkeys(COUNTS, 0)


@dataclass(frozen=True)
class Set:
    """One set of the population, from which the rows of every table are made."""

    number: int
    size: int
    account_id: int
    created_at: datetime
    state: str
    verdict: str
    failed: tuple[int, ...]
    seconds: int
    parent_id: int | None
    is_doubled: bool
    first_request: int
    dice: int
    """A random number for all that no other row depends on."""

    @property
    def is_complete(self) -> bool:
        return self.state in ("collected", "completed")

    @property
    def facebook_id(self) -> int | None:
        known = self.state not in ("rejected", "unknown")
        return 6_500_000_000_000 + 1000 * self.number if known else None

    @property
    def completed_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.seconds)

    @property
    def collected_at(self) -> datetime:
        return self.completed_at + timedelta(seconds=2)

    @property
    def learned_by(self) -> str | None:
        if not self.is_complete:
            return None
        return "notification" if self.verdict == "delivered" else "poll"


@dataclass
class _Population:
    """Makes sets one after another, in the order of their time."""

    rows: int
    chance: random.Random
    newest_failed: dict[int, int] = field(default_factory=dict)

    def sets(self) -> Iterator[Set]:
        sizes = list(self._sizes())
        first_request, span = 23_850_000_000_001, timedelta(days=_DAYS)
        for index, size in enumerate(sizes):
            created_at = NOW - span + index * span / len(sizes)
            one = self._set(index, size, len(sizes), created_at, first_request)
            first_request += 7 * size
            yield one

    def _sizes(self) -> Iterator[int]:
        left = self.rows
        while left > 0:
            wanted = int(self.chance.expovariate(1 / _MEAN_SIZE)) + 1
            is_full = self.chance.random() < 0.01  # noqa: PLR2004  # one in a hundred is as large as may be
            size = min(left, _MOST_REQUESTS if is_full else min(wanted, _MOST_REQUESTS))
            left -= size
            yield size

    def _set(
        self, index: int, size: int, sets: int, created_at: datetime, first_request: int
    ) -> Set:
        account_id, state = self._account(index, sets), self._state(index, sets)
        failed = self._failed(size) if state == "collected" else ()
        parent_id = self.newest_failed.get(account_id) if self.chance.random() < 0.02 else None  # noqa: PLR2004  # two in a hundred were sent again
        if failed:
            self.newest_failed[account_id] = index + 1
        return Set(
            number=index + 1,
            size=size,
            account_id=account_id,
            created_at=created_at,
            state=state,
            verdict=self._verdict() if state == "collected" else "pending",
            failed=failed,
            seconds=60 + self.chance.randrange(1200),
            parent_id=parent_id,
            is_doubled=index % max(2, sets // 3) == 5,  # noqa: PLR2004  # three of them, wherever
            first_request=first_request,
            dice=self.chance.getrandbits(30),
        )

    def _account(self, index: int, sets: int) -> int:
        if index % max(2, sets // 4) == 1:
            return TINY
        weights = [8.0, *(4.0 / rank for rank in range(1, len(ACCOUNTS) - 1))]
        account_id = self.chance.choices(ACCOUNTS[:-1], weights)[0]
        return LARGE if account_id == SILENT and index > sets // 3 else account_id

    def _state(self, index: int, sets: int) -> str:
        if sets - index <= min(_OPEN_MOST, sets // 5):
            return "completed" if index % 50 == 0 else "open"
        in_trouble = {7: "stuck", 11: "unknown"}.get(index % max(20, sets // 10))
        if in_trouble is not None:
            return in_trouble
        return "rejected" if self.chance.random() < 0.005 else "collected"  # noqa: PLR2004  # five in a thousand

    def _failed(self, size: int) -> tuple[int, ...]:
        """Return which requests failed: a quarter of the requests of four sets in ten."""
        if self.chance.random() >= 0.4:  # noqa: PLR2004  # as said above
            return ()
        count = round(size * self.chance.random() / 2)
        return tuple(sorted(self.chance.sample(range(size), count)))

    def _verdict(self) -> str:
        return self.chance.choices(("delivered", "lost", "failed"), (90, 6, 4))[0]


def fill(database: Database, *, rows: int, seed: int = 1) -> None:
    """Fill an empty database with so many requests and all that belongs to them."""
    credential_id, key_ids = _add_accounts(database)
    with database.begin_writing() as connection:
        loader = loader_of(connection)
        indexes = [index for table in Base.metadata.sorted_tables for index in table.indexes]
        # To make an index of many rows at once takes a fraction of adding them one by one.
        for index in indexes:
            index.drop(connection)
        made = _load(loader, _Population(rows, random.Random(seed)), credential_id, key_ids)  # noqa: S311  # not for secrets
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
        made = NOW - timedelta(days=_DAYS)
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
    loader: Loader, population: _Population, credential_id: int, key_ids: Sequence[int]
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
        self._put("request_set", {**_set_row(one), "api_key_id": self._api_key_id}, one.number)
        submission = {**_submission_row(one), "credential_id": self._credential_id}
        self._put("submission", submission)
        for row in _found_rows(one):
            self._waiting["found_set"].append(row)
        if one.verdict == "delivered":
            self._put("notification", _notification_row(one))
        for look in range(1 + one.dice % 3):
            self._put("look", _look_row(one, look))
        if one.dice % 5 == 0 and one.state == "collected":
            self._add_delivery(one)
        if one.dice % 50 == 1:
            self._put("audit_entry", _audit_row(one))
        self._requests.extend(_request_rows(one))
        self._count(one)

    def _add_delivery(self, one: Set) -> None:
        self._put("delivery", _delivery_row(one))
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
        codes = [_code(one, index) for index in one.failed]
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
        loader.load("request", _REQUEST_COLUMNS, self._requests)
        self._requests.clear()


_SPEC = json.dumps(
    {
        "name": "An ad of the spring sale",
        "adset_id": "6008248529789",
        "creative": {"creative_id": "6008248529790"},
        "status": "PAUSED",
    }
)
_SPEC_BYTES = _SPEC.encode()


def _set_row(one: Set) -> dict[str, Any]:
    is_open, is_over = one.state in ("open", "completed"), one.state == "collected"
    due = NOW + timedelta(seconds=one.dice % 7200 - 600)
    # Of those without an end a few are late, and a few of them missing.
    deadline_at = due if is_open else one.created_at + timedelta(hours=1)
    counted = one.size if one.is_complete else None
    return {
        "account_id": one.account_id,
        "edge": "asyncadrequestsets" if one.dice % 10 else "asyncadcreatives",
        "name": f"Campaign {one.dice % 1000} of autumn, part {one.number}",
        "ad_specs": b"[" + b",".join([_SPEC_BYTES] * one.size) + b"]",
        "spec_count": one.size,
        "caller_notification_uri": "https://caller.example/done" if one.dice % 5 == 0 else None,
        "caller_notification_mode": "ON_COMPLETE" if one.dice % 5 == 0 else "OFF",
        "parameters_hash": one.dice.to_bytes(32),
        "parent_id": one.parent_id,
        "created_at": one.created_at,
        "deadline_at": deadline_at,
        "missing_at": deadline_at + timedelta(minutes=9),
        "state": one.state,
        "state_reason": None if is_open or is_over else "Facebook did not answer in time.",
        "attempt": 1,
        "doubled_at": one.completed_at if one.is_doubled else None,
        "error_http_status": 400 if one.state == "rejected" else None,
        "error_body": b'{"error":{"code":100}}' if one.state == "rejected" else None,
        "facebook_id": one.facebook_id,
        "owner_id": one.account_id,
        "is_completed": one.is_complete,
        "total_count": counted,
        "initial_count": 0 if one.is_complete else None,
        "in_progress_count": 0 if one.is_complete else None,
        "success_count": None if counted is None else counted - len(one.failed),
        "error_count": len(one.failed) if one.is_complete else None,
        "canceled_count": 0 if one.is_complete else None,
        "notification_status": "sent" if is_over else None,
        "notification_result": b"200" if is_over else None,
        "created_time": f"{one.created_at:%Y-%m-%dT%H:%M:%S+0000}",
        "updated_time": f"{one.completed_at:%Y-%m-%dT%H:%M:%S+0000}",
        "verdict": one.verdict,
        "learned_by": one.learned_by,
        "opened_at": None if one.facebook_id is None else one.created_at + timedelta(seconds=1),
        "completed_at": one.completed_at if one.is_complete else None,
        "collected_at": one.collected_at if is_over else None,
        "look_at": due if is_open or one.state == "unknown" else None,
        "looked_at": one.completed_at,
        "quiet_looks": 0,
    }


def _submission_row(one: Set) -> dict[str, Any]:
    outcomes = {"rejected": "rejected", "unknown": "unknown", "stuck": "unknown"}
    return {
        "request_set_id": one.number,
        "attempt": 1,
        "send_before": one.created_at + timedelta(seconds=10),
        "answered_at": one.created_at + timedelta(seconds=1),
        "outcome": outcomes.get(one.state, "open"),
        "facebook_id": one.facebook_id,
        "created_at": one.created_at,
    }


def _found_rows(one: Set) -> Iterator[dict[str, Any]]:
    if one.facebook_id is None:
        return
    for facebook_id in (one.facebook_id, one.facebook_id + 1)[: 1 + one.is_doubled]:
        yield {
            "request_set_id": one.number,
            "facebook_id": facebook_id,
            "attempt": 1,
            "found_at": one.created_at,
        }


def _notification_row(one: Set) -> dict[str, Any]:
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "attempt": 1,
        "received_at": one.completed_at,
        "method": "POST",
        "remote_address": "2a03:2880:20ff:9::face:b00c",
        "query": "",
        "headers": '[["User-Agent","facebookexternalua"],["Accept","*/*"]]',
        "body": f'{{"async_request_set_id":"{one.facebook_id}"}}'.encode(),
        "body_cut": None,
        "repeats": 0,
        "applied_at": one.completed_at + timedelta(seconds=1),
    }


def _look_row(one: Set, look: int) -> dict[str, Any]:
    kind, why = (("requests", "poll"), ("set", one.learned_by or "poll"), ("sweep", "poll"))[look]
    failed = look == 2 and one.dice % 7 == 0  # noqa: PLR2004  # the last of three
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "kind": kind,
        "why": why,
        "started_at": one.collected_at - timedelta(seconds=look),
        "duration_ms": 300 + one.dice % 400,
        "calls": 1,
        "rows": one.size if kind == "requests" else 0,
        "is_completed": one.is_complete,
        "verdict": one.verdict if kind == "requests" else None,
        "error_code": 2 if failed else None,
        "error": "Facebook answered 500." if failed else None,
    }


def _delivery_row(one: Set) -> dict[str, Any]:
    state = "delivered" if one.dice % 100 else "failed"
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "message_id": f"msg_{one.dice}",
        "uri": "https://caller.example/done",
        "state": state,
        "attempts": 1,
        "send_at": None,
        "result_status": "200",
        "result_response": "ok",
        "created_at": one.collected_at,
        "ended_at": one.collected_at + timedelta(seconds=1),
    }


def _audit_row(one: Set) -> dict[str, Any]:
    return {
        "at": one.collected_at + timedelta(hours=1),
        "actor": "key all",
        "api_key_id": None,
        "account_id": one.account_id,
        "request_set_id": one.number,
        "action": ("look", "collect", "resubmit")[one.dice % 3],
        "outcome": "done",
        "detail": "It is looked at now.",
    }


_REQUEST_COLUMNS = (
    "id",
    "request_set_id",
    "account_id",
    "scope_object_id",
    "status",
    "is_final",
    "type",
    "result",
    "input",
    "created_object_id",
    "error_code",
    "error_message",
    "created_time",
    "updated_time",
    "read_at",
)


def _request_rows(one: Set) -> Iterator[Row]:
    if not one.is_complete and one.state != "open":
        return
    failed = frozenset(one.failed)
    shared = (
        f"{one.created_at:%Y-%m-%dT%H:%M:%S+0000}",
        f"{one.completed_at:%Y-%m-%dT%H:%M:%S+0000}",
        one.collected_at,
    )
    status = "SUCCESS" if one.is_complete else "IN_PROGRESS"
    # A caller fills a few ad sets with one set, and a favourite one again and again.
    period = (NOW - one.created_at) // timedelta(days=10)
    ad_sets = [
        _AD_SETS * period + (one.dice >> shift) % _AD_SETS * ((one.dice >> shift) % 3 > 0)
        for shift in (0, 8, 16)
    ]
    for index in range(one.size):
        number, ad_set = (
            one.first_request + 7 * index,
            _first_ad_set(one.account_id) + ad_sets[index % 3],
        )
        key = (number, one.number, one.account_id, ad_set)
        if index in failed:
            yield (*key, "ERROR", True, "ADGROUP_CREATE", *_error(_code(one, index)), *shared)
            continue
        made = number + 4 if one.is_complete else None
        result = b'{"id":"%d","success":true}' % made if made else None
        kind = (status, one.is_complete, "ADGROUP_CREATE")
        yield (*key, *kind, result, _SPEC_BYTES, made, None, None, *shared)


def _first_ad_set(account_id: int) -> int:
    return 10_000 * account_id


def favourite_ad_set(account_id: int, *, days_ago: int) -> int:
    """Return the ad set that had a third of an account's requests at that time."""
    return _first_ad_set(account_id) + _AD_SETS * (days_ago // 10)


def _code(one: Set, index: int) -> int:
    """Return why a request failed: of one set mostly for one reason or two."""
    return _CODES[(one.dice + (index % 9) // 8) % 30 % len(_CODES)]


def _error(code: int) -> tuple[bytes, bytes, None, int, str]:
    message = f"(#{code}) The parameter creative is not valid for this objective."
    result = f'{{"error_code":{code},"error_subcode":1885183,"error_message":"{message}"}}'
    return result.encode(), _SPEC_BYTES, None, code, message


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
