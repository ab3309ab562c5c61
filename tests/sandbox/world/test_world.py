from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.sandbox import views
from receiver.sandbox.world.behaviour import BehaviourChange
from receiver.sandbox.world.request_set import RequestSet
from receiver.sandbox.world.work import ad_work
from receiver.sandbox.world.world import SetPlan, World

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
URI = "http://receiver.test/hook"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def world_with_set(**behaviour: Any) -> tuple[World, RequestSet]:
    world = World(first_id=100, perform=views.perform)
    world.change_defaults(BehaviourChange.model_validate(behaviour))
    works = [ad_work("1", {"name": "ad", "adset_id": "5"})]
    plan = SetPlan("set", works, notification_uri=URI, notification_mode="ON_COMPLETE")
    return world, world.create_set("1", plan, version="v21.0", now=START)


def test_a_set_completes_when_its_time_has_come() -> None:
    world, request_set = world_with_set(progress={"kind": "after_seconds", "seconds": 60})
    assert world.next_due() == after(60)
    world.advance(after(59.9))
    assert not request_set.is_completed
    world.advance(after(60))
    assert request_set.completed_time == after(60)
    (job,) = world.notifications.take_due(after(60))
    assert (job.uri, job.body_id, job.times) == (URI, request_set.id, 1)
    assert request_set.notification.status == "SENDING"
    assert world.next_due() is None


def test_the_shortest_time_passes_too() -> None:
    world, request_set = world_with_set(progress={"kind": "after_seconds", "seconds": 1e-9})
    world.advance(START)
    assert request_set.is_completed


def test_a_late_notification_waits_unsent() -> None:
    world, request_set = world_with_set(notification={"kind": "late", "seconds": 30})
    assert request_set.is_completed
    assert world.notifications.take_due(after(29)) == []
    assert request_set.notification.status == "NOT_SENT"
    assert len(world.notifications.take_due(after(30))) == 1


def test_a_late_notification_that_was_switched_off_is_never_sent() -> None:
    world, request_set = world_with_set(notification={"kind": "late", "seconds": 30})
    request_set.notification_mode = "OFF"
    assert world.notifications.take_due(after(31)) == []
    assert request_set.notification.status == "NOT_SENT"


def test_a_uri_changed_in_time_is_the_one_notified() -> None:
    world, request_set = world_with_set(notification={"kind": "late", "seconds": 30})
    request_set.notification_uri = "http://elsewhere.test/"
    (job,) = world.notifications.take_due(after(30))
    assert job.uri == "http://elsewhere.test/"


def test_a_set_and_its_requests_know_their_account() -> None:
    world, request_set = world_with_set()
    (request,) = request_set.requests
    for object_id in (request_set.id, request.id, "5"):
        assert world.account_of(object_id) == "1"
    assert world.account_of("404") is None
