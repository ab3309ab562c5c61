"""Callers are told that their sets are collected: once it is so, until they take it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from receiver.delivery import signing
from receiver.delivery.sender import Reply
from receiver.lifecycle import deliver
from receiver.lifecycle.deliver import what_follows
from receiver.store import deliveries, intents
from receiver.store.database import DatabaseAway
from receiver.store.models import ApiKey, Delivery, DeliveryAttempt
from tests.support.databases import locked
from tests.support.house import House, open_house
from tests.support.sandbox import Listener, listening

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def listener(house: House) -> Iterator[Listener]:
    house.set_private_addresses(allowed=True)
    with listening() as listener:
        yield listener


def collect(house: House, uri: str, *, mode: str = "ON_COMPLETE") -> str:
    """Create a set whose caller wants to be told, and collect it."""
    set_id = house.create_open(notification_uri=uri, notification_mode=mode)
    house.notify(set_id)
    house.work()
    assert house.rows(type(house.the_set()))[-1].state == intents.COLLECTED
    return set_id


def the_delivery(house: House) -> Delivery:
    (row,) = house.rows(Delivery)
    return row


def test_a_collected_sets_caller_gets_facebooks_own_post(house: House, listener: Listener) -> None:
    set_id = collect(house, f"{listener.url}/hook?mine=1")
    assert house.deliver() == 1
    (call,) = listener.wait_for(1)
    assert (call.target, call.body) == ("/hook?mine=1", f"id={set_id}".encode())
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    shown = house.get(f"/{set_id}", fields="notification_status,notification_result").get_json()
    assert shown["notification_status"] == "SENT"
    assert shown["notification_result"] == {"status": "200", "response": "OK"}


def test_it_is_signed_with_the_secret_of_the_callers_key(house: House, listener: Listener) -> None:
    collect(house, listener.url)
    house.deliver()
    (call,) = listener.wait_for(1)
    (key,) = house.rows(ApiKey)
    expected = signing.headers(
        the_delivery(house).message_id,
        body=call.body,
        timestamp_seconds=int(call.headers["webhook-timestamp"]),
        secrets=house.parts.keys.webhook_secrets(key.id),
    )
    assert {name: call.headers[name] for name in expected} == expected
    assert call.headers["webhook-timestamp"] == str(int(house.clock().timestamp()))


@pytest.mark.parametrize("mode", ["OFF", "0"])
def test_who_does_not_want_to_be_told_is_not(house: House, mode: str) -> None:
    collect(house, "https://caller.example/", mode=mode)
    assert house.rows(Delivery) == []


def test_nobody_is_told_before_the_set_is_collected(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open(notification_uri="https://caller.example/", notification_mode="ON_COMPLETE")
    house.notify()
    house.work()
    assert house.rows(Delivery) == []


def test_a_failed_attempt_is_made_again_on_the_schedule_under_the_same_id(house: House) -> None:
    house.set_private_addresses(allowed=True)
    with listening(status=503, body=b"busy") as listener:
        set_id = collect(house, listener.url)
        for pause in (0, *house.parts.settings.delivery_retry_seconds):
            house.clock.move(pause - 1 if pause else 0)
            assert house.deliver() == (0 if pause else 1)
            house.clock.move(1 if pause else 0)
            if pause:
                assert house.deliver() == 1
        calls = listener.received
    attempts = house.rows(DeliveryAttempt)
    assert [row.number for row in attempts] == list(range(1, 9))
    assert {row.http_status for row in attempts} == {503}
    assert len({call.headers["webhook-id"] for call in calls}) == 1
    assert len({call.headers["webhook-timestamp"] for call in calls}) == 8
    row = the_delivery(house)
    assert (row.state, row.send_at) == (deliveries.FAILED, None)
    shown = house.get(f"/{set_id}", fields="notification_status,notification_result").get_json()
    assert shown["notification_status"] == "SENT"
    assert shown["notification_result"] == {"status": "503", "response": "busy"}


def test_between_two_attempts_it_is_being_sent(house: House) -> None:
    set_id = collect(house, "http://127.0.0.1:9/")
    assert house.get(f"/{set_id}", fields="notification_status").get_json() == {
        "notification_status": "NOT_SENT",
        "id": set_id,
    }
    house.deliver()
    shown = house.get(f"/{set_id}", fields="notification_status,notification_result").get_json()
    assert shown["notification_status"] == "SENDING"
    assert shown["notification_result"] == {"status": "address_refused", "response": ""}


def test_a_caller_that_is_gone_is_told_no_more(house: House) -> None:
    house.set_private_addresses(allowed=True)
    with listening(status=410) as listener:
        collect(house, listener.url)
        house.deliver()
    row = the_delivery(house)
    assert (row.state, row.send_at, row.attempts) == (deliveries.GONE, None, 1)


def test_an_address_of_this_network_is_refused_unless_it_is_allowed(house: House) -> None:
    with listening() as listener:
        collect(house, listener.url)
        house.deliver()
        assert listener.received == []
    (attempt,) = house.rows(DeliveryAttempt)
    assert (attempt.error, attempt.http_status) == ("address_refused", None)


def test_a_worker_that_ends_in_the_middle_leaves_it_to_the_next(
    house: House, listener: Listener
) -> None:
    collect(house, listener.url)
    first = deliver.claim_next(house.parts.tools)
    assert first is not None
    assert house.deliver() == 0
    house.clock.move(26)
    second = deliver.claim_next(house.parts.tools)
    assert second is not None
    assert (second.number, second.message_id) == (2, first.message_id)
    deliver.deliver(house.parts.tools, second)
    deliver.deliver(house.parts.tools, first)  # it was only slow: its attempt is kept all the same
    assert the_delivery(house).state == deliveries.DELIVERED
    assert [row.number for row in house.rows(DeliveryAttempt)] == [2, 1]


def test_an_account_that_keeps_its_threads_busy_is_passed_over(house: House) -> None:
    collect(house, "https://caller.example/")
    account_id = house.the_set().account_id
    assert deliver.claim_next(house.parts.tools, passing_over={account_id}) is None


def test_a_database_that_is_away_loses_no_delivery(database_url: str) -> None:
    with open_house(database_url, database_timeout_seconds=0.5) as house, listening() as listener:
        house.set_private_addresses(allowed=True)
        collect(house, listener.url)
        claim = deliver.claim_next(house.parts.tools)
        assert claim is not None
        with locked(database_url), pytest.raises(DatabaseAway):
            deliver.deliver(house.parts.tools, claim)
        house.clock.move(26)
        assert house.deliver() == 1
        assert the_delivery(house).state == deliveries.DELIVERED


def test_the_pause_is_stretched_by_chance_and_never_shortened() -> None:
    failed = Reply(500, error=None, response="")
    for chance, seconds in ((0.0, 5), (1.0, 6)):
        state, send_at = what_follows(
            failed, number=1, schedule_seconds=(5, 300), now=NOW, chance=chance
        )
        assert (state, send_at) == (deliveries.PENDING, NOW + timedelta(seconds=seconds))


def test_the_uris_query_stands_in_no_log(
    house: House, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(house, f"{listener.url}/?secret=of-the-caller")
    house.deliver()
    assert urlsplit(the_delivery(house).uri).query
    printed = capsys.readouterr()
    assert "of-the-caller" not in printed.out + printed.err
