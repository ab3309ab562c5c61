from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import undefer

from receiver.graph.usage import Usage
from receiver.lifecycle.spending import correct
from receiver.store import intents
from receiver.store.database import DatabaseAway
from receiver.store.models import IdempotencyKey, RequestSet
from tests.support.house import ACCOUNT, SECRET_KEY, TOKEN, House
from tests.support.set_commands import (
    CREATE,
    ads_file,
    at_create,
    create_sets,
    document,
    interrupted_during,
    states,
)

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stored_sets(house: House) -> list[RequestSet]:
    with house.parts.database.reading() as session:
        every = select(RequestSet).options(
            undefer(RequestSet.ad_specs), undefer(RequestSet.row_keys)
        )
        return list(session.scalars(every.order_by(RequestSet.id)))


def names_at_facebook(house: House) -> list[str]:
    return house.sandbox.set_names()


def test_a_file_becomes_sets_with_the_rows_own_keys(house: House, tmp_path: Path) -> None:
    result = create_sets(house, ads_file(tmp_path, 5), "--size", 2, "--name", "Autumn")
    assert result.exit_code == 0, result.output
    assert names_at_facebook(house) == ["Autumn 1/3", "Autumn 2/3", "Autumn 3/3"]
    rows = stored_sets(house)
    assert [json.loads(row.row_keys or b"") for row in rows] == [["k1", "k2"], ["k3", "k4"], ["k5"]]
    assert json.loads(rows[2].ad_specs) == [{"name": "ad 5", "adset_id": "5"}]
    assert [row.state for row in rows] == [intents.OPEN] * 3
    assert "3 of 3 sets at Facebook." in result.stdout


def test_the_same_file_is_joined_and_nothing_is_made_twice(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 5)
    first, second = (create_sets(house, file, "--size", 2, "--json") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    made, joined = document(first)["sets"], document(second)["sets"]
    assert [one["facebook_id"] for one in made] == [one["facebook_id"] for one in joined]
    assert [one["is_joined"] for one in made + joined] == [False] * 3 + [True] * 3
    assert len(house.sandbox.ledger()) == 3


def test_ctrl_c_ends_after_the_set_under_way_and_the_same_command_goes_on(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 8)
    with interrupted_during(call=2):
        interrupted = create_sets(house, file, "--size", 2, "--json")
    assert interrupted.exit_code == 130
    assert states(interrupted) == ["open", "open", "not_sent", "not_sent"]
    assert "Run the same command to go on" in interrupted.stderr
    assert len(house.sandbox.ledger()) == 2
    again = create_sets(house, file, "--size", 2, "--json")
    assert (again.exit_code, states(again)) == (0, ["open"] * 4)
    assert names_at_facebook(house) == [f"ads {number}/4" for number in range(1, 5)]


@sqlite_only
def test_a_second_ctrl_c_tears_the_call_apart_and_its_set_is_never_sent_again(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 4)
    house.sandbox.trouble("hold", effect="before", **CREATE)

    def press_twice() -> None:
        while not house.sandbox.ledger():
            time.sleep(0.02)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    presses = threading.Thread(target=press_twice)
    presses.start()
    torn = create_sets(house, file, "--size", 2, "--json")
    presses.join()
    house.sandbox.release()
    assert (torn.exit_code, states(torn)) == (130, ["submitting", "not_sent"])
    again = create_sets(house, file, "--size", 2, "--json")
    assert (again.exit_code, states(again)) == (3, ["submitting", "open"])
    # Once its sender counts as gone, the worker finds it at Facebook.
    house.let_time_pass(200)
    house.work()
    last = create_sets(house, file, "--size", 2, "--json")
    assert (last.exit_code, states(last)) == (0, ["collected", "collected"])
    assert sorted(names_at_facebook(house)) == ["ads 1/2", "ads 2/2"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_lost_answer_is_being_found_out_and_never_sent_again(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 6)
    house.sandbox.trouble("commit_then_drop", **CREATE)
    lost = create_sets(house, file, "--size", 2)
    assert lost.exit_code == 3, lost.output
    assert "2 of 3 sets at Facebook, 1 being found out." in lost.stdout
    assert create_sets(house, file, "--size", 2).exit_code == 3
    house.let_time_pass(30)
    house.work()
    found = create_sets(house, file, "--size", 2, "--json")
    assert found.exit_code == 0
    assert len(house.sandbox.ledger()) == 3


@sqlite_only
def test_waiting_brings_a_lost_set_to_its_end_too(house: House, tmp_path: Path) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    result = create_sets(house, ads_file(tmp_path, 4), "--size", 2, "--wait", "--json")
    assert (result.exit_code, states(result)) == (0, ["collected", "collected"]), result.output
    assert (document(result)["success_count"], document(result)["error_count"]) == (4, 0)


@sqlite_only
def test_waiting_ends_with_1_where_a_request_failed_and_shows_the_totals(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 4, name="fail.ndjson")
    file.write_text(file.read_text().replace("ad 3", "ad 3 fail"))
    result = create_sets(house, file, "--size", 2, "--wait")
    assert result.exit_code == 1
    assert "4 ads: 3 succeeded, 1 failed, 0 canceled" in result.stdout
    # Without --wait it is about creating, and everything is there.
    assert create_sets(house, file, "--size", 2).exit_code == 0


@sqlite_only
def test_a_throttled_account_is_waited_for(house: House, tmp_path: Path) -> None:
    house.sandbox.trouble("throttle", seconds=90, code=80004, **CREATE)
    result = create_sets(house, ads_file(tmp_path, 4), "--size", 2)
    assert result.exit_code == 0, result.output
    assert "Waiting until" in result.stderr
    assert names_at_facebook(house) == ["ads 1/2", "ads 2/2"]


@sqlite_only
def test_points_that_are_used_up_are_waited_for(house: House, tmp_path: Path) -> None:
    correct(house.parts.tools, ACCOUNT, Usage(tier="development_access", score_percent=95))
    result = create_sets(house, ads_file(tmp_path, 2), "--size", 2)
    assert result.exit_code == 0, result.output
    assert "95 % of a limit is used" in result.stderr
    # Nothing was tried before there was room.
    assert [call["method"] for call in house.sandbox.calls()["calls"]].count("POST") == 1


@sqlite_only
def test_ctrl_c_ends_a_wait_at_once(house: House, tmp_path: Path) -> None:
    house.sandbox.trouble("throttle", seconds=90, code=80004, **CREATE)
    with interrupted_during(call=1):
        result = create_sets(house, ads_file(tmp_path, 2), "--json")
    assert (result.exit_code, states(result)) == (130, ["not_sent"])


@sqlite_only
def test_a_refused_set_does_not_keep_the_others_from_being_sent(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 6)
    house.sandbox.trouble("graph_error", code=100, message="Nobody wants this.", **CREATE)
    result = create_sets(house, file, "--size", 2, "--json")
    assert (result.exit_code, states(result)) == (1, ["rejected", "open", "open"])
    refused = document(result)["sets"][0]
    assert "Nobody wants this." in refused["reason"]
    assert (refused["first_row"], refused["last_row"], refused["number"]) == (1, 2, 1)
    # A refusal that is final is the answer to the same command too.
    again = create_sets(house, file, "--size", 2)
    assert again.exit_code == 1
    assert "Nobody wants this." in again.stdout


@sqlite_only
def test_a_refusal_that_passes_is_tried_again(house: House, tmp_path: Path) -> None:
    house.sandbox.trouble("graph_error", code=1487390, http_status=400, count=2, **CREATE)
    result = create_sets(house, ads_file(tmp_path, 2), "--json")
    assert (result.exit_code, states(result)) == (0, ["open"]), result.output


@sqlite_only
def test_a_token_that_is_out_of_date_ends_the_sending(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 6)
    house.sandbox.trouble("graph_error", code=190, **CREATE)
    result = create_sets(house, file, "--size", 2, "--json")
    assert (result.exit_code, states(result)) == (1, ["rejected", "not_sent", "not_sent"])
    assert "A person has to act first" in result.stderr
    # The account is parked: nothing is asked, and nobody waits for ever.
    parked = create_sets(house, file, "--size", 2, "--json")
    assert (parked.exit_code, states(parked)) == (1, ["not_sent"] * 3)
    assert "receiver account add" in parked.stderr
    house.replace_token()
    assert create_sets(house, file, "--size", 2).exit_code == 0
    assert len(house.sandbox.ledger()) == 3


@sqlite_only
def test_a_facebook_that_cannot_be_reached_ends_the_sending(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)
    away = create_sets(house, file, "--size", 2, "--json", RECEIVER_GRAPH_URL="http://127.0.0.1:9")
    assert (away.exit_code, states(away)) == (1, ["rejected", "not_sent"])
    assert "Facebook cannot be reached" in away.stderr
    assert create_sets(house, file, "--size", 2).exit_code == 0


@sqlite_only
def test_a_database_that_goes_away_ends_the_sending(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)

    def go_away() -> None:
        raise DatabaseAway("it went away")

    with at_create(2, go_away):
        result = create_sets(house, file, "--size", 2, "--json")
    assert (result.exit_code, states(result)) == (1, ["open", "not_sent"])
    assert "it went away" in result.stderr


OTHER_OPTIONS = [
    ("--size", "3"),
    ("--size", "500"),
    ("--name", "Other"),
    ("--notification-uri", "https://caller.test/hook"),
    ("--key-column", "name"),
]


@sqlite_only
@pytest.mark.parametrize("other", OTHER_OPTIONS)
def test_other_options_for_the_same_file_are_refused_before_anything_is_sent(
    house: House, tmp_path: Path, other: tuple[str, str]
) -> None:
    file = ads_file(tmp_path, 4)
    assert create_sets(house, file, "--size", 2).exit_code == 0
    for more in ([], ["--json"], ["--dry-run"]):
        refused = create_sets(house, file, "--size", 2, *other, *more)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "Set 1 was made of this file with other options" in refused.stderr
        assert "--again" in refused.stderr
    assert names_at_facebook(house) == ["ads 1/2", "ads 2/2"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("other", OTHER_OPTIONS)
def test_other_options_are_refused_too_where_only_the_last_set_was_made(
    house: House, tmp_path: Path, other: tuple[str, str]
) -> None:
    file = ads_file(tmp_path, 4)
    house.sandbox.trouble("graph_error", code=1487390, http_status=400, count=3, **CREATE)
    made = create_sets(house, file, "--size", 2, "--json")
    assert (made.exit_code, states(made)) == (1, ["rejected", "open"])
    refused = create_sets(house, file, "--size", 2, *other)
    assert (refused.exit_code, "Nothing was sent." in refused.stderr) == (2, True)
    assert names_at_facebook(house) == ["ads 2/2"]


@sqlite_only
def test_another_size_that_makes_the_same_sets_joins_them(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)
    assert create_sets(house, file).exit_code == 0
    joined = document(create_sets(house, file, "--size", 4, "--json"))
    assert [one["is_joined"] for one in joined["sets"]] == [True]


@sqlite_only
def test_a_file_that_was_saved_again_is_the_same_file(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)
    assert create_sets(house, file).exit_code == 0
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert create_sets(house, file).exit_code == 0
    assert len(house.sandbox.ledger()) == 1


@sqlite_only
def test_of_two_commands_that_divide_a_file_otherwise_at_once_one_sends_it(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 4)
    with at_create(1, lambda: create_sets(house, file, "--name", "First")):
        second = create_sets(house, file, "--size", 2, "--json")
    # It had begun to send, so it does not end with the code for what never did.
    assert (second.exit_code, states(second)) == (1, ["not_sent", "not_sent"])
    assert "Set 1 was made of this file with other options" in second.stderr
    assert names_at_facebook(house) == ["First 1/1"]


@sqlite_only
def test_the_same_file_is_sent_once_more_on_purpose(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)
    assert create_sets(house, file).exit_code == 0
    with interrupted_during(call=1):
        again = create_sets(house, file, "--size", 2, "--again", "--json")
    prefix = document(again)["idempotency_prefix"]
    assert f"--idempotency-prefix {prefix} instead of --again" in again.stderr
    went_on = create_sets(house, file, "--size", 2, "--idempotency-prefix", prefix)
    assert went_on.exit_code == 0
    assert names_at_facebook(house) == ["ads 1/1", "ads 1/2", "ads 2/2"]
    keys = [row.key for row in house.rows(IdempotencyKey) if row.key.startswith(prefix)]
    assert keys == [f"{prefix}-1", f"{prefix}-2"]


@sqlite_only
def test_how_to_go_on_is_said_before_a_file_is_sent_once_more(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 4)

    def die() -> None:
        raise RuntimeError("killed")

    with at_create(2, die):
        died = create_sets(house, file, "--size", 2, "--again")
    (prefix,) = re.findall(r"--idempotency-prefix (\S+) instead of --again", died.stderr)
    went_on = create_sets(house, file, "--size", 2, "--idempotency-prefix", prefix)
    assert went_on.exit_code == 0
    assert names_at_facebook(house) == ["ads 1/2", "ads 2/2"]


@sqlite_only
@pytest.mark.parametrize(
    ("bad", "sentences"),
    [
        ("{nonsense", ["Line 4 is not JSON"]),
        ('{"row_key": "k1"}', ["Line 4 has the key 'k1', as line 1 has."]),
        ('{"name": "\\u0000", "row_key": "z"}', ["Line 4 holds U+0000"]),
        ("{nonsense\n[]\n{}", ["Line 4 is", "Line 5 is", "Line 6 has no key."]),
        ("\n".join("{" for _ in range(20)), ["Line 4 is not", "Line 13 is not"]),
    ],
)
def test_a_bad_line_in_the_middle_is_told_and_nothing_is_sent(
    house: House, tmp_path: Path, bad: str, sentences: list[str]
) -> None:
    file = ads_file(tmp_path, 8)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:3], bad, *lines[4:]]))
    result = create_sets(house, file, "--size", 2)
    assert result.exit_code == 2
    for sentence in [*sentences, "Nothing was sent."]:
        assert sentence in result.stderr, result.stderr
    assert "Line 14" not in result.stderr
    assert (house.sandbox.ledger(), house.rows(RequestSet)) == ([], [])


@sqlite_only
@pytest.mark.parametrize(
    ("options", "text", "sentence"),
    [
        ([], "", "The file holds no ads."),
        (["--notification-uri", "nonsense"], '{"name": "a"}\n', "notification_uri"),
        (["--name", ""], '{"name": "a"}\n', "name is required"),
        (["--key", "nobody"], '{"name": "a"}\n', "There is no key named 'nobody'"),
        (["--size", "1001"], '{"name": "a"}\n', "1001 is not in the range"),
        (["--again", "--idempotency-prefix", "x"], "{}\n", "exclude each other"),
        (["--idempotency-prefix", "x" * 201], "{}\n", "at most 200 characters"),
        (["--account", "4711"], "{}\n", "act_4711 is not known"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_sent(
    house: House, tmp_path: Path, options: list[str], text: str, sentence: str
) -> None:
    file = tmp_path / "ads.ndjson"
    file.write_text(text)
    result = create_sets(house, file, *options)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output
    assert house.sandbox.calls()["calls"] == []


@sqlite_only
def test_a_set_that_is_larger_than_a_create_may_be_is_refused(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 50)
    result = create_sets(house, file, RECEIVER_REQUEST_BODY_LIMIT_BYTES="1000")
    assert (result.exit_code, "choose a --size smaller" in result.stderr) == (2, True)
    small = create_sets(house, file, "--size", 5, RECEIVER_REQUEST_BODY_LIMIT_BYTES="1000")
    assert small.exit_code == 0


@sqlite_only
def test_a_format_that_the_name_does_not_tell_has_to_be_said(house: House, tmp_path: Path) -> None:
    file = ads_file(tmp_path, 1, name="ads.txt")
    result = create_sets(house, file)
    assert (result.exit_code, "--format" in result.stderr) == (2, True)
    assert create_sets(house, file, "--format", "ndjson").exit_code == 0


@sqlite_only
def test_a_csv_file_comes_by_standard_input(house: House) -> None:
    text = "\ufeffrow_key,name,adset_id,creative.creative_id\r\na,Straße,5,7\r\nb,other,5,\r\n"
    arguments = ["-", "--format", "csv", "--json"]
    result = create_sets(house, *arguments, text=text)
    assert result.exit_code == 0, result.output
    (row,) = stored_sets(house)
    assert json.loads(row.ad_specs) == [
        {"name": "Straße", "adset_id": "5", "creative": {"creative_id": "7"}},
        {"name": "other", "adset_id": "5"},
    ]
    assert (json.loads(row.row_keys or b""), row.name) == (["a", "b"], "Standard input 1/1")
    assert document(create_sets(house, *arguments, text=text))["sets"][0]["is_joined"]


@sqlite_only
def test_a_rehearsal_shows_the_sets_and_their_cost_and_sends_nothing(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 5)
    rehearsed = create_sets(house, file, "--size", 2, "--dry-run")
    assert rehearsed.exit_code == 0
    assert "5 ads in 3 sets" in rehearsed.stdout
    assert "costs 9 points; 0 of 9000 are used now" in rehearsed.stdout
    assert house.sandbox.calls()["calls"] == []
    with interrupted_during(call=1):
        create_sets(house, file, "--size", 2)
    shown = document(create_sets(house, file, "--size", 2, "--dry-run", "--json"))
    assert shown["points"] == 6
    assert [one["number"] for one in shown["sets"]] == [1, None, None]
    assert [(one["first_row"], one["last_row"]) for one in shown["sets"]] == [
        (1, 2),
        (3, 4),
        (5, 5),
    ]


@sqlite_only
def test_the_caller_is_told_where_it_wants_to_be(house: House, tmp_path: Path) -> None:
    uri = "https://caller.test/hook"
    assert create_sets(house, ads_file(tmp_path, 2), "--notification-uri", uri).exit_code == 0
    row = house.the_set()
    assert (row.caller_notification_uri, row.caller_notification_mode) == (uri, "ON_COMPLETE")
    # Facebook knows ours.
    assert "/notifications/" in house.sandbox.ledger()[0]["notification_uri"]


@sqlite_only
def test_sets_are_made_in_a_keys_name(house: House, tmp_path: Path) -> None:
    result = create_sets(house, ads_file(tmp_path, 2), "--key", f"key of {ACCOUNT}")
    assert result.exit_code == 0, result.output
    assert house.the_set().api_key_id is not None


@sqlite_only
def test_no_secret_is_printed(house: House, tmp_path: Path) -> None:
    house.sandbox.trouble("graph_error", code=100, message=f"access_token={TOKEN}", **CREATE)
    house.sandbox.trouble("commit_then_drop", **CREATE)
    result = create_sets(house, ads_file(tmp_path, 6), "--size", 2)
    assert TOKEN not in result.output
    assert SECRET_KEY not in result.output
    assert "/notifications/" not in result.output
