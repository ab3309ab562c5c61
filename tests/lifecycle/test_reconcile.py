from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from receiver.graph.errors import CallFailed
from receiver.lifecycle.reconcile import Reconciled, reconcile
from receiver.store import intents
from receiver.store.models import (
    FoundSet,
    Notification,
    Reconciliation,
    Request,
    RequestSet,
    Submission,
)
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House
from tests.support.sandbox import GraphCaller

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def compare(house: House, **options: Any) -> Reconciled:
    """Compare the sets of the last day."""
    now = house.clock()
    return reconcile(
        options.pop("tools", house.parts.tools),
        ACCOUNT,
        since=now - timedelta(days=1),
        until=now + timedelta(seconds=1),
        **options,
    )


def kinds(done: Reconciled) -> list[str]:
    return [each.kind for each in done.differences]


def test_an_account_that_agrees_has_no_difference(house: House) -> None:
    for _ in range(3):
        house.create_open()
    with GraphCaller(house.sandbox.url).session:
        GraphCaller(house.sandbox.url).create(str(ACCOUNT), [{"name": "x", "adset_id": "5"}])
    house.work()
    done = compare(house)
    assert (done.differences, done.is_whole, done.sets) == ([], True, 4)
    (kept,) = house.rows(Reconciliation)
    assert (kept.account_id, kept.differences, kept.sets, kept.is_whole) == (ACCOUNT, 0, 4, True)


def test_a_set_whose_answer_was_lost_is_told_until_it_is_found(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert house.create().status_code == 409
    assert kinds(compare(house)) == ["not_here", "unresolved"]
    house.clock.move(15)
    house.work()
    assert compare(house).differences == []


def test_a_database_restored_from_a_backup_learns_what_it_forgot(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        for model in (Request, FoundSet, Submission, RequestSet):
            session.execute(delete(model))
    (difference,) = compare(house).differences
    assert (difference.kind, difference.request_set_id) == ("not_here", None)
    assert difference.facebook_ids == (int(house.sandbox.ledger()[0]["id"]),)


def test_its_notification_is_kept_and_shown(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        for model in (Request, FoundSet, Submission, RequestSet):
            session.execute(delete(model))
    assert house.notify().status_code == 200
    house.work()
    (row,) = house.rows(Notification)
    assert row.applied_at is not None


def test_a_set_that_facebook_lost_is_told(house: House) -> None:
    house.create_open()
    house.work()
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(facebook_id=4711))
    assert kinds(compare(house)) == ["doubled", "not_there"] or kinds(compare(house)) == [
        "not_there"
    ]


def test_counts_that_differ_are_told(house: House) -> None:
    set_id = house.create_open()
    house.work()
    house.sandbox.override(set_id, total_count=3)
    assert kinds(compare(house)) == ["count"]


def test_a_second_set_of_an_intent_is_told_and_kept(house: House) -> None:
    house.create_open()
    row = house.the_set()
    uri = house.sandbox.ledger()[0]["notification_uri"]
    both = page(
        [
            {"id": str(row.facebook_id), "notification_uri": uri, "total_count": 2},
            {"id": "99", "notification_uri": uri, "total_count": 2},
        ]
    )
    with facebook_shows(house.parts.tools, both) as (tools, _):
        assert kinds(compare(house, tools=tools)) == ["doubled"]
    assert house.the_set().doubled_at is not None
    assert house.the_set().state in (intents.OPEN, intents.COLLECTED)


def test_a_list_without_an_end_is_not_whole(house: House) -> None:
    with facebook_shows(house.parts.tools, page([], after="again")) as (tools, _):
        assert not compare(house, tools=tools).is_whole


def test_progress_is_told_page_by_page(house: House) -> None:
    house.create_open()
    heard: list[int] = []
    compare(house, on_page=heard.append)
    assert heard[-1] == 1
    assert len(heard) == 3


def test_a_failure_is_raised_and_keeps_the_wait_that_it_asks_for(house: House) -> None:
    house.sandbox.trouble("graph_error", code=17, method="GET")
    with pytest.raises(CallFailed):
        compare(house)
    assert house.rows(Reconciliation) == []
