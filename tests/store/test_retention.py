from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from receiver.store import action_plans, intents, lineage, retention, twins
from receiver.store.action_plans import NewPlan
from receiver.store.audit import Actor
from receiver.store.database import Database
from receiver.store.models import (
    ActionPlan,
    ActionPlanItem,
    AuditEntry,
    Base,
    Delivery,
    DeliveryAttempt,
    IdempotencyKey,
    Look,
    Notification,
    Request,
    RequestSet,
    Resubmission,
    Submission,
)
from tests.support.rows import ACCOUNT, NOW, add_account, apply_hints, new_intent, notify, rows

BEFORE = NOW + timedelta(days=30)
YOUNG = BEFORE + timedelta(seconds=1)
OLD = BEFORE - timedelta(seconds=1)
PERSON = Actor("a person")

OVER: dict[str, Any] = {"state": "collected", "look_at": None, "collected_at": OLD}


def change(database: Database, model: Any, **values: Any) -> None:
    with database.writing() as session:
        session.execute(update(model).values(**values))


def put(database: Database, model: Any, **values: Any) -> None:
    with database.writing() as session:
        session.execute(insert(model).values(**values))


def add_over(database: Database, facebook_id: int, **values: Any) -> int:
    """Write a set that is over, with one request; return its number."""
    with database.writing() as session:
        attempt = intents.add_intent(
            session,
            new_intent(),
            credential_id=1,
            send_before=NOW,
            look_at=NOW,
            now=NOW,
        )
        intents.open_set(session, attempt, facebook_id=facebook_id, first_look_at=NOW, now=NOW)
        number = attempt.request_set_id
        session.execute(
            update(RequestSet).where(RequestSet.id == number).values({**OVER, **values})
        )
        session.execute(
            insert(Request).values(
                id=1000 + number,
                request_set_id=number,
                account_id=ACCOUNT,
                status="ERROR",
                is_final=True,
                read_at=NOW,
            )
        )
    return number


def send_again(database: Database, parent_id: int, facebook_id: int, **values: Any) -> int:
    """Write a set that sends the request of another one again; return its number."""
    child = add_over(database, facebook_id, parent_id=parent_id, **values)
    with database.writing() as session:
        lineage.add(session, child, [1000 + parent_id])
    return child


def remove(database: Database) -> list[int]:
    """Take every step; return the sets that went, in the order of their numbers."""
    after: int | None = 0
    removed: list[int] = []
    while after is not None:
        with database.writing() as session:
            page = retention.next_page(session, before=BEFORE, after=after)
            retention.remove_sets(session, page.numbers)
        removed += page.numbers
        after = page.last
    return sorted(removed)


@pytest.fixture(autouse=True)
def _account(database: Database) -> None:
    add_account(database)


def test_a_set_that_is_over_goes_and_a_younger_one_stays(database: Database) -> None:
    old, young = add_over(database, 1), add_over(database, 2, collected_at=YOUNG)
    assert remove(database) == [old]
    assert [row.id for row in rows(database, RequestSet)] == [young]
    assert [row.request_set_id for row in rows(database, Request)] == [young]


def test_what_was_rejected_goes_too(database: Database) -> None:
    add_over(database, 1, state="rejected", collected_at=None)
    change(database, RequestSet, facebook_id=None)
    assert remove(database) == [1]


KEEPING: dict[str, dict[str, Any]] = {
    **{f"is {state}": {"state": state} for state in set(intents.STATES) - set(intents.ENDED)},
    "has its verdict to come": {"look_at": NOW},
    "is looked for in the plural": {"recheck_at": NOW},
    "was doubled": {"doubled_at": NOW},
    "asks for the same as another": {"twin_of": 77},
    "was odd": {"flag": "Facebook counts 2 requests of 1 that were sent."},
    "was made since": {"created_at": YOUNG},
    "was collected since": {"collected_at": YOUNG},
    "was given up since": {"abandoned_at": YOUNG},
    "was hinted since": {"hinted_at": YOUNG},
    "was looked at since": {"looked_at": YOUNG},
}


@pytest.mark.parametrize("values", KEEPING.values(), ids=KEEPING)
def test_a_set_stays_that(database: Database, values: dict[str, Any]) -> None:
    kept, gone = add_over(database, 1, **values), add_over(database, 2)
    assert remove(database) == [gone]
    assert [row.id for row in rows(database, RequestSet)] == [kept]


def test_a_set_that_another_asks_for_again_stays_beside_it(database: Database) -> None:
    first = add_over(database, 1)
    add_over(database, 2, twin_of=first)
    assert remove(database) == []


@pytest.mark.parametrize("moment", [{"answered_at": YOUNG}, {"answered_at": None}])
def test_a_set_stays_while_a_submission_of_it_is_young(
    database: Database, moment: dict[str, Any]
) -> None:
    add_over(database, 1)
    change(database, Submission, created_at=YOUNG, **moment)
    assert remove(database) == []
    change(database, Submission, created_at=OLD, answered_at=OLD)
    assert remove(database) == [1]


def add_delivery(database: Database, request_set_id: int, **values: Any) -> None:
    delivery = {
        "id": request_set_id,
        "request_set_id": request_set_id,
        "account_id": ACCOUNT,
        "message_id": f"msg_{request_set_id}",
        "uri": "https://caller.example/",
        "state": "delivered",
        "attempts": 1,
        "created_at": NOW,
        "ended_at": OLD,
    }
    put(database, Delivery, **{**delivery, **values})


@pytest.mark.parametrize(
    "values", [{"state": "pending", "send_at": NOW, "ended_at": None}, {"ended_at": YOUNG}]
)
def test_a_set_stays_whose_caller_is_told_still_or_was_since(
    database: Database, values: dict[str, Any]
) -> None:
    add_over(database, 1)
    add_delivery(database, 1, **values)
    assert remove(database) == []
    change(database, Delivery, state="failed", send_at=None, ended_at=OLD)
    assert remove(database) == [1]


def plan(database: Database, *numbers: int, plan_id: str = "p") -> None:
    new = NewPlan(
        plan_id, "resubmit", "", public_url=None, sets=[(number, ACCOUNT) for number in numbers]
    )
    with database.writing() as session:
        action_plans.add(session, new, by=PERSON, expires_at=BEFORE, now=NOW)


def test_a_set_stays_while_a_plan_may_come_to_it(database: Database) -> None:
    add_over(database, 1)
    plan(database, 1)
    assert remove(database) == []
    with database.writing() as session:
        assert action_plans.confirm(session, "p", now=NOW)
    assert remove(database) == []
    change(database, ActionPlanItem, due_at=None, outcome="done", ended_at=OLD)
    assert remove(database) == [1]


def test_a_plan_that_was_never_confirmed_keeps_no_set(database: Database) -> None:
    add_over(database, 1)
    plan(database, 1)
    change(database, ActionPlan, expires_at=OLD)
    assert remove(database) == [1]


def test_a_set_goes_with_all_that_was_sent_again_of_it(database: Database) -> None:
    first = add_over(database, 1)
    second = send_again(database, first, 2)
    third = send_again(database, second, 4)
    assert remove(database) == [first, second, third]
    assert rows(database, Resubmission) == []


@pytest.mark.parametrize("values", [{"collected_at": YOUNG}, {"state": "open"}])
@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_family_stays_as_long_as_one_of_it(
    database: Database, values: dict[str, Any], generation: int
) -> None:
    numbers = [add_over(database, 1)]
    numbers += [send_again(database, numbers[0], 2)]
    numbers += [send_again(database, numbers[1], 3)]
    alone = add_over(database, 4)
    with database.writing() as session:
        session.execute(
            update(RequestSet).where(RequestSet.id == numbers[generation]).values(**values)
        )
    assert remove(database) == [alone]
    assert len(rows(database, Resubmission)) == 2


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_one_of_a_family_is_over_once_all_of_it_is(database: Database, generation: int) -> None:
    numbers = [add_over(database, 1)]
    numbers += [send_again(database, numbers[0], 2)]
    numbers += [send_again(database, numbers[1], 3)]
    alone, unknown = add_over(database, 4), 99

    def over() -> list[int]:
        with database.reading() as session:
            return [
                number
                for number in (*numbers, alone, unknown)
                if retention.are_over(session, [number], before=BEFORE)
            ]

    assert over() == [*numbers, alone, unknown]
    with database.writing() as session:
        is_young = RequestSet.id == numbers[generation]
        session.execute(update(RequestSet).where(is_young).values(collected_at=YOUNG))
    assert over() == [alone, unknown]


def test_a_child_of_two_is_no_reason_for_another_family(database: Database) -> None:
    kept, gone = add_over(database, 1), add_over(database, 2)
    young = send_again(database, kept, 3, collected_at=YOUNG)
    old = send_again(database, gone, 4)
    assert remove(database) == [gone, old]
    assert [row.id for row in rows(database, RequestSet)] == [kept, young]


def fill_every_table(database: Database, number: int) -> None:
    """Give a set a row in every table that names sets, and in what those rows have themselves."""
    key = {"request_set_id": number}
    put(database, IdempotencyKey, account_id=ACCOUNT, edge="e", key=f"key-{number}", **key)
    put(
        database,
        Look,
        **key,
        account_id=ACCOUNT,
        kind="set",
        why="poll",
        started_at=NOW,
        duration_ms=1,
        calls=1,
        rows=1,
    )
    notify(database, number)
    add_delivery(database, number)
    put(database, DeliveryAttempt, delivery_id=number, number=1, started_at=NOW, duration_ms=1)
    plan(database, number, plan_id=f"plan-{number}")
    put(
        database,
        AuditEntry,
        **key,
        at=NOW,
        actor="a person",
        account_id=ACCOUNT,
        action="look",
        outcome="done",
        detail="",
    )


KEPT_OF_A_SET = {"action_plan_item", "audit_entry"}
"""What tells of people's deeds is no part of a set."""


def test_a_set_goes_from_every_table_and_nothing_of_another_one_does(database: Database) -> None:
    for number, collected_at in ((1, OLD), (2, OLD), (3, YOUNG), (4, YOUNG)):
        add_over(database, number, collected_at=collected_at)
        fill_every_table(database, number)
    for parent_id, child in ((1, 2), (3, 4)):
        with database.writing() as session:
            lineage.add(session, child, [1000 + parent_id])
            session.execute(
                update(RequestSet).where(RequestSet.id == child).values(parent_id=parent_id)
            )
    apply_hints(database, now=NOW)
    change(database, RequestSet, look_at=None, hinted_at=NOW)
    change(database, ActionPlan, expires_at=OLD)
    naming = {
        table.name: table
        for table in Base.metadata.sorted_tables
        if "request_set_id" in table.columns
    }
    of_set = {
        name: select(table.c.request_set_id).distinct().order_by(table.c.request_set_id)
        for name, table in naming.items()
    }
    with database.reading() as session:
        filled = {name: list(session.scalars(one)) for name, one in of_set.items()}
    assert {name for name, found in filled.items() if not {3, 4} & set(found)} == set()
    assert remove(database) == [1, 2]
    with database.reading() as session:
        for name, one in of_set.items():
            left = filled[name] if name in KEPT_OF_A_SET else [n for n in filled[name] if n > 2]
            assert list(session.scalars(one)) == left, name
    assert [row.delivery_id for row in rows(database, DeliveryAttempt)] == [3, 4]


def test_the_number_of_a_set_that_went_is_given_to_no_other(database: Database) -> None:
    add_over(database, 1)
    assert remove(database) == [1]
    assert add_over(database, 2) == 2


def test_a_key_of_a_set_that_went_names_the_next_create(database: Database) -> None:
    number = add_over(database, 1)
    put(
        database,
        IdempotencyKey,
        account_id=ACCOUNT,
        edge="asyncadrequestsets",
        key="mine",
        request_set_id=number,
    )
    intent = new_intent(idempotency_key="mine")
    with database.reading() as session:
        assert twins.find_earlier(session, intent) == number
    remove(database)
    with database.reading() as session:
        assert twins.find_earlier(session, intent) is None


def test_a_notification_that_comes_after_its_set_went_is_kept(database: Database) -> None:
    number = add_over(database, 1)
    remove(database)
    notify(database, number, now=YOUNG)
    assert apply_hints(database, now=YOUNG) == 1
    (row,) = rows(database, Notification)
    assert (row.request_set_id, row.account_id) == (number, None)


def test_a_set_stays_while_a_notification_of_it_waits_to_be_applied(database: Database) -> None:
    number = add_over(database, 1, state="rejected")
    notify(database, number, now=OLD)
    assert remove(database) == []
    apply_hints(database, now=OLD)
    change(database, RequestSet, look_at=None)
    assert remove(database) == [number]
    assert rows(database, Notification) == []


def test_a_notification_goes_with_its_set_though_the_clock_of_its_web_service_was_ahead(
    database: Database,
) -> None:
    number = add_over(database, 1)
    notify(database, number, now=YOUNG)
    apply_hints(database, now=OLD)
    assert remove(database) == [number]
    assert rows(database, Notification) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_notification_that_comes_while_its_set_goes_is_kept(database: Database) -> None:
    number = add_over(database, 1)
    with database.writing() as session:
        page = retention.next_page(session, before=BEFORE, after=0)
        notify(database, number, now=YOUNG)
        retention.remove_sets(session, page.numbers)
    assert rows(database, RequestSet) == []
    assert [row.request_set_id for row in rows(database, Notification)] == [number]


def test_notifications_of_no_set_go_with_time(database: Database) -> None:
    add_over(database, 1, collected_at=YOUNG)
    for request_set_id, moment in ((98, OLD), (99, YOUNG), (1, OLD)):
        notify(database, request_set_id, now=moment)
    with database.writing() as session:
        # One that no worker has applied yet may be news of a set that is there.
        assert retention.remove_orphans(session, before=BEFORE) == 0
    apply_hints(database, now=YOUNG)
    with database.writing() as session:
        assert retention.remove_orphans(session, before=BEFORE) == 1
        assert retention.remove_orphans(session, before=BEFORE) == 0
    assert [row.request_set_id for row in rows(database, Notification)] == [99, 1]


def test_a_plan_goes_with_its_sets_once_all_is_done(database: Database) -> None:
    for name in ("done", "at work", "done of late", "never confirmed", "not confirmed yet"):
        plan(database, 1, 2, plan_id=name)
    with database.writing() as session:
        for name, ended_at in (("done", OLD), ("at work", None), ("done of late", YOUNG)):
            action_plans.confirm(session, name, now=NOW)
            session.execute(
                update(ActionPlanItem)
                .where(ActionPlanItem.plan_id == name, ActionPlanItem.request_set_id == 1)
                .values(ended_at=ended_at)
            )
            session.execute(
                update(ActionPlanItem)
                .where(ActionPlanItem.plan_id == name, ActionPlanItem.request_set_id == 2)
                .values(ended_at=OLD)
            )
        is_late = ActionPlan.id == "not confirmed yet"
        session.execute(update(ActionPlan).values(expires_at=OLD))
        session.execute(update(ActionPlan).where(is_late).values(expires_at=YOUNG))
    removed = 0
    for _ in range(4):
        with database.writing() as session:
            removed += retention.remove_plan(session, before=BEFORE)
    assert removed == 2
    left = ["at work", "done of late", "not confirmed yet"]
    assert sorted(row.id for row in rows(database, ActionPlan)) == left
    assert sorted({row.plan_id for row in rows(database, ActionPlanItem)}) == left


def test_a_step_takes_few_sets_and_few_requests(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 8):
        add_over(database, number)
    monkeypatch.setattr(retention, "_SETS_A_STEP", 3)
    with database.writing() as session:
        page = retention.next_page(session, before=BEFORE, after=0)
    assert (sorted(page.numbers), page.last) == ([1, 2, 3], 3)
    change(database, RequestSet, spec_count=500)
    with database.writing() as session:
        page = retention.next_page(session, before=BEFORE, after=3)
    assert (sorted(page.numbers), page.last) == ([4, 5], 5)
    change(database, RequestSet, spec_count=99_999)
    with database.writing() as session:
        page = retention.next_page(session, before=BEFORE, after=3)
    assert (sorted(page.numbers), page.last) == ([4], 4)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_set_that_somebody_has_in_hand_is_passed_over(database: Database) -> None:
    first, second, child = add_over(database, 1), add_over(database, 2), 0
    child = send_again(database, second, 3)
    third = add_over(database, 4)
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Database(url, timeout_seconds=5)) as other, other.writing() as holding:
        in_hand = select(RequestSet.id).where(RequestSet.id.in_([first, child]))
        holding.execute(in_hand.with_for_update(key_share=True)).all()
        assert remove(database) == [third]
    assert remove(database) == [first, second, child]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_sends_a_set_again_that_is_just_going(database: Database) -> None:
    parent = add_over(database, 1)
    url = database.engine.url.render_as_string(hide_password=False)
    again = new_intent(name="Again", parent_id=parent, resubmits=(1000 + parent,))
    with closing(Database(url, timeout_seconds=0.3)) as other:
        with database.writing() as session:
            page = retention.next_page(session, before=BEFORE, after=0)
            with pytest.raises(Exception, match="lock timeout"), other.writing() as sending:
                intents.add_intent(
                    sending, again, credential_id=1, send_before=NOW, look_at=NOW, now=NOW
                )
            retention.remove_sets(session, page.numbers)
        with (
            pytest.raises(lineage.NotFailed, match="is not here any more"),
            other.writing() as sending,
        ):
            intents.add_intent(
                sending, again, credential_id=1, send_before=NOW, look_at=NOW, now=NOW
            )
    with database.reading() as session:
        assert session.execute(select(func.count()).select_from(RequestSet)).scalar_one() == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_several_that_remove_at_once_share_the_sets(database: Database) -> None:
    for number in range(1, 40, 2):
        send_again(database, add_over(database, number), number + 1)
    url = database.engine.url.render_as_string(hide_password=False)
    gate = threading.Barrier(3)

    def work() -> list[int]:
        with closing(Database(url, timeout_seconds=5)) as own:
            gate.wait()
            return remove(own)

    with ThreadPoolExecutor(3) as pool:
        removed = [one for done in [pool.submit(work) for _ in range(3)] for one in done.result()]
    removed += remove(database)
    assert sorted(removed) == list(range(1, 41))
