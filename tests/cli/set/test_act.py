"""receiver set act and move-host: a plan, a question, and each set once; all of it kept."""

from __future__ import annotations

import pytest

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
    done = [(entry.request_set_id, entry.outcome) for entry in house.rows(AuditEntry)]
    assert sorted(done) == [(1, "done"), (3, "done")]
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
    assert [entry.request_set_id for entry in house.rows(AuditEntry)] == [2]


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


@sqlite_only
def test_deciding_is_kept_in_the_audit_log(house: House) -> None:
    house.create_open()

    assert run_set(house, "abandon", 1).exit_code == 1
    assert run(house, "account", "resume", "act_71597454").exit_code == 0

    kept = [(entry.action, entry.outcome) for entry in house.rows(AuditEntry)]
    assert kept == [("abandon", "refused"), ("retry", "done")]
