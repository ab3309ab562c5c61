from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from rich.console import Console
from sqlalchemy.orm import Session

from receiver.cli.interruption import Interruption
from receiver.cli.set.following import Bars, Lines, Overdue, follow, view_for
from receiver.store import progress
from receiver.store.progress import SetProgress
from tests.support.house import ACCOUNT, House, ad
from tests.support.set_commands import CREATE, run_set

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BY_HAND = {"kind": "by_hand"}


def changes(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def row(number: int, **fields: Any) -> SetProgress:
    shown: dict[str, Any] = {
        "id": number,
        "account_id": ACCOUNT,
        "facebook_id": 100 + number,
        "name": f"set {number}",
        "state": "open",
        "state_reason": None,
        "spec_count": 10,
        "total_count": None,
        "success_count": None,
        "error_count": None,
        "canceled_count": None,
        "verdict": "pending",
    }
    return SetProgress(**{**shown, **fields})


def test_sets_are_followed_to_their_end(house: House) -> None:
    first, second = house.create_open(), house.create_open()
    result = run_set(house, "watch", 1, second, "--json")
    assert result.exit_code == 0, result.output
    shown = changes(result.stdout)
    assert {one["number"] for one in shown} == {1, 2}
    assert [one["state"] for one in shown if one["facebook_id"] == first] == ["open", "collected"]
    assert shown[-1]["success_count"] == 2


def test_the_sets_of_an_account_that_have_no_end_are_followed(house: House) -> None:
    house.create_open()
    assert run_set(house, "watch", "--account", ACCOUNT).exit_code == 0
    house.create_open([ad("fail")])
    result = run_set(house, "watch", "--account", f"act_{ACCOUNT}")
    assert result.exit_code == 1
    assert "set 2 (A set): collected, 1 of 1 done, 1 failed" in result.stdout
    assert "set 1 " not in result.stdout
    nothing = run_set(house, "watch", "--account", ACCOUNT)
    assert (nothing.exit_code, "No set is at work." in nothing.stderr) == (0, True)


@sqlite_only
def test_a_refused_set_ends_it_with_1(house: House) -> None:
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    assert house.create().status_code == 400
    result = run_set(house, "watch", 1)
    assert (result.exit_code, "rejected" in result.stdout) == (1, True)


@sqlite_only
def test_a_request_whose_end_counts_as_nothing_ends_it_with_1(house: House) -> None:
    set_id = house.create_open([ad("one"), ad("two")])
    house.notify()
    (there,) = house.sandbox.ledger()
    house.sandbox.override(there["requests"][0]["id"], status="PAUSED_BY_REVIEW")
    house.sandbox.override(set_id, success_count=1)
    # For a while it may still become something that is known.
    for _ in range(3):
        house.work()
        house.let_time_pass(1000)
    result = run_set(house, "watch", 1)
    assert (result.exit_code, "collected, 1 of 2 done" in result.stdout) == (1, True)


@sqlite_only
def test_time_that_is_up_ends_it_with_4(house: House) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND)
    house.create_open()
    result = run_set(house, "watch", 1, "--timeout-seconds", 0)
    assert (result.exit_code, "Not every set" in result.stderr) == (4, True)


@sqlite_only
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_it_with_130_at_once_or_when_what_was_read_is_shown(
    house: House, presses: int
) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND)
    house.create_open()

    read = progress.of_sets

    def press_and_read(session: Session, numbers: Sequence[int]) -> list[SetProgress]:
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        return read(session, numbers)

    with mock.patch.object(progress, "of_sets", press_and_read):
        result = run_set(house, "watch", 1, "--timeout-seconds", 10)
    assert (result.exit_code, result.stdout.count("set 1 ")) == (130, 2 - presses)


@sqlite_only
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name the sets, or an --account."),
        (["99"], "There is no set 99."),
        (["x"], "'x'"),
        (["--account", "act_4711"], "act_4711 is not known"),
    ],
)
def test_wrong_use_ends_it_with_2(house: House, arguments: list[str], sentence: str) -> None:
    result = run_set(house, "watch", *arguments)
    assert (result.exit_code, sentence in result.stderr) == (2, True)


@sqlite_only
def test_a_set_that_is_gone_is_not_waited_for(house: House) -> None:
    view = Lines(Console(file=StringIO()))
    assert follow(house.parts.database, [99], view=view, interruption=Interruption()) == []


@sqlite_only
def test_what_is_overdue_says_how_far_it_is(house: House) -> None:
    house.create_open()
    view = Lines(Console(file=StringIO()))
    with pytest.raises(Overdue) as raised:
        follow(
            house.parts.database,
            [1],
            view=view,
            interruption=Interruption(),
            timeout_seconds=0,
        )
    assert [one.id for one in raised.value.rows] == [1]


def test_lines_are_printed_only_for_what_changed() -> None:
    output = StringIO()
    lines = Lines(Console(file=output, width=200))
    for rows in ([row(1), row(2)], [row(1), row(2, success_count=4)], [row(1)]):
        lines.update(rows)
    printed = output.getvalue().splitlines()
    assert [line.split(" s  ")[1] for line in printed] == [
        "set 1 (set 1): open, 0 of 10 done",
        "set 2 (set 2): open, 0 of 10 done",
        "set 2 (set 2): open, 4 of 10 done",
    ]


def test_a_terminal_shows_as_many_sets_as_it_has_lines_for_those_at_work_first() -> None:
    output = StringIO()
    console = Console(file=output, force_terminal=True, width=120, height=10)
    view = view_for(console)
    assert isinstance(view, Bars)
    with view.showing():
        view.update([row(number, state="collected") for number in range(1, 50)] + [row(50)])
    shown = output.getvalue()
    assert "set 50" in shown
    assert "set 20" not in shown
    assert "49 of 50 sets at an end; 44 not shown" in shown


@pytest.mark.parametrize(
    ("fields", "went_wrong"),
    [
        ({"state": "collected", "success_count": 10}, False),
        ({"state": "collected", "success_count": 9, "error_count": 1}, True),
        ({"state": "collected", "success_count": 9, "canceled_count": 1}, True),
        ({"state": "collected", "success_count": 9}, True),
        ({"state": "collected", "success_count": 9, "total_count": 9}, False),
        ({"state": "open", "error_count": 1}, True),
        ({"state": "rejected"}, True),
        ({"state": "stuck"}, True),
        ({}, False),
    ],
)
def test_a_set_went_wrong_if_anything_of_it_was_not_carried_out(
    fields: dict[str, Any], *, went_wrong: bool
) -> None:
    assert row(1, **fields).went_wrong == went_wrong


@sqlite_only
def test_many_sets_are_read_in_several_statements(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        house.create_open()
    monkeypatch.setattr(progress, "_AT_ONCE", 2)
    with house.parts.database.reading() as session:
        found = progress.of_sets(session, [5, 1, 2, 3, 4, 4, 99])
        newest = progress.ids_without_end(session, ACCOUNT, limit=2)
    assert ([one.id for one in found], newest) == ([1, 2, 3, 4, 5], [4, 5])
