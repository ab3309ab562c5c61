"""The admin API's figures: integrity, accounts, outcomes and errors by the hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import update

from receiver.graph import wire
from receiver.store import integrity, waits
from receiver.store.models import RequestSet
from receiver.store.waits import FOREVER, Wait
from tests.support.house import ACCOUNT, House, ad, add_account


def data(house: House, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = house.get(path, **query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.get_json()["data"]
    return rows


def with_a_failing_set(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail"), ad("fail too")]))
    house.work()


def test_outcomes_count_each_hour_with_zeros_between(house: House) -> None:
    with_a_failing_set(house)
    house.create_open()

    rows = data(house, "/admin/api/outcomes")

    assert len(rows) == 25
    assert sum(row["created"] for row in rows) == 2
    now = rows[-1]
    assert {name: value for name, value in now.items() if name != "at" and value} == {
        "created": 2,
        "collected": 1,
        "by_notification": 1,
        "with_errors": 1,
        "requests": 3,
        "failed_requests": 2,
    }
    days = data(house, "/admin/api/outcomes", interval="day")
    assert (len(days), days[-1]["created"], days[-1]["at"][10:]) == (31, 2, "T00:00:00Z")


def test_errors_are_counted_by_code_and_said_in_words(house: House) -> None:
    with_a_failing_set(house)

    rows = data(house, "/admin/api/errors")

    assert {row["account_id"] for row in rows} == {str(ACCOUNT)}
    assert sum(row["requests"] for row in rows) == 2
    assert all(row["meaning"] and row["advice"] for row in rows)
    shown = house.get("/admin/api/request-sets/1").get_json()["errors"]
    assert {(one["error_code"], one["requests"]) for one in shown} == {
        (row["error_code"], row["requests"]) for row in rows
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/admin/api/outcomes", "/admin/api/errors"])
@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2025-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "31 days"),
        (
            {
                "since": "2020-01-01T00:00:00Z",
                "until": "2026-01-01T00:00:00Z",
                "interval": "day",
            },
            "400 days",
        ),
        ({"until": "0001-01-01T00:00:00Z"}, "calendar"),
        ({"interval": "minute"}, "interval"),
        ({"until": "1767225600"}, "until"),
    ],
    ids=str,
)
def test_a_range_that_cannot_be_is_refused_in_words(
    house: House, path: str, query: dict[str, str], word: str
) -> None:
    answer = house.get(path, **query)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert word in answer.get_json()["detail"]


def test_a_range_may_end_where_the_calendar_does(house: House) -> None:
    query = {"since": "9999-12-31T00:00:00Z", "until": "9999-12-31T23:59:59Z"}

    assert len(data(house, "/admin/api/outcomes", **query)) == 24
    assert data(house, "/admin/api/errors", **query) == []


def test_a_number_that_counting_stopped_at_says_so(house: House) -> None:
    for _ in range(3):
        house.create_open()
    with house.parts.database.writing() as session:
        then = house.clock() - timedelta(hours=1)
        session.execute(update(RequestSet).values(deadline_at=then, missing_at=then))

    def counted(most: int) -> tuple[int, bool, bool]:
        with mock.patch.object(integrity, "COUNTED_MOST", most):
            told = house.get("/admin/api/integrity").get_json()
        return told["missing"], told["is_exact"]["missing"], told["is_exact"]["doubled"]

    assert counted(3) == (3, True, True)
    assert counted(2) == (2, False, True)


def test_failures_without_a_code_are_counted_under_null(house: House) -> None:
    real = wire.read_request_node
    with mock.patch.object(
        wire, "read_request_node", lambda node: real(node)._replace(error_code=None)
    ):
        with_a_failing_set(house)

    (counted,) = data(house, "/admin/api/errors")
    (shown,) = house.get("/admin/api/request-sets/1").get_json()["errors"]

    assert house.the_set().state == "collected"
    assert (counted["error_code"], counted["requests"], counted["sets"]) == (None, 2, 1)
    assert (shown["error_code"], shown["requests"]) == (None, 2)
    assert counted["advice"] == shown["advice"] != ""


def test_an_account_shows_what_it_may_spend(house: House) -> None:
    (before,) = data(house, "/admin/api/accounts")
    house.create_open()
    (after,) = data(house, "/admin/api/accounts")

    assert (before["account_id"], before["health"]) == (str(ACCOUNT), "ok")
    assert before["points_left"]["create"] - after["points_left"]["create"] == 3
    assert before["points_left"]["poll"] < before["points_left"]["create"]


@pytest.mark.parametrize(
    ("wait", "health", "reason"),
    [
        (timedelta(minutes=5), "waiting", "Facebook asked to wait."),
        (None, "parked", "The token is out of date."),
    ],
)
def test_an_account_that_waits_says_for_what(
    house: House, wait: timedelta | None, health: str, reason: str
) -> None:
    resume_at = FOREVER if wait is None else house.clock() + wait
    parked = None if wait else reason
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(resume_at, parked_reason=parked))

    (row,) = data(house, "/admin/api/accounts")

    assert (row["health"], row["reason"]) == (health, reason)
    assert (row["resume_at"] is None) == (wait is None)


def test_figures_are_those_of_the_keys_accounts(house: House) -> None:
    with_a_failing_set(house)
    mine = house.key
    house.key = add_account(house.parts, 5)

    assert [row["account_id"] for row in data(house, "/admin/api/accounts")] == ["5"]
    assert sum(row["created"] for row in data(house, "/admin/api/outcomes")) == 0
    assert data(house, "/admin/api/errors") == []
    # To ask for somebody else's account shows nothing of it.
    assert data(house, "/admin/api/accounts", account=ACCOUNT) == []
    assert house.get("/admin/api/integrity", account=ACCOUNT).get_json()["missing"] == 0
    house.key = mine
    assert data(house, "/admin/api/errors", account=f"5,act_{ACCOUNT}") != []
