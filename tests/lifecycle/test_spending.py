"""Points are reserved before a call, corrected after it, and shared by all that spend them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from receiver.graph.score import Score
from receiver.graph.usage import Usage
from receiver.lifecycle import step
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, correct, reserve
from receiver.store import intents, points, waits
from receiver.store.models import Account, Credential, RequestSet
from receiver.store.waits import Wait
from tests.support.house import ACCOUNT, House, ad, add_account

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def score(house: House) -> Score:
    with house.parts.database.reading() as session:
        return points.read(session, ACCOUNT).score


def fill(house: House, percent: float, *, tier: str = "development_access") -> None:
    """Let a header say how full the account's limit is."""
    correct(house.parts.tools, ACCOUNT, Usage(tier=tier, score_percent=percent))


def error(response: Any) -> tuple[int, int]:
    return response.status_code, response.get_json()["error"]["code"]


def test_every_kind_of_work_spends_what_it_costs(house: House) -> None:
    house.create_open()
    assert score(house).at(house.clock()) == 3
    house.notify()
    house.work()
    spent_by_us = score(house).at(house.clock())
    assert spent_by_us == house.sandbox.calls()["totals"]["points"]


def test_many_that_spend_at_once_lose_nothing(house: House) -> None:
    def spend(_: int) -> None:
        for _ in range(5):
            reserve(house.parts.tools, ACCOUNT, cost=1, purpose=Purpose.POLL)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(8)))
    assert score(house).at(house.clock()) == 40
    assert house.rows(Account)[0].score_version == 40


def test_polls_stop_first_then_collecting_then_creates(house: House) -> None:
    may: dict[float, list[Purpose]] = {}
    for percent in (70, 85, 92, 97):
        fill(house, percent)
        may[percent] = []
        for purpose in Purpose:
            try:
                reserve(house.parts.tools, ACCOUNT, cost=0, purpose=purpose)
                may[percent].append(purpose)
            except NoPoints:
                pass
    assert may == {
        70: list(Purpose),
        85: [Purpose.COLLECT, Purpose.CREATE],
        92: [Purpose.CREATE],
        97: [],
    }


def test_a_create_without_room_is_refused_before_anything_is_written_or_sent(house: House) -> None:
    fill(house, 95)
    response = house.create()
    assert error(response) == (400, 17)
    assert 0 < int(response.headers["Retry-After"]) <= 320
    assert (house.rows(RequestSet), house.sandbox.calls()["calls"]) == ([], [])
    house.clock.move(int(response.headers["Retry-After"]))
    assert house.create().status_code == 200


def let_wait(house: House, *, http_status: int | None) -> datetime:
    """Keep a wait of a minute that a refusal asked for, or an answer's headers."""
    resume_at = house.clock() + timedelta(seconds=60)
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(resume_at, http_status=http_status))
    return resume_at


def test_a_step_makes_no_call_after_a_refusal_that_asks_to_wait(house: House) -> None:
    resume_at = let_wait(house, http_status=400)
    with pytest.raises(NoPoints) as caught:
        reserve(house.parts.tools, ACCOUNT, cost=1, purpose=Purpose.POLL)
    assert caught.value.resume_at == resume_at
    assert score(house) == Score()


def test_a_step_goes_on_after_headers_that_ask_to_wait(house: House) -> None:
    """Where each answer asks for that, it would otherwise never get further than its first call."""
    let_wait(house, http_status=None)
    reserve(house.parts.tools, ACCOUNT, cost=1, purpose=Purpose.POLL)


def test_a_poll_without_room_is_put_off_until_there_is(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    fill(house, 85)
    house.clock.move(60)
    calls = len(house.sandbox.calls()["calls"])
    house.work()
    assert len(house.sandbox.calls()["calls"]) == calls
    row = house.the_set()
    assert "poll calls wait" in (row.state_reason or "")
    assert row.look_at is not None
    assert row.look_at > house.clock()
    house.clock.move(320)
    house.work()
    assert len(house.sandbox.calls()["calls"]) == calls + 1


def test_the_headers_of_a_failing_answer_count_too(house: House) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", limits={"tier": "development_access"})
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    assert house.create().status_code == 400
    assert house.rows(Account)[0].tier == "development_access"


def test_what_others_spend_shows_in_the_headers(house: House) -> None:
    house.create_open()
    fill(house, 50)
    assert score(house).at(house.clock()) == 30


def test_an_app_that_is_nearly_used_up_waits_and_then_asks_anew(house: House) -> None:
    correct(house.parts.tools, ACCOUNT, Usage(app_percent=96))
    assert house.rows(Credential)[0].app_percent == 96
    assert error(house.create()) == (400, 17)
    house.clock.move(60)
    assert house.create().status_code == 200


def test_a_613_without_subcode_parks_the_account_until_a_person_resumes_it(house: House) -> None:
    house.sandbox.trouble("graph_error", code=613, message="Calls exceeded", **CREATE)
    assert error(house.create()) == (400, 613)
    house.clock.move(10**6)
    response = house.create()
    assert error(response) == (400, 613)
    assert "Retry-After" not in response.headers
    assert "receiver account resume" in (house.rows(Account)[0].parked_reason or "")
    calls = [one for one in house.sandbox.calls()["calls"] if one["method"] == "POST"]
    assert len(calls) == 1


def test_an_expired_token_parks_its_credential_until_it_is_replaced(house: House) -> None:
    first = int(house.create_open())
    house.sandbox.trouble("graph_error", code=190, subcode=463, method="GET", count=9)
    house.clock.move(60)
    house.work()
    assert "receiver account add" in (house.rows(Credential)[0].parked_reason or "")
    house.clock.move(10**5)
    assert house.work() == 0
    assert error(house.create()) == (400, 190)
    house.replace_token()
    assert house.rows(Credential)[0].parked_reason is None
    house.sandbox.end_troubles()
    house.work()
    row = house.the_set()
    assert (row.facebook_id, row.state) == (first, intents.COLLECTED)


@pytest.mark.parametrize(("subcode", "parks"), [(None, False), (463, True)])
def test_a_refused_kind_of_token_in_what_passes_through_says_nothing_of_the_token(
    house: House, subcode: int | None, *, parks: bool
) -> None:
    rule = {} if subcode is None else {"subcode": subcode}
    house.sandbox.trouble("graph_error", code=190, method="GET", path="/ads$", **rule)
    assert house.get(f"/act_{ACCOUNT}/ads").status_code == 400
    assert (house.rows(Credential)[0].parked_reason is not None) == parks


def test_one_accounts_full_limit_is_its_own(house: House) -> None:
    add_account(house.parts, 4711)
    fill(house, 99)
    reserve(house.parts.tools, 4711, cost=1, purpose=Purpose.POLL)
    with pytest.raises(NoPoints):
        reserve(house.parts.tools, ACCOUNT, cost=1, purpose=Purpose.POLL)


def test_a_rename_and_a_cancel_cost_and_are_refused_alike(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open([ad("one")])
    fill(house, 95)
    form = {"name": "new", "access_token": house.key}
    assert error(house.client.post(f"/{set_id}", data=form)) == (400, 17)
    headers = {"Authorization": f"Bearer {house.key}"}
    assert error(house.client.delete(f"/{set_id}", headers=headers)) == (400, 17)


def test_a_lost_create_without_room_is_sent_again_when_there_is(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert house.create(name="lost").status_code == 409
    house.let_time_pass(1)
    house.create_open(name="witness")
    for _ in range(12):
        house.let_time_pass(300)
        fill(house, 96)
        while step.advance(house.parts.tools):
            pass
    row = house.rows(RequestSet)[0]
    assert (row.attempt, row.facebook_id) == (1, None)
    house.let_time_pass(320)
    for _ in range(6):
        house.let_time_pass(300)
        house.work()
    assert house.rows(RequestSet)[0].state == intents.COLLECTED


def test_a_block_that_is_over_leaves_nothing_behind(house: House) -> None:
    """The block's own time is the wait: points beyond it would keep everybody out for minutes."""
    house.create_open()
    house.sandbox.trouble("throttle", account=f"act_{ACCOUNT}", method="GET", seconds=2)
    house.clock.move(60)
    house.work()
    assert error(house.create(name="too soon")) == (400, 17)
    house.clock.move(61)
    house.sandbox.move_clock(61)
    assert score(house).at(house.clock()) == 0
    assert house.create(name="again").status_code == 200
    house.work()
    assert house.rows(RequestSet)[0].state == intents.COLLECTED
