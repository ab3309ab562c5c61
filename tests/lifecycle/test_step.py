from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from receiver.lifecycle import step
from receiver.store import due, intents, waits
from receiver.store.database import Database, DatabaseAway
from receiver.store.models import Account, Credential, Look, Request, RequestSet
from receiver.store.waits import Wait
from tests.support.databases import locked, refuse_rows
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House, ad, add_account

READ = {"method": "GET", "path": "^/?[0-9]+$"}
OTHER = 99


def resume_seconds(house: House, account_id: int = ACCOUNT) -> float | None:
    (account,) = [row for row in house.rows(Account) if row.id == account_id]
    if account.resume_at is None:
        return None
    return (account.resume_at - house.clock()).total_seconds()


def create_for_other(house: House) -> RequestSet:
    """Create a set of another account, with a key and a token of its own."""
    key = add_account(house.parts, OTHER, token="another-token")
    response = house.client.post(
        f"/act_{OTHER}/asyncadrequestsets",
        data={"name": "B", "ad_specs": json.dumps([ad("b")]), "access_token": key},
    )
    assert response.status_code == 200
    return house.rows(RequestSet)[-1]


def states(house: House) -> list[str]:
    return [row.state for row in house.rows(RequestSet)]


@pytest.mark.parametrize(("code", "subcode"), [(17, 2446079), (80004, 2446079)])
def test_a_throttled_account_waits_alone(house: House, code: int, subcode: int | None) -> None:
    house.create_open()
    house.create_open()
    create_for_other(house)
    house.sandbox.trouble(
        "graph_error", code=code, subcode=subcode, count=None, **{**READ, "account": str(ACCOUNT)}
    )
    house.clock.move(60)
    house.work()
    assert states(house) == [intents.OPEN, intents.OPEN, intents.COLLECTED]
    assert resume_seconds(house) == 300
    assert resume_seconds(house, OTHER) is None
    # Both of its sets were asked for in one call, and no other call was made.
    assert sum(look.calls for look in house.rows(Look) if look.account_id == ACCOUNT) == 1


def test_a_throttled_app_keeps_every_account_of_its_credential_waiting(house: House) -> None:
    house.create_open()
    create_for_other(house)
    house.sandbox.trouble("graph_error", code=4, count=None, **{**READ, "account": str(ACCOUNT)})
    house.clock.move(60)
    house.work()
    assert states(house) == [intents.OPEN, intents.COLLECTED]
    assert resume_seconds(house) is None
    first, _ = house.rows(Credential)
    assert first.resume_at == house.clock() + timedelta(seconds=300)


def test_a_throttled_account_goes_on_after_its_wait(house: House) -> None:
    house.create_open()
    house.sandbox.trouble("graph_error", code=17, **READ)
    house.clock.move(60)
    assert house.work() == 1
    house.clock.move(299)
    assert house.work() == 0
    house.clock.move(1)
    house.work()
    assert states(house) == [intents.COLLECTED]


def test_an_expired_token_puts_its_sets_off_and_no_others(house: House) -> None:
    house.create_open()
    create_for_other(house)
    house.sandbox.trouble("graph_error", code=190, subcode=463, count=None, account=str(ACCOUNT))
    house.clock.move(60)
    house.work()
    row = house.rows(RequestSet)[0]
    assert states(house) == [intents.OPEN, intents.COLLECTED]
    assert (row.lease_token, row.lease_expires_at) == (None, None)
    assert row.look_at is not None
    assert row.look_at > house.clock()
    assert "code 190/463" in (row.state_reason or "")
    (look,) = (look for look in house.rows(Look) if look.request_set_id == row.id)
    assert (look.kind, look.error_code, look.calls) == ("set", 190, 1)
    house.sandbox.reset()


def test_a_credential_that_does_not_open_puts_off_and_says_what_to_do(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        session.get_one(Credential, 1).sealed_token = b"garbage"
    house.clock.move(60)
    assert house.work() == 1
    row = house.the_set()
    assert (row.state, row.lease_token) == (intents.OPEN, None)
    assert "RECEIVER_SECRET_KEYS" in (row.state_reason or "")


def test_a_set_that_fails_in_a_way_nobody_foresaw_stops_no_other(house: House) -> None:
    for _ in range(3):
        house.create_open()
    refuse_rows(house.parts.database, "look", where="NEW.request_set_id = 2 AND NEW.error IS NULL")
    house.clock.move(60)
    assert house.work() == 1
    assert states(house) == [intents.COLLECTED, intents.OPEN, intents.COLLECTED]
    row = house.rows(RequestSet)[1]
    assert (row.lease_token, row.quiet_looks) == (None, 1)
    assert row.look_at is not None
    assert row.look_at > house.clock()
    assert "the log has the details" in (row.state_reason or "")
    assert "secret" not in (row.state_reason or "")


@pytest.mark.parametrize("path", ["^/?[0-9]+$", "/requests$"])
def test_a_worker_paused_past_its_lease_writes_only_what_its_look_cost(
    house: House, path: str
) -> None:
    """It is held in a call, while another one does all of the work and the clock goes on."""
    set_id = house.without_expansion().create_open()
    house.clock.move(60)
    house.sandbox.trouble("hold", method="GET", path=path, effect="before")
    paused = threading.Thread(target=step.advance, args=(house.parts.tools,))
    paused.start()
    wait_until(lambda: any(call["trouble"] for call in house.sandbox.calls()["calls"]))
    house.clock.move(house.parts.settings.lease_seconds + 1)
    assert house.work() == 1
    after = snapshot(house)
    assert after["states"] == [intents.COLLECTED]
    house.sandbox.release()
    paused.join()
    *looks, late = house.rows(Look)
    assert len(looks) == len(after["looks"])
    assert late.calls >= 1
    assert "lease ran out" in (late.error or "")
    assert snapshot(house) == {**after, "looks": [*after["looks"], values_of(late)]}
    assert set_id


def snapshot(house: House) -> dict[str, Any]:
    """Everything that a step writes."""
    return {
        "states": states(house),
        "sets": [values_of(row) for row in house.rows(RequestSet)],
        "requests": [values_of(row) for row in house.rows(Request)],
        "looks": [values_of(row) for row in house.rows(Look)],
    }


def values_of(row: object) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name[0] != "_"}


def test_older_rows_of_a_paused_worker_never_replace_newer_ones(house: House) -> None:
    house.create_open([ad("one")])
    house.clock.move(60)
    shown = {"id": str(house.the_set().facebook_id), "is_completed": True, "total_count": 1}
    old, new = ({"id": "1", "status": word} for word in ("IN_PROGRESS", "SHINY_NEW"))
    for request in (new, old):
        with facebook_shows(house.parts.tools, shown, page([request])) as (tools, _):
            step.advance(tools)
        # The second reading is made at an earlier moment than the first.
        house.clock.move(-30)
        with house.parts.database.writing() as session:
            session.get_one(RequestSet, 1).look_at = house.clock()
    assert [row.status for row in house.rows(Request)] == ["SHINY_NEW"]


def test_a_notification_that_comes_during_a_look_is_heard_after_it(house: House) -> None:
    house.sandbox.configure(
        f"act_{ACCOUNT}", progress={"kind": "by_hand"}, notification={"kind": "never"}
    )
    set_id = house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("hold", effect="before", **READ)
    looking = threading.Thread(target=step.advance, args=(house.parts.tools,))
    looking.start()
    wait_until(lambda: any(call["trouble"] for call in house.sandbox.calls()["calls"]))
    house.sandbox.complete(set_id)
    house.notify(set_id)
    step.apply_hints(house.parts.tools)
    house.sandbox.release()
    looking.join()
    assert states(house) == [intents.OPEN]
    house.work()
    row = house.the_set()
    assert (row.state, row.verdict, row.learned_by) == (
        intents.COLLECTED,
        "delivered",
        "notification",
    )


def test_a_database_that_is_away_is_told_to_the_loop(house: House, database_url: str) -> None:
    house.create_open()
    house.clock.move(60)
    impatient = Database(database_url, timeout_seconds=0.2)
    tools = replace(house.parts.tools, database=impatient)
    with locked(database_url), pytest.raises(DatabaseAway):
        step.advance(tools)
    impatient.close()
    assert house.work() == 1
    assert states(house) == [intents.COLLECTED]


def test_with_nothing_due_nothing_is_done(house: House) -> None:
    assert not step.advance(house.parts.tools)
    assert not step.apply_hints(house.parts.tools)
    house.create_open()
    assert not step.advance(house.parts.tools)


def claimed_accounts(house: House) -> list[int]:
    """Claim all that is due, and name whose each set is."""
    found = []
    while (claim := step.claim_next(house.parts.tools)) is not None:
        found += [claim.account_id] * (1 + len(claim.beside))
    return found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("tried", [1, 20])
def test_what_somebody_has_locked_neither_hides_the_others_nor_is_waited_for(
    house: House, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "_ACCOUNTS_TRIED", tried)
    house.create_open()
    house.create_open()
    house.clock.move(1)
    create_for_other(house)
    house.clock.move(60)
    with house.parts.database.writing() as holding:
        first = select(RequestSet).where(RequestSet.id == 1).with_for_update()
        assert holding.execute(first).all()
        # One of the account's two sets can be had, and then its turn is over.
        assert claimed_accounts(house) == [ACCOUNT, OTHER]
    assert claimed_accounts(house) == [ACCOUNT]


@pytest.mark.parametrize("window", [2, 100])
def test_an_account_with_much_that_waits_keeps_nobody_from_the_others(
    house: House, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_WINDOW", window)
    for _ in range(3):
        house.create_open()
    house.clock.move(1)
    create_for_other(house)
    house.clock.move(60)
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(house.clock() + timedelta(seconds=99)))
    assert claimed_accounts(house) == [OTHER]
    house.clock.move(99)
    assert claimed_accounts(house)[:3] == [ACCOUNT] * 3


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_an_account_waits_though_the_lease_ran_out_meanwhile(house: House) -> None:
    house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("graph_error", code=80004, method="GET", path="^/?[0-9]+$")
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    house.clock.move(house.parts.settings.lease_seconds + 1)
    assert step.claim_next(house.parts.tools) is not None
    step.work_on(house.parts.tools, claim)
    (account,) = house.rows(Account)
    assert account.resume_at is not None
    assert account.resume_at > house.clock()


def test_a_collected_set_that_facebook_no_longer_has_is_let_be(house: House) -> None:
    house.sandbox.configure_defaults(notification={"kind": "never"})
    house.create_open()
    house.clock.move(60)
    house.work()
    assert (house.the_set().state, house.the_set().verdict) == (intents.COLLECTED, "pending")
    house.sandbox.trouble(
        "graph_error", code=100, subcode=33, method="GET", path="^/?[0-9]+$", count=100
    )
    house.clock.move(house.parts.settings.notification_grace_seconds)
    house.work()
    row = house.the_set()
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "failed", None)


def test_a_collected_set_never_says_that_something_went_wrong(house: House) -> None:
    house.sandbox.configure_defaults(notification={"kind": "never"})
    house.create_open()
    house.clock.move(60)
    house.work()
    house.sandbox.trouble("graph_error", code=2, method="GET", path="^/?[0-9]+$", count=100)
    house.clock.move(house.parts.settings.notification_grace_seconds)
    house.work()
    row = house.the_set()
    assert (row.state, row.state_reason) == (intents.COLLECTED, None)
    assert house.rows(Look)[-1].error_code == 2
