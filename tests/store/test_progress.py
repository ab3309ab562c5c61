from __future__ import annotations

import pytest
from sqlalchemy.orm import undefer

from receiver.store import intents, progress
from receiver.store.database import Database
from receiver.store.lists import paging, request_sets
from receiver.store.lists.request_sets import SetFilter
from receiver.store.models import RequestSet
from tests.support.rows import (
    ACCOUNT,
    NOW,
    add_account,
    add_intent,
    add_open_set,
    at,
    new_intent,
    request_reading,
    rows,
    upsert,
)

_WITH_KEYS = [undefer(RequestSet.row_keys)]


@pytest.fixture(autouse=True)
def account(database: Database) -> None:
    add_account(database)


def test_a_set_is_found_by_our_number_first_and_by_facebooks_otherwise(database: Database) -> None:
    first, second = add_open_set(database, 1000), add_open_set(database, 1)
    with database.reading() as session:
        assert progress.find_id(session, 1000) == first
        assert progress.find_id(session, 1) == first
        assert progress.find_id(session, second) == second
        assert progress.find_id(session, 4711) is None


def test_how_far_a_set_is_is_told_before_facebook_has_shown_a_count(database: Database) -> None:
    number = add_open_set(database, 1000, name="Autumn")
    with database.reading() as session:
        (row,) = progress.of_sets(session, [number])
    assert (row.name, row.facebook_id, row.state) == ("Autumn", 1000, intents.OPEN)
    assert (row.total, row.done, row.is_at_end, row.went_wrong) == (1, 0, False, False)


@pytest.mark.parametrize("state", intents.STATES)
def test_what_has_no_end_yet_is_listed(database: Database, state: str) -> None:
    number = add_open_set(database, 1000)
    with database.writing() as session:
        session.get_one(RequestSet, number).state = state
    with database.reading() as session:
        listed = progress.ids_without_end(session, ACCOUNT, limit=10)
        (row,) = progress.of_sets(session, [number])
    assert (listed == []) == row.is_at_end
    assert row.is_at_end == (state in (intents.COLLECTED, intents.REJECTED, intents.STUCK))


def test_requests_that_ended_without_success_are_listed(database: Database) -> None:
    number = add_open_set(database, 1000)
    statuses = ["SUCCESS", "success", "ERROR", "CANCELED", "IN_PROGRESS", "USER_CANCELED"]
    readings = [request_reading(id_, status=status) for id_, status in enumerate(statuses, 1)]
    with database.writing() as session:
        upsert(session, number, readings, account_id=ACCOUNT, read_at=NOW)
    with database.reading() as session:
        found = [request.id for request in progress.failed_requests(session, number)]
    assert found == [3, 4, 6]


def test_the_callers_keys_are_kept_and_no_list_shows_them(database: Database) -> None:
    intent = new_intent(row_keys=b'["k1"]')
    with database.writing() as session:
        intents.add_intent(
            session, intent, credential_id=1, send_before=at(10), look_at=at(75), now=NOW
        )
    add_intent(database)
    with database.reading() as session:
        listing = request_sets.listing(SetFilter([ACCOUNT]))
        listed = paging.read_page(session, listing, after=None, limit=10).rows
        kept = [session.get_one(RequestSet, row["id"], options=_WITH_KEYS) for row in listed]
    assert [row.row_keys for row in kept] == [None, b'["k1"]']
    assert not any("row_keys" in row for row in listed)
    assert len(rows(database, RequestSet)) == 2
