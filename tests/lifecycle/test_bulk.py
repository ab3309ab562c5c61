"""A confirmed plan comes to its end, whatever happens to its sets, its key and its workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from receiver.lifecycle import bulk, choosing
from receiver.lifecycle.actions import catalog
from receiver.lifecycle.submit import Submitted, submit
from receiver.lifecycle.tools import Tools
from receiver.store import keys, points, waits
from receiver.store.audit import Actor
from receiver.store.intents import NewIntent
from receiver.store.lists.request_sets import SetFilter
from receiver.store.models import ActionPlanItem, ApiKey, ApiKeyAccount, AuditEntry, RequestSet
from receiver.store.waits import Wait
from tests.support.house import ACCOUNT, House, ad

MOVED = "https://moved.example"


def somebody(house: House) -> Actor:
    """Who holds the house's key."""
    with house.parts.database.reading() as session:
        (key,) = keys.list_keys(session)
    return Actor(f"key {key.name}", api_key_id=key.id)


def confirmed(house: House, action: str, *, by: Actor | None = None, **filters: Any) -> str:
    actor = by or somebody(house)
    wanted = SetFilter([ACCOUNT], **filters)
    planned = choosing.make(house.parts.tools, action, wanted, detail="", by=actor)
    bulk.confirm(house.parts.tools, planned.plan_id, by=actor)
    return planned.plan_id


def at_work(house: House, count: int = 1) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    for _ in range(count):
        house.create_open()


def do_all(house: House) -> int:
    """Act on what is due; return how many attempts that took."""
    done = 0
    while done < 100 and (claim := bulk.claim_next(house.parts.tools)):
        bulk.act(house.parts.tools, claim)
        done += 1
    return done


def outcomes(house: House) -> list[str | None]:
    return [item.outcome for item in house.rows(ActionPlanItem)]


def use_up_the_points(house: House) -> None:
    with house.parts.database.writing() as session:
        points.change(session, ACCOUNT, lambda ledger: ledger.score.add(9000, now=house.clock()))


def kept(house: House) -> list[str]:
    """Which deeds stand in the audit log."""
    return [entry.action for entry in house.rows(AuditEntry)]


def test_a_set_that_fails_in_a_way_nobody_foresaw_is_tried_five_times(house: House) -> None:
    house.create_open()
    confirmed(house, "look")
    run = mock.Mock(side_effect=ValueError("EAAGm0PX4ZCpsBAKZCZBzZCfQ8r6lqZAdfJ"))
    action = replace(catalog.ACTIONS["look"], run=run)

    with mock.patch.dict(catalog.ACTIONS, {"look": action}):
        for _ in range(10):
            do_all(house)
            house.let_time_pass(house.parts.settings.lease_seconds + 1)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, run.call_count) == ("failed", 5)
    assert item.note == "An unforeseen ValueError: the log has the details."


def test_a_set_that_kills_every_worker_is_left_after_five(house: House) -> None:
    house.create_open()
    confirmed(house, "look")
    for _ in range(5):
        assert bulk.claim_next(house.parts.tools) is not None
        house.let_time_pass(house.parts.settings.lease_seconds + 1)

    do_all(house)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, kept(house)) == ("failed", ["confirm"])
    assert "never came to an end" in (item.note or "")


def revoke(house: House) -> None:
    with house.parts.database.writing() as session:
        assert keys.revoke_key(session, f"key of {ACCOUNT}", now=house.clock())


def let_expire(house: House) -> None:
    with house.parts.database.writing() as session:
        session.query(ApiKey).one().expires_at = house.clock()


def move_to_another_account(house: House) -> None:
    with house.parts.database.writing() as session:
        session.query(ApiKeyAccount).delete()


@pytest.mark.parametrize(
    "lose",
    [revoke, let_expire, House.make_key_read_only, move_to_another_account],
    ids=lambda lose: lose.__name__,
)
def test_a_plan_does_no_more_than_its_key_may(house: House, lose: Callable[[House], None]) -> None:
    at_work(house)
    confirmed(house, "cancel")
    lose(house)

    do_all(house)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, kept(house)) == ("refused", ["confirm"])
    assert (item.note or "").startswith("The key that made the plan")


def test_a_plan_of_the_command_line_needs_no_key(house: House) -> None:
    at_work(house)
    confirmed(house, "cancel", by=Actor("command"))
    revoke(house)

    do_all(house)

    assert outcomes(house) == ["done"]


def test_a_plan_that_is_stopped_leaves_what_was_not_begun(house: House) -> None:
    at_work(house, 3)
    plan_id = confirmed(house, "cancel")
    under_way = bulk.claim_next(house.parts.tools)
    assert under_way is not None

    bulk.stop(house.parts.tools, plan_id, by=somebody(house))
    bulk.act(house.parts.tools, under_way)

    assert do_all(house) == 0
    assert sorted(map(str, outcomes(house))) == ["done", "refused", "refused"]
    (stopped,) = [entry for entry in house.rows(AuditEntry) if entry.action == "stop"]
    assert (stopped.account_id, stopped.outcome) == (ACCOUNT, "done")
    assert stopped.note == "Left as they are: 2 of its sets."


def test_a_worker_that_vanished_leaves_nothing_of_a_stopped_plan_to_the_next(house: House) -> None:
    at_work(house)
    plan_id = confirmed(house, "cancel")
    assert bulk.claim_next(house.parts.tools) is not None
    bulk.stop(house.parts.tools, plan_id, by=somebody(house))
    house.let_time_pass(house.parts.settings.lease_seconds + 1)

    do_all(house)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, item.note) == ("refused", "The plan was stopped.")


def test_only_what_is_under_way_is_stopped(house: House) -> None:
    house.create_open()
    tools, by = house.parts.tools, somebody(house)
    planned = choosing.make(tools, "look", SetFilter([ACCOUNT]), detail="", by=by)
    with pytest.raises(bulk.NotNow):
        bulk.stop(tools, planned.plan_id, by=by)
    bulk.confirm(tools, planned.plan_id, by=by)
    do_all(house)

    with pytest.raises(bulk.NotNow):
        bulk.stop(tools, planned.plan_id, by=by)
    with pytest.raises(bulk.NoSuchPlan):
        bulk.stop(tools, planned.plan_id, by=Actor("command"))


def test_waiting_for_points_uses_up_no_tries(house: House) -> None:
    at_work(house)
    confirmed(house, "cancel")
    for _ in range(5):
        use_up_the_points(house)
        assert do_all(house) == 1
        house.let_time_pass(400)
    house.sandbox.trouble("graph_error", code=2, method="DELETE", path="/[0-9]+$")

    assert do_all(house) == 1

    assert outcomes(house) == [None]


def test_all_that_wait_for_points_of_an_account_wait_after_one_attempt(house: House) -> None:
    at_work(house, 3)
    confirmed(house, "cancel")
    use_up_the_points(house)

    assert do_all(house) == 1

    house.let_time_pass(400)
    assert do_all(house) == 3
    assert outcomes(house) == ["done"] * 3


def test_an_account_that_waits_is_not_asked_by_a_plan(house: House) -> None:
    at_work(house)
    confirmed(house, "repoint")
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(house.clock() + timedelta(hours=1)))

    assert do_all(house) == 0

    house.clock.move(3601)
    assert do_all(house) == 1
    assert outcomes(house) == ["done"]


def test_an_account_that_facebook_throttles_uses_up_no_tries(house: House) -> None:
    at_work(house, 3)
    house.sandbox.trouble("graph_error", code=80004, method="POST", path="/[0-9]+$", count=1000)
    confirmed(house, "repoint")

    for _ in range(8):
        do_all(house)
        house.let_time_pass(3600)

    assert outcomes(house) == [None] * 3


def test_a_worker_at_the_old_host_points_nothing_back(house: House) -> None:
    at_work(house)
    old, by = house.parts.tools, somebody(house)
    moved: Tools = replace(old, public_url=MOVED)
    planned = choosing.make(moved, "repoint", SetFilter([ACCOUNT]), detail="", by=by)
    bulk.confirm(moved, planned.plan_id, by=by)

    assert do_all(house) == 0

    claim = bulk.claim_next(moved)
    assert claim is not None
    bulk.act(moved, claim)
    assert house.sandbox.ledger()[0]["notification_uri"].startswith(MOVED)


def test_any_worker_does_what_names_no_host(house: House) -> None:
    at_work(house)
    by = somebody(house)
    moved = replace(house.parts.tools, public_url=MOVED)
    planned = choosing.make(moved, "cancel", SetFilter([ACCOUNT]), detail="", by=by)
    bulk.confirm(moved, planned.plan_id, by=by)

    assert do_all(house) == 1


def test_a_resubmission_that_outlasts_its_lease_is_not_said_to_be_refused(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()
    confirmed(house, "resubmit")
    first = bulk.claim_next(house.parts.tools)
    assert first is not None

    def slow(tools: Tools, intent: NewIntent) -> Submitted:
        done = submit(tools, intent)
        house.clock.move(house.parts.settings.lease_seconds + 1)
        second = bulk.claim_next(tools)
        assert second is not None
        bulk.act(tools, second)
        return done

    with mock.patch("receiver.lifecycle.actions.resubmit.submit", slow):
        bulk.act(house.parts.tools, first)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, item.note) == ("done", "Its failures are sent again as set 2.")


def test_what_somebody_else_sends_again_is_refused(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()
    first = confirmed(house, "resubmit")
    second = confirmed(house, "resubmit")

    do_all(house)

    ended = {item.plan_id: item.outcome for item in house.rows(ActionPlanItem)}
    assert sorted([ended[first], ended[second]], key=str) == ["done", "refused"]


def test_a_cancel_whose_answer_was_lost_is_not_said_to_be_refused(house: House) -> None:
    at_work(house)
    confirmed(house, "cancel")
    house.sandbox.trouble("commit_then_drop", method="DELETE", path="/[0-9]+$")
    do_all(house)
    house.let_time_pass(31)
    house.work()
    house.let_time_pass(600)
    house.work()
    assert house.rows(RequestSet)[0].state == "collected"

    do_all(house)

    (item,) = house.rows(ActionPlanItem)
    assert (item.outcome, item.note) == ("done", "2 requests of it are canceled.")
