from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from receiver.store import intents, repeats, results, statistics
from receiver.store.database import Database
from receiver.store.models import ErrorByHour, Request, RequestSet
from receiver.store.statistics import Period
from tests.support.rows import (
    ACCOUNT,
    NOW,
    add_account,
    add_intent,
    add_open_set,
    at,
    finish_collected,
    must_claim,
    request_reading,
    upsert,
)

HOUR = statistics.hour_of(NOW)


@pytest.fixture(autouse=True)
def _account(database: Database) -> None:
    add_account(database)


def outcomes(database: Database, account_id: int = ACCOUNT) -> list[dict[str, Any]]:
    period = Period(HOUR - timedelta(hours=2), NOW + timedelta(hours=3))
    with database.reading() as session:
        rows = statistics.outcomes(session, [account_id], period=period)
    return [{name: value for name, value in row.items() if value} for row in rows]


def collect(database: Database, *, seconds: float) -> None:
    claim = must_claim(database, now=at(seconds))
    with database.writing() as session:
        finish_collected(session, claim, verdict="delivered", look_at=None, now=at(seconds))


def test_an_intent_counts_in_the_hour_that_it_was_made_in(database: Database) -> None:
    add_intent(database)
    add_intent(database)
    add_intent(database, now=at(3600))

    assert outcomes(database) == [
        {"hour": HOUR, "created": 2},
        {"hour": HOUR + timedelta(hours=1), "created": 1},
    ]


def test_a_refusal_counts_once_however_often_it_is_written(database: Database) -> None:
    attempt = add_intent(database)
    for _ in range(2):
        with database.writing() as session:
            intents.reject_set(session, attempt, reason="No.", http_status=400, body=b"{}", now=NOW)

    assert outcomes(database) == [{"hour": HOUR, "created": 1, "rejected": 1}]


def test_a_set_that_is_given_up_counts_as_refused(database: Database) -> None:
    attempt = add_intent(database)
    with database.writing() as session:
        intents.leave_unknown(session, attempt, reason="?", look_at=NOW, now=NOW)
        assert repeats.abandon(session, attempt.request_set_id, reason="Enough.", now=NOW)

    assert outcomes(database) == [{"hour": HOUR, "created": 1, "rejected": 1}]


def test_a_set_counts_with_its_requests_and_errors_once(database: Database) -> None:
    number = add_open_set(database, 1)
    readings = [
        request_reading(5),
        *(request_reading(id_, error_code=code) for id_, code in FAILED),
    ]
    with database.writing() as session:
        upsert(session, number, readings, account_id=ACCOUNT, read_at=NOW)
        row = session.get_one(RequestSet, number)
        row.learned_by, row.total_count, row.error_count = "notification", 4, 3
    collect(database, seconds=10)
    with database.writing() as session:
        row = session.get_one(RequestSet, number)
        row.state, row.look_at = "completed", NOW
    collect(database, seconds=4000)

    assert outcomes(database) == [
        {
            "hour": HOUR,
            "created": 1,
            "collected": 1,
            "by_notification": 1,
            "with_errors": 1,
            "requests": 4,
            "failed_requests": 3,
        }
    ]
    with database.reading() as session:
        errors = statistics.errors(session, [ACCOUNT], period=Period(HOUR, at(3600)))
        assert session.get_one(RequestSet, number).collected_at == at(10)
    assert errors == [
        {"account_id": ACCOUNT, "hour": HOUR, "error_code": 100, "requests": 2, "sets": 1},
        {"account_id": ACCOUNT, "hour": HOUR, "error_code": 2635, "requests": 1, "sets": 1},
    ]


FAILED = ((6, 100), (7, 100), (8, 2635))


def test_statistics_are_of_the_accounts_asked_for(database: Database) -> None:
    add_account(database, 2)
    add_intent(database)
    add_intent(database, account_id=2)

    assert outcomes(database, 2) == [{"hour": HOUR, "created": 1}]
    assert outcomes(database, 3) == []


def test_days_are_the_sums_of_their_hours_in_utc(database: Database) -> None:
    midnight = HOUR.replace(hour=0) + timedelta(days=1)
    for minutes in (-90, -1, 0, 59, 60, 24 * 60):
        add_intent(database, now=midnight + timedelta(minutes=minutes))
    with database.writing() as session:
        for hours, requests in ((-3, 4), (-1, 2), (0, 8)):
            hour = midnight + timedelta(hours=hours)
            row = ErrorByHour(
                account_id=ACCOUNT, hour=hour, error_code=100, requests=requests, sets=1
            )
            session.add(row)
    period = Period(HOUR.replace(hour=0), midnight + timedelta(days=2))

    with database.reading() as session:
        days = statistics.outcomes(session, [ACCOUNT], period=period, interval="day")
        errors = statistics.errors(session, [ACCOUNT], period=period, interval="day")

    before, after = midnight - timedelta(days=1), midnight + timedelta(days=1)
    assert [(row["hour"], row["created"]) for row in days] == [
        (before, 2),
        (midnight, 3),
        (after, 1),
    ]
    key = {"account_id": ACCOUNT, "error_code": 100}
    assert errors == [
        {"hour": before, **key, "requests": 6, "sets": 2},
        {"hour": midnight, **key, "requests": 8, "sets": 1},
    ]


def test_requests_of_an_older_version_are_given_their_account(database: Database) -> None:
    number = add_open_set(database, 1)
    page = [request_reading(id_) for id_ in (5, 6, 7)]
    with database.writing() as session:
        upsert(session, number, page, account_id=ACCOUNT, read_at=NOW)
        for row in session.query(Request):
            row.account_id = None

    with database.writing() as session:
        counts = [results.fill_accounts(session, limit=2) for _ in range(3)]

    assert counts == [2, 1, 0]
    with database.reading() as session:
        assert {row.account_id for row in session.query(Request)} == {ACCOUNT}
