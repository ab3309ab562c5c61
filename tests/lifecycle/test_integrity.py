from __future__ import annotations

from typing import Any

import pytest

from receiver.lifecycle import integrity
from receiver.lifecycle.integrity import Integrity
from receiver.store import integrity as stored
from receiver.store import intents, repeats
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from tests.support.house import ACCOUNT, House

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def check(house: House, *account_ids: int) -> Integrity:
    found = integrity.check(house.parts.database, account_ids or None, now=house.clock())
    if not account_ids:
        assert counts(house) == numbers(found)
    return found


def counts(house: House) -> tuple[int, ...]:
    """The same numbers as the metrics show them, which count without the rows."""
    with house.parts.database.reading() as session:
        counted = stored.counts(session, now=house.clock())
    return tuple(counted[name] for name in ("missing", "late", "doubled", "stuck"))


def numbers(found: Integrity) -> tuple[int, int, int, int]:
    return found.missing.count, found.late.count, found.doubled.count, found.stuck.count


def test_what_is_at_work_within_its_time_is_neither_late_nor_missing(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    house.clock.move(3599)
    found = check(house)
    assert (numbers(found), found.is_whole) == ((0, 0, 0, 0), True)


def test_past_its_deadline_a_set_is_late_and_then_missing_until_it_is_collected(
    house: House,
) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open()
    house.clock.move(3600)
    assert numbers(check(house)) == (0, 1, 0, 0)
    house.clock.move(3600)
    missing = check(house)
    assert (numbers(missing), missing.is_whole) == ((1, 0, 0, 0), False)
    assert [row["facebook_id"] for row in missing.missing.rows] == [int(set_id)]
    house.sandbox.complete(set_id)
    house.work()
    assert numbers(check(house)) == (0, 0, 0, 0)


def test_unknown_and_stuck_ones_count_too_and_rejected_ones_do_not(house: House) -> None:
    for number in range(3):
        house.sandbox.trouble("reset", **CREATE)
        assert house.create(name=f"lost {number}").status_code == 409
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    assert house.create().status_code == 400
    with house.parts.database.writing() as session:
        intents.doubt_set(session, Attempt(1, number=1), reason="why", now=house.clock())
        assert repeats.abandon(session, 2, reason="gone", now=house.clock())
    house.clock.move(7200)
    assert numbers(check(house)) == (2, 0, 0, 1)


def test_counting_for_the_metrics_ends_however_much_is_overdue(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "COUNTED_MOST", 2)
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    for _ in range(3):
        house.create_open()
    house.clock.move(7200)
    house.create_open()
    house.clock.move(3600)
    assert counts(house) == (2, 1, 0, 0)


def test_a_second_set_of_an_intent_counts_whatever_its_state(house: House) -> None:
    house.create_open()
    house.work()
    with house.parts.database.writing() as session:
        intents.keep_found(session, Attempt(1, number=1), facebook_id=99, now=house.clock())
    found = check(house)
    assert (numbers(found), found.is_whole) == ((0, 0, 1, 0), False)
    assert found.doubled.rows[0]["found_sets"] == sorted([99, house.the_set().facebook_id or 0])


def test_the_same_id_found_twice_is_one_set(house: House) -> None:
    house.create_open()
    row = house.the_set()
    assert row.facebook_id is not None
    with house.parts.database.writing() as session:
        intents.keep_found(
            session, Attempt(1, number=1), facebook_id=row.facebook_id, now=house.clock()
        )
    assert check(house).doubled.count == 0


def test_twins_count_once_both_exist(house: House) -> None:
    house.create_open()
    house.create_open()
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 2).twin_of = 1
    assert check(house).doubled.count == 1
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).facebook_id = None
    assert check(house).doubled.count == 0


def test_only_the_accounts_that_were_asked_for_count(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert house.create().status_code == 409
    house.clock.move(7200)
    assert check(house, ACCOUNT).missing.count == 1
    assert check(house, 4711).missing.count == 0


def test_a_notification_whose_intent_is_gone_is_shown_to_those_who_see_all(house: House) -> None:
    token = house.parts.keys.sign_token(intent=4711, attempt=1)
    assert house.client.post(f"/notifications/{token}").status_code == 200
    assert [row["request_set_id"] for row in check(house).orphans] == [4711]
    assert check(house, ACCOUNT).orphans == []


def integrity_of(house: House, **query: Any) -> Any:
    return house.get("/admin/api/integrity", **query).get_json()


def test_the_api_answers_the_two_numbers_with_the_rows_behind_them(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert house.create().status_code == 409
    house.clock.move(7200)
    found = integrity_of(house)
    assert (found["missing"], found["doubled"], found["reconciled"]) == (1, 0, {})
    assert found["rows"]["missing"][0]["id"] == "1"
    assert integrity_of(house, account="act_4711")["missing"] == 0
    assert house.get("/admin/api/integrity", state="open").status_code == 400
