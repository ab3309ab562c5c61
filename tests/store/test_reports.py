from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.store import details, looks, reports
from receiver.store.database import Database
from receiver.store.looks import LookRecord
from tests.support.rows import (
    ACCOUNT,
    NOW,
    add_account,
    add_open_set,
    at,
    must_claim,
    notify,
    request_reading,
    upsert,
)

OTHER = 99


@pytest.fixture
def two_accounts(database: Database) -> tuple[int, int]:
    """Two sets of two accounts, each with a notification, a look and a request."""
    for account_id in (ACCOUNT, OTHER):
        add_account(database, account_id)
    ids = []
    for facebook_id, account_id in ((1, ACCOUNT), (2, OTHER)):
        ids.append(add_open_set(database, facebook_id, account_id=account_id))
        notify(database, ids[-1], now=at(facebook_id))
        claim = must_claim(database)
        with database.writing() as session:
            started_at = at(facebook_id)
            record = LookRecord("set", started_at=started_at, ended_at=started_at, calls=1)
            looks.add_look(session, claim, record)
            upsert(session, ids[-1], [request_reading(facebook_id)], account_id=1, read_at=NOW)
    return ids[0], ids[1]


def test_only_the_askers_sets_are_found(database: Database, two_accounts: tuple[int, int]) -> None:
    mine, theirs = two_accounts
    with database.reading() as session:
        assert reports.find_set(session, [ACCOUNT], facebook_id=2) is None
        assert details.request_set(session, theirs, account_ids=[ACCOUNT]) is None
        found = reports.find_set(session, [ACCOUNT], facebook_id=1)
        intent = details.request_set(session, mine, account_ids=[ACCOUNT])
    assert found is not None
    assert intent is not None
    assert (found.id, intent["id"]) == (mine, mine)
    assert [one["outcome"] for one in intent["submissions"]] == ["open"]
    assert "ad_specs" not in intent


@settings(
    # One database serves all examples: they only read.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,
)
@given(limit=st.integers(1, 12), backwards=st.booleans())
def test_a_sets_requests_page_in_both_directions(
    database: Database, limit: int, *, backwards: bool
) -> None:
    request_set_id = with_ten_requests(database)
    seen: list[int] = []
    while True:
        beside: dict[str, int | None] = {"after": None, "before": None}
        if backwards:
            beside["before"] = seen[0] if seen else 1000
        elif seen:
            beside["after"] = seen[-1]
        with database.reading() as session:
            found = reports.requests_of(
                session,
                request_set_id,
                after=beside["after"],
                before=beside["before"],
                limit=limit,
            )
        ids = [row.id for row in found]
        if not ids:
            break
        seen = ids + seen if backwards else seen + ids
    assert seen == list(range(1, 11))


def with_ten_requests(database: Database) -> int:
    """Return the set with ten requests; the first call makes it."""
    with database.reading() as session:
        found = reports.find_set(session, [ACCOUNT], facebook_id=1)
    if found is not None:
        return found.id
    add_account(database)
    request_set_id = add_open_set(database, 1)
    with database.writing() as session:
        page = [request_reading(number) for number in range(10, 0, -1)]
        upsert(session, request_set_id, page, account_id=1, read_at=NOW)
    return request_set_id


def test_requests_are_chosen_by_status_in_whatever_case_it_came(database: Database) -> None:
    add_account(database)
    request_set_id = add_open_set(database, 1)
    statuses = ["Success", "SUCCESS", "error", "CANCELED"]
    page = [
        request_reading(number, status=status) for number, status in enumerate(statuses, start=1)
    ]
    with database.writing() as session:
        upsert(session, request_set_id, page, account_id=1, read_at=NOW)

    def chosen(wanted: set[str] | None, **beside: int | None) -> list[int]:
        cursors = {"after": None, "before": None, **beside}
        with database.reading() as session:
            found = reports.requests_of(
                session,
                request_set_id,
                after=cursors["after"],
                before=cursors["before"],
                limit=2,
                statuses=wanted,
            )
        return [row.id for row in found]

    assert chosen({"SUCCESS"}) == [1, 2]
    assert chosen({"ERROR", "CANCELED"}) == [3, 4]
    assert chosen({"SUCCESS", "CANCELED"}, after=1) == [2, 4]
    assert chosen({"SUCCESS"}, before=2) == [1]
    assert chosen({"NEVER"}) == chosen(set()) == []
    assert chosen(None) == [1, 2]
