"""Whole stories through the Graph-compatible host: gunicorn, a worker, and clients of theirs."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from sqlalchemy import select

from receiver.store.models import Base
from tests.support.house import TOKEN
from tests.support.processes import Customer, Installation, specs
from tests.support.sandbox import Listener, listening
from tests.support.sdk import Callbacks, ids, sdk_api


@pytest.fixture
def api(customer: Customer) -> Iterator[Any]:
    with sdk_api(customer.installation.url, token=customer.key) as api:
        yield api


@pytest.fixture
def account(api: Any, customer: Customer) -> Any:
    return AdAccount(f"act_{customer.account}", api=api)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def test_the_official_sdk_lives_the_whole_life_of_a_set(
    customer: Customer, account: Any, listener: Listener
) -> None:
    customer.expect(progress={"kind": "by_hand"})
    request_set = account.create_async_ad_request_set(
        params={
            "name": "autumn",
            "ad_specs": specs(30),
            "notification_mode": "ON_COMPLETE",
            "notification_uri": f"{listener.url}/first",
        }
    )
    assert len(ids(request_set.get_requests(params={"limit": 7}))) == 30
    request_set.api_update(params={"name": "winter", "notification_uri": f"{listener.url}/second"})
    (first, *_) = request_set.get_requests(fields=["status"])
    assert first["status"] == "INITIAL"
    first.api_delete()
    customer.sandbox.complete(request_set["id"])
    customer.wait_for_state()
    request_set.api_get(fields=["name", "is_completed", "canceled_count", "success_count"])
    assert (request_set["name"], request_set["is_completed"]) == ("winter", True)
    assert (request_set["canceled_count"], request_set["success_count"]) == (1, 19)
    assert ids(account.get_async_ad_request_sets(params={"is_completed": True})) == [
        request_set["id"]
    ]
    (call,) = listener.wait_for(1)
    assert (call.target, call.body) == ("/second", f"id={request_set['id']}".encode())


def test_the_official_sdk_sends_a_batch_of_everything(
    customer: Customer, api: Any, account: Any
) -> None:
    callbacks = Callbacks()
    batch = api.new_batch()
    for number in range(60):
        account.create_campaign(
            params={
                "name": f"campaign {number}",
                "objective": "OUTCOME_TRAFFIC",
                "special_ad_categories": [],
            },
            batch=batch,
            **callbacks.of(f"campaign {number}"),
        )
        if len(batch) == 50:
            assert batch.execute() is None
            batch = api.new_batch()
    account.create_async_ad_request_set(
        params={"name": "in a batch", "ad_specs": specs(2)}, batch=batch, **callbacks.of("set")
    )
    assert batch.execute() is None
    assert callbacks.failures == {}
    assert len(callbacks.successes) == 61
    assert len(ids(account.get_campaigns(params={"limit": 25}))) == 60
    customer.wait_for_state()
    customer.assert_whole()


def test_a_caller_that_is_away_is_told_when_it_is_back(customer: Customer) -> None:
    with listening(status=503) as listener:
        uri = listener.url
        customer.create_open(notification_uri=uri, notification_mode="ON_COMPLETE")
        (first, *_) = listener.wait_for(1)
        (second, *_) = listener.wait_for(2)[1:]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.long
def test_a_delivery_survives_the_worker_that_is_killed_in_its_middle(
    installation: Installation,
) -> None:
    own_customer = installation.add_customer("5")
    installation.start_web()
    worker = installation.start_worker()
    with listening(status=200, delay_seconds=3) as slow:
        own_customer.create_open(notification_uri=slow.url, notification_mode="ON_COMPLETE")
        slow.wait_for(1)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        installation.start_worker()
        first, second = slow.wait_for(2, seconds=60)[:2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_the_token_stands_in_no_answer_no_log_and_no_table(
    customer: Customer, account: Any
) -> None:
    answers = []
    act = f"act_{customer.account}"
    key = customer.key
    set_id = customer.create_open()
    operations = json.dumps(
        [
            {"method": "GET", "relative_url": f"{act}/campaigns?limit=1"},
            {"method": "POST", "relative_url": f"{act}/campaigns", "body": f"x={TOKEN}"},
            {"method": "GET", "relative_url": set_id},
        ]
    )
    for method, path, arguments in (
        ("GET", f"/v21.0/{act}", {}),
        ("GET", f"/v21.0/{act}/campaigns?limit=1&access_token={key}", {}),
        ("GET", f"/{act}?fields=nonsense", {}),
        ("POST", f"/{act}/campaigns?access_token={key}", {"data": {"name": TOKEN}}),
        ("POST", "/", {"data": {"batch": operations, "access_token": key}}),
        ("GET", f"/{set_id}/requests", {}),
        ("GET", f"/{act}/asyncadrequestsets", {}),
        ("GET", "/me/adaccounts", {}),
        ("GET", "/debug_token?input_token=x", {}),
        ("DELETE", f"/{set_id}", {}),
        ("GET", "/admin/api/looks", {}),
    ):
        answer = customer.call(method, path, **arguments)
        answers.append(f"{answer.headers} {answer.text}")
    account.api_get(fields=["name"])
    customer.wait_for_state()
    assert not any(TOKEN in answer for answer in answers)
    installation = customer.installation
    for name in ("web", "worker-1"):
        log = installation.log(name)
        assert TOKEN not in log
        assert key not in log
    assert TOKEN.encode() not in _everything_in(installation)


def _everything_in(installation: Installation) -> bytes:
    """Every row of every table, as one text."""
    rows: list[str] = []
    with installation.parts.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows += [str(tuple(row)) for row in session.execute(select(*table.columns))]
    return "\n".join(rows).encode()


def test_a_slow_facebook_keeps_no_notification_out(installation: Installation) -> None:
    customers = [installation.add_customer(str(number)) for number in range(11, 15)]
    installation.start_web()
    customers[0].create_open()
    path = urlsplit(customers[0].notification_uri()).path
    paths = [(each, f"/act_{each.account}/campaigns") for each in customers for _ in range(12)]
    installation.sandbox.latency(3000)
    try:
        with ThreadPoolExecutor(len(paths)) as pool:
            slow = [pool.submit(each.call, "GET", path) for each, path in paths]
            time.sleep(1)  # each of them waits for Facebook now, or was told to come again
            answer = customers[0].call("POST", path, data={"id": "1"})
            statuses = {one.result().status_code for one in slow}
    finally:
        installation.sandbox.latency(0)
    assert (answer.status_code, answer.elapsed.total_seconds() < 1) == (200, True)
    assert statuses == {200, 503}
