"""What people ask for leaves an account alone that waits, and is kept with how it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest import mock

import pytest

from receiver.graph.client import GraphClient
from receiver.lifecycle import bulk, choosing, spending, step
from receiver.lifecycle.actions import perform
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.spending import NoPoints
from receiver.store import points, waits
from receiver.store.audit import Actor
from receiver.store.lists.request_sets import SetFilter
from receiver.store.models import Account, AuditEntry, RequestSet
from receiver.store.waits import FOREVER, Wait
from tests.support.house import ACCOUNT, House, ad, add_account

ME = Actor("a person")


def be_at_work(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()


def be_collected(house: House) -> None:
    set_id = house.create_open([ad("one"), ad("fail")])
    house.notify(set_id)
    house.work()


def let_wait(house: House, wanted: Wait, *, account_id: int = ACCOUNT) -> None:
    with house.parts.database.writing() as session:
        waits.wait(session, account_id, wanted)


def fill_limit(house: House) -> None:
    with house.parts.database.writing() as session:
        points.change(session, ACCOUNT, lambda ledger: ledger.score.add(9000, now=house.clock()))


def is_waiting(house: House, account_id: int = ACCOUNT) -> bool:
    with house.parts.database.reading() as session:
        return waits.is_waiting(session, account_id, now=house.clock())


def do(house: House, action: str) -> Done:
    return perform.perform(house.parts.tools, house.the_set(), action, by=ME)


def adopt(house: House) -> Done:
    return perform.adopt(house.parts.tools, house.the_set(), facebook_id=7, by=ME)


ASKING = [
    pytest.param(be_at_work, lambda house: do(house, "cancel"), id="cancel"),
    pytest.param(be_at_work, lambda house: do(house, "repoint"), id="repoint"),
    pytest.param(be_collected, lambda house: do(house, "resubmit"), id="resubmit"),
    pytest.param(be_at_work, adopt, id="adopt"),
]


@pytest.mark.parametrize("is_of_app", [False, True], ids=["account", "app"])
@pytest.mark.parametrize(("prepare", "act"), ASKING)
def test_nothing_is_asked_for_an_account_that_waits(
    house: House, prepare: Callable[[House], None], act: Callable[[House], Done], *, is_of_app: bool
) -> None:
    prepare(house)
    until = house.clock() + timedelta(hours=1)
    let_wait(house, Wait(until, is_of_app=is_of_app))
    before = house.sandbox.calls()["calls"]

    with pytest.raises(NoPoints) as raised:
        act(house)

    assert raised.value.resume_at == until
    assert house.sandbox.calls()["calls"] == before
    assert house.rows(AuditEntry) == []


@pytest.mark.parametrize(("prepare", "act"), ASKING)
def test_what_a_parked_account_is_not_asked_says_how_it_goes_on(
    house: House, prepare: Callable[[House], None], act: Callable[[House], Done]
) -> None:
    prepare(house)
    let_wait(house, Wait(FOREVER, parked_reason="The account is disabled."))
    before = house.sandbox.calls()["calls"]

    with pytest.raises(Refused) as raised:
        act(house)

    assert "The account is disabled." in str(raised.value)
    assert f"receiver account resume act_{ACCOUNT}" in str(raised.value)
    assert house.sandbox.calls()["calls"] == before


def test_what_a_worker_is_to_do_is_written_down_while_the_account_waits(house: House) -> None:
    be_at_work(house)
    let_wait(house, Wait(house.clock() + timedelta(hours=1)))
    before = house.sandbox.calls()["calls"]

    do(house, "look")

    assert house.sandbox.calls()["calls"] == before


def test_a_plan_that_waits_for_points_fills_no_audit_log(house: House) -> None:
    tools = house.parts.tools
    be_at_work(house)
    planned = choosing.make(tools, "cancel", SetFilter([ACCOUNT]), detail="", by=ME)
    bulk.confirm(tools, planned.plan_id, by=ME)
    for _ in range(3):
        fill_limit(house)
        while claim := bulk.claim_next(tools):
            bulk.act(tools, claim)
        house.let_time_pass(400)

    assert [entry for entry in house.rows(AuditEntry) if entry.action == "cancel"] == []


def test_what_asks_facebook_is_in_the_audit_log_before_it_is_asked(house: House) -> None:
    be_at_work(house)
    real = GraphClient.cancel
    seen: list[tuple[str, str]] = []

    def cancel(*arguments: object, **named: object) -> object:
        seen.extend((entry.action, entry.outcome) for entry in house.rows(AuditEntry))
        return real(*arguments, **named)  # type: ignore[arg-type]  # as they came

    with mock.patch.object(GraphClient, "cancel", cancel):
        do(house, "cancel")

    assert seen == [("cancel", "begun")]
    assert [entry.outcome for entry in house.rows(AuditEntry)] == ["done"]


def test_the_audit_log_keeps_with_what_and_how_it_ended(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST", path="/asyncadrequestsets$")
    assert house.create().status_code == 409
    house.let_time_pass(1)
    row = house.the_set()
    with pytest.raises(Refused):
        perform.adopt(house.parts.tools, row, facebook_id=123454321, by=ME)
    perform.abandon(house.parts.tools, row, reason="The campaign is over.", by=ME)

    adopted, abandoned = house.rows(AuditEntry)
    assert (adopted.detail, adopted.outcome) == ("as 123454321", "refused")
    assert "Facebook does not show 123454321" in (adopted.note or "")
    assert (abandoned.detail, abandoned.outcome) == ("The campaign is over.", "done")
    assert "is given up" in (abandoned.note or "")


def test_the_points_that_run_out_meanwhile_are_said(house: House) -> None:
    be_at_work(house)

    with (
        mock.patch.object(spending, "check", side_effect=lambda *_, **__: fill_limit(house)),
        pytest.raises(NoPoints),
    ):
        do(house, "cancel")

    (entry,) = house.rows(AuditEntry)
    assert entry.outcome == "failed"
    assert "create calls wait" in (entry.note or "")


def retry(house: House, **named: list[int]) -> Done:
    return perform.retry_account(house.parts.tools, ACCOUNT, by=ME, **named)


def share_credential(house: House, account_id: int) -> None:
    add_account(house.parts, account_id)
    with house.parts.database.writing() as session:
        mine = session.get_one(Account, ACCOUNT)
        session.get_one(Account, account_id).credential_id = mine.credential_id


@pytest.mark.parametrize("held", [[ACCOUNT, 5], None], ids=["all are the holder's", "command"])
def test_a_retry_ends_the_wait_of_a_token_for_who_may_act_for_all(
    house: House, held: list[int] | None
) -> None:
    share_credential(house, 5)
    let_wait(house, Wait(house.clock() + timedelta(hours=1), is_of_app=True))

    retry(house, **({} if held is None else {"held": held}))

    assert not is_waiting(house)
    assert not is_waiting(house, 5)


def test_a_retry_leaves_a_token_alone_that_accounts_of_others_share(house: House) -> None:
    share_credential(house, 5)
    until = house.clock() + timedelta(hours=1)
    let_wait(house, Wait(until, is_of_app=True))
    let_wait(house, Wait(until))

    done = retry(house, held=[ACCOUNT])

    assert is_waiting(house, 5)
    assert house.rows(Account)[-1].resume_at is None
    assert "accounts share that are not yours" in done.note
    assert house.rows(AuditEntry)[0].note == done.note


def test_a_retry_ends_the_own_wait_of_an_account_with_a_shared_token(house: House) -> None:
    share_credential(house, 5)
    let_wait(house, Wait(house.clock() + timedelta(hours=1)))

    done = retry(house, held=[ACCOUNT])

    assert not is_waiting(house)
    assert done.note == f"act_{ACCOUNT} is asked again from now on."


def test_what_waited_for_its_account_is_looked_at_as_soon_as_that_is_asked_again(
    house: House,
) -> None:
    be_at_work(house)
    set_id = house.the_set().facebook_id
    house.sandbox.trouble("graph_error", code=80004, method="GET", path=str(set_id), count=1)
    house.notify()
    house.work()
    assert step.claim_next(house.parts.tools) is None

    retry(house)

    house.clock.move(1)
    assert step.claim_next(house.parts.tools) is not None


def test_a_create_that_may_be_on_its_way_is_not_looked_for_sooner(house: House) -> None:
    be_at_work(house)
    look_at = house.clock() + timedelta(minutes=2)
    with house.parts.database.writing() as session:
        row = session.get_one(RequestSet, 1)
        row.state, row.look_at = "submitting", look_at
    let_wait(house, Wait(FOREVER, parked_reason="The account is disabled."))

    retry(house)

    assert house.the_set().look_at == look_at
