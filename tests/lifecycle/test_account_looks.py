"""Looks at all of an account's due sets at once: what they cost, and what goes wrong with some."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from receiver.graph import looks as graph_looks
from receiver.lifecycle import step
from receiver.store import experience, intents
from receiver.store.models import Account, Look, Request, RequestSet
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House, ad

BY_HAND = {"kind": "by_hand"}
NEVER = {"kind": "never"}


def open_sets(house: House, count: int, *, ads: int = 2) -> list[str]:
    """Create sets that move by hand and whose notifications never come."""
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    specs = [ad(f"ad {number}") for number in range(ads)]
    return [house.create_open(specs, name=f"set {number}") for number in range(count)]


def states(house: House) -> set[str]:
    return {row.state for row in house.rows(RequestSet)}


def points(house: House) -> int:
    total: int = house.sandbox.calls()["totals"]["points"]
    return total


def calls(house: House) -> int:
    return sum(look.calls for look in house.rows(Look))


def test_one_call_brings_a_notified_set_and_its_requests(house: House) -> None:
    house.create_open()
    before = points(house)
    house.notify()
    house.work()
    assert (states(house), points(house) - before, calls(house)) == ({intents.COLLECTED}, 1, 1)


def test_fifty_due_sets_are_read_in_one_call(house: House) -> None:
    for set_id in open_sets(house, 7):
        house.sandbox.complete(set_id)
    before = points(house)
    house.clock.move(60)
    assert house.work() == 1
    assert (states(house), points(house) - before, calls(house)) == ({intents.COLLECTED}, 7, 1)


def test_many_are_swept_in_one_point(house: House) -> None:
    open_sets(house, 16)
    before = points(house)
    house.clock.move(60)
    assert house.work() == 1
    assert (states(house), points(house) - before) == ({intents.OPEN}, 1)
    assert {look.kind for look in house.rows(Look)} == {"sweep"}
    assert house.rows(Account)[0].sweep_pages == 1


def test_what_a_sweep_finds_complete_is_collected_in_batches(house: House) -> None:
    ids = open_sets(house, 16)
    for set_id in ids[:6]:
        house.sandbox.complete(set_id)
    before = points(house)
    house.clock.move(60)
    house.work()
    found = [row.state for row in house.rows(RequestSet)]
    assert found == [intents.COLLECTED] * 6 + [intents.OPEN] * 10
    assert points(house) - before == 7
    assert len(house.rows(Request)) == 12


def test_a_sweep_ends_behind_the_oldest_set_that_it_looks_for(house: House) -> None:
    house.sandbox.old_sets(f"act_{ACCOUNT}", count=5000)
    open_sets(house, 16)
    before = points(house)
    house.clock.move(60)
    house.work()
    assert points(house) - before == 1


def test_a_list_in_any_order_costs_no_more_than_its_budget(house: House) -> None:
    house.sandbox.old_sets(f"act_{ACCOUNT}", count=6000)
    house.sandbox.configure(f"act_{ACCOUNT}", edge={"order": "random", "seed": 1})
    open_sets(house, 16)
    spent = []
    for _ in range(3):
        before = points(house)
        house.clock.move(1000)
        house.work()
        spent.append(points(house) - before)
    assert spent == [4, 4, 4]


def test_every_set_is_collected_in_the_end_however_the_list_looks(house: House) -> None:
    house.sandbox.old_sets(f"act_{ACCOUNT}", count=1000)
    house.sandbox.configure(
        f"act_{ACCOUNT}", edge={"order": "random", "seed": 1, "stale_seconds": 86_000}
    )
    for set_id in open_sets(house, 12):
        house.sandbox.complete(set_id)
    for _ in range(12):
        house.clock.move(1000)
        house.work()
    assert states(house) == {intents.COLLECTED}


def test_one_set_of_a_batch_that_fails_stops_no_other(house: House) -> None:
    ids = open_sets(house, 5)
    for set_id in ids:
        house.sandbox.complete(set_id)
    house.sandbox.trouble("graph_error", code=100, subcode=33, path=f"/{ids[2]}$")
    house.clock.move(60)
    house.work()
    found = [row.state for row in house.rows(RequestSet)]
    assert found == [*[intents.COLLECTED] * 2, intents.OPEN, *[intents.COLLECTED] * 2]
    assert "(code 100/33" in (house.rows(RequestSet)[2].state_reason or "")


@pytest.mark.parametrize("kind", ["null", "not_json", "cut", "http_error", "reset"])
def test_a_batch_that_fails_puts_all_of_it_off_and_costs_its_calls_once(
    house: House, kind: str
) -> None:
    open_sets(house, 5)
    house.clock.move(60)
    house.sandbox.trouble(kind, method="POST", path="^/$", count=9)
    house.work()
    assert {row.lease_token for row in house.rows(RequestSet)} == {None}
    looks = house.rows(Look)
    assert (len(looks), len([look for look in looks if look.calls])) == (5, 1)
    house.sandbox.end_troubles()
    house.clock.move(1000)
    house.work()
    assert {row.state_reason for row in house.rows(RequestSet)} == {None}


def test_what_has_not_changed_is_not_sent_again(house: House) -> None:
    open_sets(house, 1)
    for _ in range(3):
        house.clock.move(1000)
        house.work()
    row = house.the_set()
    assert row.etag is not None
    assert row.looked_at == house.clock()
    bodies = [look.verdict for look in house.rows(Look)]
    assert bodies == ["pending", None, None]


def test_an_etag_counts_only_for_the_question_that_it_answered(house: House) -> None:
    (set_id,) = open_sets(house, 1, ads=60)
    house.clock.move(60)
    house.work()
    assert (house.the_set().etag or "").startswith("0 ")
    house.sandbox.complete(set_id)
    house.notify()
    house.work()
    assert (states(house), house.the_set().etag) == ({intents.COLLECTED}, None)


def test_progress_is_seen_in_spite_of_etags(house: House) -> None:
    (set_id,) = open_sets(house, 1, ads=6)
    for _ in range(3):
        house.clock.move(1000)
        house.work()
    house.sandbox.advance(set_id, requests=2)
    house.clock.move(1000)
    house.work()
    assert (house.the_set().success_count, house.the_set().quiet_looks) == (2, 0)


def test_a_facebook_that_expands_nothing_is_asked_in_two_calls(house: House) -> None:
    set_id = house.create_open()
    house.notify()
    house.sandbox.trouble("graph_error", code=100, path=f"^/{set_id}$")
    house.work()
    assert states(house) == {intents.COLLECTED}
    assert house.parts.tools.without_expansion == {ACCOUNT}


def test_it_is_found_out_in_a_batch_too(house: House) -> None:
    ids = open_sets(house, 5)
    for set_id in ids:
        house.sandbox.complete(set_id)
    house.sandbox.trouble("graph_error", code=100, path=f"^/{ids[2]}$")
    house.clock.move(60)
    house.work()
    assert states(house) == {intents.COLLECTED}
    assert house.parts.tools.without_expansion == {ACCOUNT}


def test_pages_that_are_too_much_are_halved_and_grow_again(house: House) -> None:
    house.without_expansion().create_open([ad(f"ad {number}") for number in range(100)])
    house.notify()
    house.sandbox.trouble("graph_error", code=1, path="/requests$", count=4)
    house.work()
    assert states(house) == {intents.COLLECTED}
    assert house.rows(Account)[0].page_limit == 24
    for _ in range(5):
        house.create_open()
        house.notify()
        house.work()
    assert house.rows(Account)[0].page_limit is None


def test_what_waits_for_its_turn_stays_held(house: House) -> None:
    """Six calls take two leases and a half: no other worker begins to read any of them again."""
    for set_id in open_sets(house.without_expansion(), 3, ads=6):
        house.sandbox.complete(set_id)
    with house.parts.database.writing() as session:
        experience.keep_page_limit(session, ACCOUNT, page_limit=1)
    house.clock.move(60)
    free = []
    request_pages = graph_looks.request_pages

    def read_slowly(*arguments: Any, **named: Any) -> Any:
        house.clock.move(0.4 * house.parts.settings.lease_seconds)
        leases = {row.id: row.lease_expires_at for row in house.rows(RequestSet)}
        free.append([one for one, ends in leases.items() if ends and ends <= house.clock()])
        return request_pages(*arguments, **named)

    with mock.patch.object(graph_looks, "request_pages", read_slowly):
        house.work()
    assert states(house) == {intents.COLLECTED}
    assert free == [[]] * 6


def test_a_set_with_its_requests_that_is_too_much_is_asked_for_with_fewer(house: House) -> None:
    house.create_open([ad(f"ad {number}") for number in range(100)])
    house.notify()
    house.sandbox.trouble("graph_error", code=1, path="^/[0-9]+$", count=3)
    for _ in range(5):
        house.work()
        house.clock.move(1000)
    assert states(house) == {intents.COLLECTED}
    assert len(house.rows(Request)) == 100


def test_a_set_that_is_not_readable_right_after_its_create_is_waited_for(house: House) -> None:
    (set_id,) = open_sets(house, 1)
    house.sandbox.trouble("graph_error", code=100, subcode=33, path=f"/{set_id}$", count=None)
    for _ in range(5):
        house.clock.move(600)
        house.work()
    assert states(house) == {intents.OPEN}
    for _ in range(3):
        house.clock.move(900)
        house.work()
    row = house.the_set()
    assert (row.state, row.look_at is None) == (intents.STUCK, False)
    assert f"gave the id {set_id}" in (row.state_reason or "")
    house.sandbox.end_troubles()
    house.sandbox.complete(set_id)
    house.clock.move(6 * 3600)
    house.work()
    assert (states(house), house.the_set().state_reason) == ({intents.COLLECTED}, None)


def test_a_notification_frees_a_stuck_set_with_an_id(house: House) -> None:
    (set_id,) = open_sets(house, 1)
    house.sandbox.trouble("graph_error", code=100, subcode=33, path=f"/{set_id}$", count=None)
    for _ in range(8):
        house.clock.move(900)
        house.work()
    assert states(house) == {intents.STUCK}
    house.sandbox.end_troubles()
    house.sandbox.complete(set_id)
    house.notify()
    house.work()
    assert states(house) == {intents.COLLECTED}


def shiny(house: House) -> tuple[dict[str, Any], dict[str, Any]]:
    """A complete set, one of whose requests has a status that nobody has seen before."""
    shown = {"id": str(house.the_set().facebook_id), "is_completed": True, "total_count": 2}
    return shown, page([{"id": "1", "status": "SUCCESS"}, {"id": "2", "status": "SHINY_NEW"}])


def test_a_status_that_nobody_knows_is_final_after_a_while_and_flagged(house: House) -> None:
    house.create_open()
    for minutes in (0, 10, 6):
        house.clock.move(60 * minutes + 60)
        with facebook_shows(house.parts.tools, *shiny(house)) as (tools, _):
            step.advance(tools)
    row = house.the_set()
    assert row.state == intents.COLLECTED
    assert row.flag == "1 requests have no final status yet: nobody knows SHINY_NEW."
    assert [one.status for one in house.rows(Request)] == ["SUCCESS", "SHINY_NEW"]


def test_a_status_that_is_known_to_be_at_work_is_never_final(house: House) -> None:
    house.create_open()
    shown, _ = shiny(house)
    working = page([{"id": "1", "status": "IN_PROGRESS"}, {"id": "2", "status": "SHINY_NEW"}])
    for _ in range(4):
        house.clock.move(1000)
        with facebook_shows(house.parts.tools, shown, working) as (tools, _):
            step.advance(tools)
    assert states(house) == {intents.COMPLETED}


def test_what_an_account_has_learned_decides_its_first_look(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"set {number}")
        house.clock.move(40)
        house.notify()
        house.work()
    house.create_open(name="the next")
    row = house.rows(RequestSet)[-1]
    assert row.look_at is not None
    assert row.opened_at is not None
    assert (row.look_at - row.opened_at).total_seconds() == 60  # 40 seconds, and half of it again


def test_open_sets_do_not_make_an_account_forget(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"set {number}")
        house.clock.move(40)
        house.notify()
        house.work()
    open_sets(house, 5)
    with house.parts.database.reading() as session:
        assert len(experience.newest(session, ACCOUNT, limit=3)) == 3
