"""Lists: every filter against a plain reading of all rows, pages by key, windows, counts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.store import intents
from receiver.store.database import Database
from receiver.store.inbox.rows import ROWS_PER_TOKEN
from receiver.store.lists import messages, paging, request_sets, requests
from receiver.store.lists.conditions import Between
from receiver.store.lists.messages import MessageFilter
from receiver.store.lists.paging import Listing
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from receiver.store.models import Delivery, Look, Request, RequestSet
from receiver.store.notifications import apply_hints
from tests.support.rows import NOW, add_account, add_intent, at, notify, write_intent

ACCOUNTS = (1, 2, 3)
SETS = 60


def walk(database: Database, listing: Listing, *, limit: int) -> list[int]:
    """Follow a list to its end and return the ids."""
    ids: list[int] = []
    after = None
    with database.reading() as session:
        while True:
            page = paging.read_page(session, listing, after=after, limit=limit)
            assert len(page.rows) <= limit
            ids += [row["id"] for row in page.rows]
            after = page.next_key
            if after is None:
                return ids


def fill(database: Database) -> None:
    """Sets of three accounts in all states, some made at the same moment."""
    chance = random.Random(7)
    for account_id in ACCOUNTS:
        add_account(database, account_id)
    with database.writing() as session:
        for number in range(SETS):
            attempt = write_intent(
                session,
                account_id=chance.choice(ACCOUNTS),
                now=at(chance.randrange(20)),
                name=f"Set {number % 7}%",
            )
            row = session.get_one(RequestSet, attempt.request_set_id)
            row.state = chance.choice(intents.STATES)
            row.verdict = chance.choice(["pending", "delivered", "lost"])
            row.error_count = chance.choice([None, 0, 2])
            row.deadline_at = at(chance.randrange(100))
            row.completed_at = chance.choice([None, at(chance.randrange(20))])
            row.learned_by = chance.choice([None, "poll", "notification"])


def all_sets(database: Database) -> list[RequestSet]:
    with database.reading() as session:
        return list(session.query(RequestSet))


Meets = Callable[[RequestSet], bool]
LATE_AT = at(50)
FILTERS: dict[str, tuple[dict[str, Any], Meets]] = {
    "state": (
        {"states": ["open", "collected"]},
        lambda row: row.state in ("open", "collected"),
    ),
    "verdict": ({"verdicts": ["lost"]}, lambda row: row.verdict == "lost"),
    "errors": ({"has_errors": True}, lambda row: bool(row.error_count)),
    "no errors": ({"has_errors": False}, lambda row: not row.error_count),
    "name": ({"name": "sEt 3%"}, lambda row: row.name == "Set 3%"),
    "number": ({"numbers": [3, 4, 9999]}, lambda row: row.id in (3, 4)),
    "learned by": ({"learned_by": ["poll"]}, lambda row: row.learned_by == "poll"),
    "edge": ({"edges": ["asyncadcreatives"]}, lambda _row: False),
    "made": (
        {"created": Between(at(5), at(10))},
        lambda row: at(5) <= row.created_at < at(10),
    ),
    "completed": (
        {"completed": Between(since=at(5))},
        lambda row: row.completed_at is not None and row.completed_at >= at(5),
    ),
    "late": (
        {"late_at": LATE_AT},
        lambda row: (
            row.state not in ("collected", "rejected")
            and row.deadline_at is not None
            and row.deadline_at <= LATE_AT
        ),
    ),
}


NAMES = list(FILTERS)
SOME_PAIRS = [(one, NAMES[(3 * place) % len(NAMES)]) for place, one in enumerate(NAMES)]
ALL_PAIRS = [(one, other) for one in FILTERS for other in FILTERS]


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("sort", request_sets.SORTS)
@pytest.mark.parametrize("account_ids", [(1, 3), ()], ids=str)
def test_every_filter_lists_what_meets_it_in_order(
    database: Database,
    account_ids: tuple[int, ...],
    sort: str,
    is_descending: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    pairs = [*((one, one) for one in FILTERS), *SOME_PAIRS]
    check_pairs(database, pairs, account_ids, sort=sort, is_descending=is_descending)


@pytest.mark.long
@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("sort", request_sets.SORTS)
def test_every_pair_of_filters_lists_what_meets_both_in_order(
    database: Database,
    sort: str,
    is_descending: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    check_pairs(database, ALL_PAIRS, (1, 3), sort=sort, is_descending=is_descending)


def check_pairs(
    database: Database,
    pairs: list[tuple[str, str]],
    account_ids: tuple[int, ...],
    *,
    sort: str,
    is_descending: bool,
) -> None:
    fill(database)
    rows = all_sets(database)

    def expected(*meets: Meets) -> list[int]:
        found = [
            row
            for row in rows
            if row.account_id in account_ids
            and getattr(row, sort) is not None
            and all(meet(row) for meet in meets)
        ]
        found.sort(key=lambda row: (getattr(row, sort), row.id), reverse=is_descending)
        return [row.id for row in found]

    for one, other in pairs:
        wanted = FILTERS[one][0] | FILTERS[other][0]
        if one != other and set(FILTERS[one][0]) & set(FILTERS[other][0]):
            continue
        listing = request_sets.listing(
            SetFilter(account_ids, **wanted), sort=sort, is_descending=is_descending
        )
        limit = len(one) % 4 + 3
        assert walk(database, listing, limit=limit) == expected(FILTERS[one][1], FILTERS[other][1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(window=st.integers(1, 70), limit=st.integers(1, 9), name=st.sampled_from(["Set 3", "x"]))
def test_a_window_shortens_pages_and_loses_nothing(
    sqlite_filled: Database, window: int, limit: int, name: str
) -> None:
    listing = request_sets.listing(SetFilter(ACCOUNTS, name=name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "WINDOW_ROWS", window)
        walked = walk(sqlite_filled, listing, limit=limit)

    assert walked == walk(sqlite_filled, listing, limit=SETS)
    assert len(walked) == (8 if name == "Set 3" else 0) or name == "Set 3"


@pytest.fixture
def sqlite_filled(tmp_path: Any) -> Any:
    from tests.support.databases import fresh_database_url  # noqa: PLC0415  # only this one test

    with fresh_database_url("sqlite", tmp_path) as url:
        database = Database(url, timeout_seconds=5)
        fill(database)
        yield database
        database.close()


def test_a_page_that_stopped_at_its_window_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)
    monkeypatch.setattr(paging, "WINDOW_ROWS", 3)
    listing = request_sets.listing(SetFilter((1,), name="no such name"))

    with database.reading() as session:
        page = paging.read_page(session, listing, after=None, limit=50)

    assert (page.rows, page.is_partial) == ([], True)
    assert page.next_key is not None


def test_a_count_is_exact_below_the_cap_and_at_least_the_cap_above(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)
    whole = request_sets.listing(SetFilter(ACCOUNTS))
    named = request_sets.listing(SetFilter(ACCOUNTS, name="Set 3"))

    with database.reading() as session:
        exact = [paging.count(session, one) for one in (whole, named)]
        monkeypatch.setattr(paging, "COUNTED_MOST", 10)
        capped = [paging.count(session, one) for one in (whole, named)]

    assert [(one.at_least, one.is_exact) for one in exact] == [(60, True), (9, True)]
    assert (capped[0].at_least, capped[0].is_exact) == (10, False)
    assert not capped[1].is_exact


def add_requests(database: Database) -> None:
    chance = random.Random(3)
    fill(database)
    with database.writing() as session:
        for number, row in enumerate(session.query(RequestSet).limit(20)):
            for index in range(3):
                status = chance.choice(["SUCCESS", "Error", "CANCELED"])
                session.add(
                    Request(
                        id=1000 + 3 * number + index,
                        request_set_id=row.id,
                        account_id=row.account_id,
                        scope_object_id=chance.choice([7, 8, None]),
                        status=status,
                        is_final=True,
                        created_object_id=number if status == "SUCCESS" else None,
                        error_code=chance.choice([100, 190]) if status == "Error" else None,
                        read_at=NOW,
                    )
                )


REQUEST_FILTERS: dict[str, tuple[dict[str, Any], Callable[[Request], bool]]] = {
    "id": ({"ids": [1000, 1001]}, lambda row: row.id in (1000, 1001)),
    "set": ({"request_set_id": 2}, lambda row: row.request_set_id == 2),
    "ad set": ({"scope_object_id": 7}, lambda row: row.scope_object_id == 7),
    "object": ({"created_object_id": 4}, lambda row: row.created_object_id == 4),
    "status": (
        {"statuses": ["success", "ERROR"]},
        lambda row: row.status in ("SUCCESS", "Error"),
    ),
    "code": ({"error_codes": [100, 190]}, lambda row: row.error_code in (100, 190)),
}


@pytest.mark.parametrize("is_descending", [True, False])
def test_every_pair_of_filters_lists_the_requests_that_meet_them(
    database: Database,
    is_descending: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    add_requests(database)
    with database.reading() as session:
        rows = sorted(session.query(Request), key=lambda row: row.id, reverse=is_descending)
    for one, (first, meets) in REQUEST_FILTERS.items():
        for second, also in REQUEST_FILTERS.values():
            wanted = RequestFilter((1, 2), **(first | second))
            listing = requests.listing(wanted, is_descending=is_descending)
            expected = [
                row.id for row in rows if row.account_id in (1, 2) and meets(row) and also(row)
            ]
            assert walk(database, listing, limit=4) == expected, one


def test_messages_are_those_of_the_accounts_the_set_and_the_time(database: Database) -> None:
    for account_id in (1, 2):
        add_account(database, account_id)
        add_intent(database, account_id=account_id)
    for number, moment in ((1, NOW), (2, NOW), (1, at(60)), (99, NOW)):
        notify(database, number, now=moment)

    def ids(**wanted: Any) -> list[int]:
        return walk(database, messages.notifications(MessageFilter(**wanted)), limit=1)

    # Before it is applied, a notification is found by its set.
    assert ids(account_ids=[1, 2]) == [3, 2, 1]
    assert ids(account_ids=[2]) == [2]
    assert ids(account_ids=[1, 2], request_set_id=1) == [3, 1]
    with database.writing() as session:
        apply_hints(session, now=at(61))
    assert ids(account_ids=[1]) == [3, 1]
    assert ids(account_ids=[1, 2]) == [3, 2, 1]
    assert ids(account_ids=[2], request_set_id=1) == []
    assert ids(account_ids=[1, 2], between=Between(since=at(1))) == [3]
    assert ids(account_ids=[1, 2], verdicts=["pending"]) == [3, 2, 1]
    assert ids(account_ids=[1, 2], verdicts=["lost"]) == []
    assert ids(account_ids=[]) == []


def test_a_notification_that_is_to_be_applied_again_stands_in_its_list_once(
    database: Database,
) -> None:
    for account_id in (1, 2):
        add_account(database, account_id)
        add_intent(database, account_id=account_id)
    notify(database, 1, now=NOW)
    for second in range(ROWS_PER_TOKEN):
        notify(database, 2, now=at(second))
    with database.writing() as session:
        apply_hints(session, now=at(60))
    notify(database, 2, now=at(61))
    listing = messages.notifications(MessageFilter([1, 2]))

    assert sorted(walk(database, listing, limit=1)) == list(range(1, ROWS_PER_TOKEN + 2))
    with database.reading() as session:
        counted = paging.count(session, listing)
    assert (counted.at_least, counted.is_exact) == (ROWS_PER_TOKEN + 1, True)


@pytest.mark.parametrize("text", ["überraschung", "ÜBER", "100%_É"])
def test_a_name_is_found_in_any_case_of_any_alphabet(database: Database, text: str) -> None:
    add_account(database, 1)
    for name in ("ÜBERRASCHUNG 100%_é", "Uberraschung 100__e"):
        add_intent(database, account_id=1, name=name)

    assert walk(database, request_sets.listing(SetFilter([1], name=text)), limit=5) == [1]


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("branches_a_statement", [1, 64])
def test_a_list_goes_on_although_rows_stand_in_two_branches(
    database: Database,
    branches_a_statement: int,
    is_descending: bool,  # noqa: FBT001  # a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(database)
    monkeypatch.setattr(paging, "_BRANCHES_A_STATEMENT", branches_a_statement)
    listing = request_sets.listing(SetFilter((1, 2)), is_descending=is_descending)
    doubled = replace(listing, branches=[*listing.branches, *listing.branches])

    for limit in (1, 2, 7):
        assert walk(database, doubled, limit=limit) == walk(database, listing, limit=SETS)


def test_more_unapplied_notifications_than_are_looked_through_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_account(database, 1)
    add_intent(database, account_id=1)
    for set_id in (1, 97, 98):
        notify(database, set_id, now=NOW)
    listing = partial(messages.notifications, MessageFilter([1]))

    def told() -> tuple[list[int], bool, bool]:
        with database.reading() as session:
            page = paging.read_page(session, listing(), after=None, limit=5)
            counted = paging.count(session, listing())
        return [row["id"] for row in page.rows], page.is_partial, counted.is_exact

    monkeypatch.setattr(messages, "_UNAPPLIED_MOST", 3)
    assert told() == ([1], False, True)
    monkeypatch.setattr(messages, "_UNAPPLIED_MOST", 2)
    assert told() == ([], True, False)


def look_row(started_at: datetime, **values: Any) -> Look:
    row = {
        "request_set_id": 1,
        "account_id": 1,
        "kind": "set",
        "why": "poll",
        "started_at": started_at,
        "duration_ms": 5,
        "calls": 1,
        "rows": 0,
    }
    return Look(**(row | values))


def test_looks_and_deliveries_are_narrowed_by_what_they_were(database: Database) -> None:
    add_account(database, 1)
    add_intent(database, account_id=1)
    with database.writing() as session:
        session.add(look_row(NOW, kind="requests", verdict="lost"))
        session.add(look_row(at(1), why="notification", error="No answer."))
        session.add(
            Delivery(
                request_set_id=1,
                account_id=1,
                message_id="m",
                uri="https://caller.example",
                state="failed",
                attempts=1,
                created_at=NOW,
            )
        )

    def ids(listing: Callable[..., Listing], **wanted: Any) -> list[int]:
        return walk(database, listing(MessageFilter([1], **wanted)), limit=5)

    assert ids(messages.looks) == [2, 1]
    assert ids(messages.looks, kinds=["requests"]) == [1]
    assert ids(messages.looks, causes=["notification"]) == [2]
    assert ids(messages.looks, has_error=True) == [2]
    assert ids(messages.looks, has_error=False, verdicts=["lost"]) == [1]
    assert ids(messages.looks, between=Between(until=at(1))) == [1]
    assert ids(messages.deliveries, states=["failed"]) == [1]
    assert ids(messages.deliveries, states=["pending"]) == []
    assert ids(messages.deliveries, request_set_id=1, states=["pending"]) == []
    assert ids(messages.deliveries, request_set_id=1) == [1]


def test_a_list_of_very_many_accounts_is_one_list(database: Database) -> None:
    account_ids = list(range(1, 150))
    for account_id in account_ids[:140:10]:
        add_account(database, account_id)
        add_intent(database, account_id=account_id, now=NOW + timedelta(seconds=account_id))

    walked = walk(database, request_sets.listing(SetFilter(account_ids)), limit=4)

    assert walked == list(range(14, 0, -1))


def test_pages_are_complete_and_without_doubles_while_rows_come_in(database: Database) -> None:
    add_account(database, 1)
    for second in range(10):
        add_intent(database, account_id=1, now=at(second))
    listing = request_sets.listing(SetFilter([1]))
    seen: list[int] = []
    after = None
    while True:
        with database.reading() as session:
            page = paging.read_page(session, listing, after=after, limit=3)
        seen += [row["id"] for row in page.rows]
        add_intent(database, account_id=1, now=at(100 + len(seen)))
        after = page.next_key
        if after is None:
            break

    assert seen == list(range(10, 0, -1))
