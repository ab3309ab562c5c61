"""receiver export: whole files or none, as tables or lines."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from receiver.cli.interruption import Interrupted
from receiver.store.database import DatabaseAway
from receiver.store.lists import paging
from tests.support.house import House, ad
from tests.support.set_commands import run

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def with_sets(house: House) -> None:
    for name in ("one", "two"):
        house.notify(house.create_open([ad("good"), ad("fail")], name=name))
        house.work()


def test_lines_go_to_standard_output_and_nothing_else(house: House) -> None:
    with_sets(house)

    sets = run(house, "export", "sets")
    requests = run(house, "export", "requests", "--set", 1, "--status", "error")
    assert (sets.exit_code, requests.exit_code) == (0, 0), sets.output + requests.output

    assert [json.loads(line)["name"] for line in sets.stdout.splitlines()] == ["one", "two"]
    (failed,) = map(json.loads, requests.stdout.splitlines())
    assert (failed["request_set_id"], failed["spec_index"]) == ("1", 1)


@sqlite_only
def test_a_files_ending_says_its_format(house: House, tmp_path: Path) -> None:
    with_sets(house)
    table, lines = tmp_path / "sets.CSV", tmp_path / "sets.txt"

    assert run(house, "export", "sets", "--output", table).exit_code == 0
    assert run(house, "export", "sets", "--output", lines, "--name", "two").exit_code == 0

    with table.open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["one", "two"]
    assert json.loads(lines.read_text())["name"] == "two"
    assert sorted(path.name for path in tmp_path.iterdir() if "sets" in path.name) == [
        "sets.CSV",
        "sets.txt",
    ]


@sqlite_only
@pytest.mark.parametrize(
    ("error", "exit_code"), [(DatabaseAway("gone"), 1), (Interrupted(), 130)], ids=repr
)
def test_a_file_that_cannot_become_whole_is_not_there(
    house: House, tmp_path: Path, error: Exception, exit_code: int
) -> None:
    with_sets(house)
    output = tmp_path / "sets.csv"
    output.write_text("what was there before")

    real = paging.read_page
    read: list[int] = []

    def first_page_only(session: Any, listing: Any, **named: Any) -> Any:
        if read:
            raise error
        read.append(1)
        return real(session, listing, **{**named, "limit": 1})

    with mock.patch.object(paging, "read_page", first_page_only):
        result = run(house, "export", "sets", "--output", output)

    assert (read, result.exit_code) == ([1], exit_code)
    assert output.read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@sqlite_only
def test_two_exports_into_one_file_leave_a_whole_one(house: House, tmp_path: Path) -> None:
    with_sets(house)
    output = tmp_path / "sets.csv"
    real = paging.read_page
    others: list[int] = []

    def beside_another(*arguments: Any, **named: Any) -> Any:
        if not others:
            others.append(1)
            assert run(house, "export", "sets", "--output", output).exit_code == 0
        return real(*arguments, **named)

    with mock.patch.object(paging, "read_page", beside_another):
        result = run(house, "export", "sets", "--output", output)

    assert (result.exit_code, others) == (0, [1])
    assert len(output.read_text().splitlines()) == 3
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_sets_and_requests_are_named_by_their_numbers_and_ids(house: House) -> None:
    with_sets(house)
    ids = [json.loads(line)["id"] for line in run(house, "export", "requests").stdout.splitlines()]

    sets = run(house, "export", "sets", "--request-set", "2,9")
    requests = run(house, "export", "requests", "--id", f"{ids[0]},{ids[3]}")

    assert [json.loads(line)["id"] for line in sets.stdout.splitlines()] == ["2"]
    assert [json.loads(line)["id"] for line in requests.stdout.splitlines()] == [ids[0], ids[3]]


@sqlite_only
def test_ctrl_c_ends_an_export_also_while_nothing_meets_its_filters(house: House) -> None:
    with_sets(house)
    real = paging.read_page

    def interrupted(*arguments: Any, **named: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments, **named)

    with mock.patch.object(paging, "read_page", interrupted):
        result = run(house, "export", "sets", "--name", "nothing is called so")

    assert result.exit_code == 130
    assert "Interrupted" in result.stderr


@sqlite_only
def test_what_is_no_file_is_written_to_and_not_replaced(house: House, tmp_path: Path) -> None:
    with_sets(house)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_text)
        assert run(house, "export", "sets", "--output", pipe).exit_code == 0
        assert len(read.result(10).splitlines()) == 2
    assert pipe.is_fifo()


@sqlite_only
def test_a_link_leads_to_the_file_that_is_written(house: House, tmp_path: Path) -> None:
    with_sets(house)
    target, link = tmp_path / "sets.csv", tmp_path / "newest.csv"
    link.symlink_to(target)

    assert run(house, "export", "sets", "--output", link).exit_code == 0

    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 3


@sqlite_only
@pytest.mark.parametrize("output", ["/dev/full", "-"])
def test_a_disk_that_is_full_is_said_in_words(house: House, output: str) -> None:
    with_sets(house)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        mock.patch("receiver.cli.export._copy", side_effect=full)
        if output == "-"
        else (nullcontext())
    ):
        result = run(house, "export", "sets", "--output", output)

    assert result.exit_code == 1
    assert f"{output} cannot be written: No space left on device" in result.stderr


@sqlite_only
@pytest.mark.parametrize("what", ["sets", "requests"])
def test_an_account_that_nobody_added_is_refused(house: House, tmp_path: Path, what: str) -> None:
    output = tmp_path / "file.csv"
    refused = run(house, "export", what, "--account", "act_4711", "--output", output)
    assert (refused.exit_code, "act_4711 is not known" in refused.stderr) == (2, True)
    assert not output.exists()


@sqlite_only
def test_what_cannot_be_written_or_meant_is_said(house: House, tmp_path: Path) -> None:
    missing = run(house, "export", "sets", "--output", tmp_path / "no" / "sets.csv")
    wrong = run(house, "export", "requests", "--error-code", "x")

    assert (missing.exit_code, wrong.exit_code) == (1, 2)
    assert "cannot be written" in missing.output
    assert "error_code" in wrong.output
