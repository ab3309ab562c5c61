from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.admin_population import ACCOUNTS, NOW, TINY
from benchmarks.admin_rows import fill
from benchmarks.plans import watched
from receiver.lifecycle.actions.catalog import ACTIONS, Action
from receiver.lifecycle.choosing import narrowed
from receiver.store import due
from receiver.store.database import Database, Session
from receiver.store.lists import messages, paging, request_sets, requests
from receiver.store.lists.conditions import Between
from receiver.store.lists.messages import MessageFilter
from receiver.store.lists.paging import Listing
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from tests.support.databases import BACKENDS, fresh_database_url

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
FAR_BACK = Between(NOW - timedelta(days=80), NOW - timedelta(days=79))

Case = tuple[Callable[[], Listing], str]


def sets(*, sort: str = "-created_at", **wanted: Any) -> Callable[[], Listing]:
    return lambda: request_sets.listing(
        SetFilter(ACCOUNTS, **wanted), sort=sort.lstrip("-"), is_descending=sort.startswith("-")
    )


def of_requests(*, sort: str = "-id", **wanted: Any) -> Callable[[], Listing]:
    return lambda: requests.listing(
        RequestFilter(ACCOUNTS, **wanted), is_descending=sort.startswith("-")
    )


def told(kind: Callable[..., Listing], *, sort: str = "-", **wanted: Any) -> Callable[[], Listing]:
    return lambda: kind(MessageFilter(ACCOUNTS, **wanted), is_descending=sort.startswith("-"))


def of_messages(
    kind: Callable[..., Listing], moment: str, by_time: str, by_set: str
) -> dict[str, Case]:
    """What every list of messages is served by."""
    return {
        f"-{moment}": (told(kind), by_time),
        moment: (told(kind, sort=""), by_time),
        "since/until": (told(kind, between=FAR_BACK), by_time),
        "request_set": (told(kind, request_set_id=7), by_set),
    }


MADE, COMPLETE = "ix_request_set_account_id_created_at", "ix_request_set_account_id_completed_at"
SERVED: dict[str, dict[str, Case]] = {
    "request sets": {
        "-created_at": (sets(), MADE),
        "created_at": (sets(sort="created_at"), MADE),
        "-completed_at": (sets(sort="-completed_at"), COMPLETE),
        "completed_at": (sets(sort="completed_at"), COMPLETE),
        "since/until": (sets(created=FAR_BACK), MADE),
        "completed_since/completed_until": (
            sets(sort="-completed_at", completed=FAR_BACK),
            COMPLETE,
        ),
        "state": (sets(states=["collected", "rejected"]), "ix_request_set_account_id_state"),
        "verdict": (sets(verdicts=["lost"]), "ix_request_set_account_id_verdict"),
        "with_errors=true": (sets(has_errors=True), "ix_request_set_with_errors"),
        "late": (sets(late_at=NOW), "ix_request_set_without_end"),
        "request_set": (sets(numbers=[7, 8]), "pk_request_set"),
        "facebook_id": (sets(facebook_id=6_500_000_007_000), "uq_request_set_facebook_id"),
        "parent": (sets(parent_id=7), "ix_request_set_parent_id"),
    },
    "requests": {
        "-id": (of_requests(), "ix_request_account_id_id"),
        "id": (of_requests(sort="id"), "ix_request_account_id_id"),
        "request_set": (of_requests(request_set_id=7), "ix_request_request_set_id_id"),
        "ad_set": (of_requests(scope_object_id=7), "ix_request_scope_object_id_id"),
        "status": (of_requests(statuses=["error"]), "ix_request_account_id_status"),
        "error_code": (of_requests(error_codes=[100]), "ix_request_account_id_error_code"),
        "created_object": (of_requests(created_object_id=7), "ix_request_created_object_id"),
        "id (ids)": (of_requests(ids=[23_850_000_000_001]), "pk_request"),
    },
    "notifications": of_messages(
        messages.notifications,
        "received_at",
        "ix_notification_account_id_received_at",
        "ix_notification_request_set_id_attempt",
    ),
    "looks": of_messages(
        messages.looks, "started_at", "ix_look_account_id_started_at", "ix_look_request_set_id_id"
    ),
    "deliveries": {
        **of_messages(
            messages.deliveries,
            "created_at",
            "ix_delivery_account_id_created_at",
            "uq_delivery_request_set_id",
        ),
        "state": (told(messages.deliveries, states=["failed"]), "ix_delivery_account_id_state"),
    },
    "audit": of_messages(
        messages.audit_entries,
        "at",
        "ix_audit_entry_account_id_at",
        "ix_audit_entry_request_set_id",
    ),
}


@pytest.fixture(scope="module", params=BACKENDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with fresh_database_url(request.param, tmp_path_factory.mktemp("plans")) as url:
        database = Database(url, timeout_seconds=5)
        fill(database, rows=12_000)
        yield database
        database.close()


def documented() -> Iterator[tuple[str, str]]:
    """Every order and filter that docs/api.md says one index serves."""
    for line in API_PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] in SERVED:
            names = re.findall(r"((?:`[^`]+`/?)+) \(?●", f"{cells[1]}, {cells[2]}")
            for number, name in enumerate(names):
                again = name in names[:number]
                yield cells[0], name.replace("`", "") + (" (ids)" if again else "")


def test_every_order_and_filter_that_an_index_serves_is_held_here() -> None:
    assert set(documented()) == {(kind, name) for kind, cases in SERVED.items() for name in cases}


def indexes_of(database: Database, listing: Listing) -> list[str]:
    """Read a page, and return the indexes for it."""
    return indexes_for(
        database, lambda session: paging.read_page(session, listing, after=None, limit=50)
    )


def indexes_for(database: Database, ask: Callable[[Session], object]) -> list[str]:
    """Ask the database which indexes it would use for some statements were its tables large."""
    with database.reading() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            # It multiplies the rows of a page by the pages that there are. Nothing is committed.
            connection.execute(
                text("UPDATE pg_class SET reltuples = 10000 * reltuples WHERE relkind = 'r'")
            )
        with watched(database) as statements:
            ask(session)
        indexes = statements.indexes(connection)
        session.rollback()
    return indexes


DUE: dict[str, tuple[Callable[[Session], object], str]] = {
    "of any account": (
        lambda session: due.first_accounts(session, now=NOW, most=9),
        "ix_request_set_due",
    ),
    "of one account": (
        lambda session: due.has_any(session, TINY, now=NOW),
        "ix_request_set_account_id_due",
    ),
    "by account": (
        lambda session: due.accounts(session, now=NOW, most=9),
        "ix_request_set_account_id_due",
    ),
}


@pytest.mark.parametrize("kind", DUE)
def test_what_is_due_is_found_by_an_index(filled: Database, kind: str) -> None:
    ask, index = DUE[kind]

    found = indexes_for(filled, ask)

    assert index in found
    assert "(all of request_set)" not in found


def test_unapplied_notifications_are_found_by_their_index(filled: Database) -> None:
    found = indexes_of(filled, messages.notifications(MessageFilter(ACCOUNTS)))

    assert "ix_notification_unapplied" in found
    assert [one for one in found if one.startswith("(all of")] == []


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, cases in SERVED.items() for name in cases]
)
def test_a_filter_that_is_said_to_be_served_by_an_index_is(
    filled: Database, kind: str, name: str
) -> None:
    listing, index = SERVED[kind][name]

    found = indexes_of(filled, listing())

    if filled.engine.dialect.name == "sqlite":
        # It names what belongs to a constraint by itself.
        index = re.sub(r"^uq_(\w+?)_(facebook_id|request_set_id)$", r"sqlite_autoindex_\1_1", index)
    assert index in found
    assert [one for one in found if one.startswith("(all of")] == []


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_what_an_action_fits_is_found_by_an_index(filled: Database, action: Action) -> None:
    fitting = narrowed(SetFilter(ACCOUNTS), action)
    assert fitting is not None
    # What is in a state without an end is also found among all that has none.
    narrow = {
        "ix_request_set_account_id_state",
        "ix_request_set_with_errors",
        "ix_request_set_without_end",
    }

    found = indexes_of(filled, request_sets.listing(fitting))

    assert narrow & set(found)
    assert [one for one in found if one.startswith("(all of")] == []
