from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.graph.errors import Advice
from receiver.lifecycle.verdict import VERDICTS as EVERY_VERDICT
from receiver.lifecycle.words import ADVICE, STATES, VERDICTS
from receiver.store import intents
from receiver.store.models import RequestSet
from tests.support.house import SECRET_KEY, TOKEN, House, ad
from tests.support.set_commands import CREATE, document, run_set

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def collect(house: House, *names: str, **parameters: Any) -> str:
    set_id = house.create_open([ad(name) for name in names], **parameters)
    house.clock.move(10)
    house.notify()
    house.work()
    return set_id


def words(text: str) -> str:
    """What was printed, on one line: tables break theirs."""
    return " ".join(text.split())


def test_a_set_is_found_by_our_number_and_by_facebooks(house: House) -> None:
    set_id = collect(house, "one", "two")
    by_ours, by_theirs = run_set(house, "show", 1), run_set(house, "show", set_id)
    assert (by_ours.exit_code, by_ours.stdout) == (0, by_theirs.stdout)
    for expected in (set_id, "collected. Every result is here.", "2 succeeded of 2"):
        assert expected in by_ours.stdout


def test_the_story_is_told_in_its_order(house: House) -> None:
    collect(house, "one", notification_uri="https://caller.test/", notification_mode="ON_COMPLETE")
    house.deliver()
    told = [event["what"] for event in document(run_set(house, "show", 1, "--json"))["timeline"]]
    first = ["created", "submitted", "answered", "opened", "notified", "looked at"]
    assert told[: len(first)] == first
    assert {"completed", "collected", "to be delivered"} <= set(told)
    assert told.index("completed") < told.index("to be delivered")


def test_failed_requests_are_grouped_with_what_to_do(house: House) -> None:
    collect(house, "one", *(f"{number} fail" for number in range(12)))
    failures = document(run_set(house, "show", 1, "--json"))["failures"]
    assert sum(failure["count"] for failure in failures) == 12
    counts = [failure["count"] for failure in failures]
    assert counts == sorted(counts, reverse=True)
    assert len({(failure["code"], failure["subcode"]) for failure in failures}) == len(failures)
    shown = words(run_set(house, "show", 1).stdout)
    assert "1 succeeded, 12 failed of 13" in shown
    known = next(failure for failure in failures if failure["meaning"])
    assert known["meaning"].split()[0] in shown


@sqlite_only
def test_an_error_without_a_code_is_grouped_too(house: House) -> None:
    set_id = house.create_open([ad("one")])
    request_id = house.sandbox.ledger()[0]["requests"][0]["id"]
    house.sandbox.override(request_id, status="ERROR_CONFLICTS", result="no object")
    house.clock.move(10)
    house.notify(set_id)
    house.work()
    (failure,) = document(run_set(house, "show", 1, "--json"))["failures"]
    assert (failure["code"], failure["message"]) == (None, "ERROR_CONFLICTS")
    assert failure["request_ids"] == [request_id]


@sqlite_only
def test_a_lost_set_is_shown_with_what_is_being_done(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert house.create().status_code == 409
    shown = words(run_set(house, "show", 1).stdout)
    assert "unknown. Facebook was asked to create it." in shown
    assert "none yet" in shown
    assert "attempt 1 is unknown" in shown


@sqlite_only
def test_a_set_that_was_given_up_says_so(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert house.create().status_code == 409
    assert run_set(house, "abandon", 1, "--reason", "The campaign is over.").exit_code == 0
    shown = words(run_set(house, "show", 1).stdout)
    assert "A person gave it up" in shown
    assert "The campaign is over." in shown


@sqlite_only
def test_only_the_newest_notifications_are_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.lifecycle.story._MOST", 2)
    house.create_open()
    for _ in range(3):
        house.clock.move(1)
        house.notify()
    shown = document(run_set(house, "show", 1, "--json"))
    assert [event["what"] for event in shown["timeline"]].count("notified") == 2
    assert shown["timeline_is_cut"]
    assert "Older notifications and looks are left out." in run_set(house, "show", 1).stdout


@sqlite_only
def test_names_are_shown_as_they_are(house: House) -> None:
    house.create_open(name="[red]Sale[/red] [/]")
    assert "[red]Sale[/red] [/]" in run_set(house, "show", 1).stdout


@sqlite_only
def test_an_unknown_number_is_told_in_words(house: House) -> None:
    result = run_set(house, "show", 99)
    assert (result.exit_code, "There is no set 99." in result.stderr) == (1, True)


@sqlite_only
def test_neither_token_nor_key_is_shown(house: House) -> None:
    collect(house, "one")
    shown = run_set(house, "show", 1).output + run_set(house, "show", 1, "--json").output
    assert not [one for one in (TOKEN, SECRET_KEY, house.key, "/notifications/") if one in shown]
    row = json.loads(run_set(house, "show", 1, "--json").stdout)
    assert not {"lease_token", "row_keys", "ad_specs"} & row.keys()


def test_every_state_verdict_and_advice_has_words() -> None:
    assert set(STATES) == set(intents.STATES)
    assert set(VERDICTS) == set(EVERY_VERDICT)
    assert set(ADVICE) == set(Advice)


@sqlite_only
def test_a_state_of_a_newer_version_is_shown(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).state = "novel"
    assert "novel. novel" in run_set(house, "show", 1).stdout
