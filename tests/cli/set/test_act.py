"""receiver set act and move-host: a plan, a question, and each set once; all of it kept."""

from __future__ import annotations

import re
import signal
from typing import Any
from unittest import mock

import pytest

from receiver.lifecycle import bulk, choosing
from receiver.lifecycle.choosing import Planned
from receiver.lifecycle.tools import Tools
from receiver.store.action_plans import ItemClaim
from receiver.store.models import AuditEntry, RequestSet, Submission
from tests.support.house import House, ad
from tests.support.set_commands import document, run, run_set

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at_work(house: House, count: int) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    for number in range(count):
        house.create_open(name=f"Set {number}")


def test_sets_are_acted_on_by_their_numbers(house: House) -> None:
    at_work(house, 3)

    result = run_set(house, "act", "cancel", 1, 3, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert document(result)["counts"] == {"done": 2}
    kept = [(entry.action, entry.request_set_id, entry.outcome) for entry in house.rows(AuditEntry)]
    assert kept[0] == ("confirm", None, "done")
    assert sorted(kept[1:]) == [("cancel", 1, "done"), ("cancel", 3, "done")]
    assert all(entry.actor.startswith("command") for entry in house.rows(AuditEntry))


@sqlite_only
def test_more_numbers_than_a_filter_takes_are_taken(house: House) -> None:
    at_work(house, 12)

    result = run_set(house, "act", "look", *range(1, 13), "--yes", "--json")

    assert document(result)["counts"] == {"done": 12}


@sqlite_only
def test_nothing_is_done_before_it_is_confirmed(house: House) -> None:
    at_work(house, 2)

    refused = run_set(house, "act", "cancel", "--state", "open", text="n\n")
    agreed = run_set(house, "act", "cancel", "--state", "open", "--name", "set 1", text="y\n")

    assert refused.exit_code == 1
    assert "2 sets, 6 points" in refused.output
    assert agreed.exit_code == 0, agreed.output
    assert [entry.request_set_id for entry in house.rows(AuditEntry)] == [None, 2]


@sqlite_only
def test_what_is_refused_is_said_and_ends_with_1(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()
    first = run_set(house, "act", "resubmit", 1, "--yes")
    second = run_set(house, "act", "resubmit", 1, "--yes")

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert "being sent again already" in second.output
    assert len(house.rows(RequestSet)) == 2


@sqlite_only
def test_what_does_not_fit_is_nothing_to_do(house: House) -> None:
    at_work(house, 1)

    result = run_set(house, "act", "collect", 1, "--yes")

    assert result.exit_code == 0
    assert "Nothing to do" in result.output
    assert house.rows(AuditEntry) == []


@sqlite_only
def test_numbers_that_are_not_there_are_said(house: House) -> None:
    at_work(house, 1)

    result = run_set(house, "act", "look", 1, 99, "--yes")
    as_json = document(run_set(house, "act", "look", 1, 99, "--yes", "--json"))

    assert result.exit_code == 1
    assert "There is no set 99." in result.output
    assert "1 done" in result.output
    assert as_json["not_there"] == ["99"]


@sqlite_only
def test_filters_that_the_action_does_not_fit_are_said(house: House) -> None:
    at_work(house, 1)

    result = run_set(house, "act", "cancel", "--state", "collected", "--yes")

    assert result.exit_code == 0
    assert "'Cancel' is for sets that are open" in result.output


@sqlite_only
def test_what_may_cost_more_is_said_to_cost_at_least_that(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()

    result = run_set(house, "act", "resubmit", 1, text="n\n")

    assert "1 sets, at least 3 points" in result.output


@sqlite_only
def test_ctrl_c_says_what_becomes_of_the_rest_and_how_to_leave_it(house: House) -> None:
    at_work(house, 3)
    act = bulk.act

    def interrupted(tools: Tools, claim: ItemClaim) -> None:
        act(tools, claim)
        signal.raise_signal(signal.SIGINT)

    with mock.patch.object(bulk, "act", interrupted):
        result = run_set(house, "act", "cancel", "--state", "open", "--yes")

    assert result.exit_code == 130
    assert "a worker goes on with the 2 sets that are left" in result.output
    (plan_id,) = re.findall(r"receiver set stop (\S+)", result.output)
    assert run_set(house, "stop", plan_id).exit_code == 0
    assert bulk.claim_next(house.parts.tools) is None
    again = run_set(house, "stop", plan_id)
    assert (again.exit_code, "nothing to stop" in again.output) == (1, True)


@sqlite_only
def test_ctrl_c_before_it_is_confirmed_leaves_everything(house: House) -> None:
    at_work(house, 1)
    make = choosing.make

    def interrupted(*arguments: Any, **named: Any) -> Planned:
        signal.raise_signal(signal.SIGINT)
        return make(*arguments, **named)

    with mock.patch.object(choosing, "make", interrupted):
        result = run_set(house, "act", "cancel", "--state", "open", "--yes")

    assert result.exit_code == 130
    assert bulk.claim_next(house.parts.tools) is None


@sqlite_only
def test_every_set_is_not_meant_by_naming_none(house: House) -> None:
    result = run_set(house, "act", "cancel", "--yes")

    assert result.exit_code == 2
    assert "Name the sets" in result.output


def test_pending_sets_follow_a_new_host(house: House) -> None:
    at_work(house, 2)
    moved = "https://moved.example"

    result = run(house, "move-host", "--yes", "--json", RECEIVER_PUBLIC_URL=moved)

    assert result.exit_code == 0, result.output
    uris = [one["notification_uri"] for one in house.sandbox.ledger()]
    assert all(uri.startswith(f"{moved}/notifications/") for uri in uris)
    assert {row.signing_key_id for row in house.rows(Submission)} == {house.parts.keys.newest_id}


def test_every_pending_set_follows_though_one_plan_does_not_take_all(house: House) -> None:
    at_work(house, 5)
    moved = "https://moved.example"

    with mock.patch.object(choosing, "PLANNED_MOST", 2):
        result = run(house, "move-host", "--yes", "--json", RECEIVER_PUBLIC_URL=moved)

    assert result.exit_code == 0, result.output
    assert document(result)["counts"] == {"done": 5}
    assert len(document(result)["plans"]) == 3
    uris = [one["notification_uri"] for one in house.sandbox.ledger()]
    assert all(uri.startswith(moved) for uri in uris)


@sqlite_only
def test_each_part_is_confirmed_by_itself(house: House) -> None:
    at_work(house, 3)

    with mock.patch.object(choosing, "PLANNED_MOST", 2):
        result = run_set(house, "act", "look", "--state", "open", text="y\nn\n")

    assert result.exit_code == 1
    assert "More sets may meet the filters" in result.output
    assert "Not confirmed: 1 of the sets." in result.output
    assert "2 done" in result.output
    assert [entry.action for entry in house.rows(AuditEntry)] == ["confirm", "look", "look"]


@sqlite_only
def test_deciding_is_kept_in_the_audit_log(house: House) -> None:
    house.create_open()

    assert run_set(house, "abandon", 1).exit_code == 1
    assert run(house, "account", "resume", "act_71597454").exit_code == 0

    kept = [(entry.action, entry.outcome) for entry in house.rows(AuditEntry)]
    assert kept == [("abandon", "refused"), ("retry", "done")]


@sqlite_only
@pytest.mark.parametrize("command", [("set", "act", "look"), ("move-host",)], ids=" ".join)
def test_an_account_that_nobody_added_is_refused(house: House, command: tuple[str, ...]) -> None:
    at_work(house, 1)

    refused = run(house, *command, "--account", "act_4711", "--yes")

    assert (refused.exit_code, "act_4711 is not known" in refused.stderr) == (2, True)
    assert house.rows(AuditEntry) == []
