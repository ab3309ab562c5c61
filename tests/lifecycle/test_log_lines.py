"""What is logged about a set names it, its account, and Facebook's own name for the call."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from receiver.lifecycle import step
from tests.support.facebook import client_of
from tests.support.house import ACCOUNT, TOKEN, House, add_account
from tests.support.lying_server import answering, http_answer, lying_server

# Which database it is makes no difference to a line.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


def the_line(lines: Lines, event: str) -> MutableMapping[str, Any]:
    (line,) = [line for line in lines if line["event"] == event]
    return line


def test_a_look_that_fails_names_the_set_the_account_and_the_trace(
    house: House, lines: Lines
) -> None:
    house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("graph_error", code=190, method="GET", count=3)
    house.work()
    line = the_line(lines, "A look led to nothing: the set is put off")
    assert (line["request_set_id"], line["account_id"]) == (house.the_set().id, ACCOUNT)
    assert line["fbtrace_id"]
    parked = the_line(lines, "An account is parked")
    assert parked["fbtrace_id"] == line["fbtrace_id"]
    assert parked["request_set_id"] == line["request_set_id"]


def test_a_create_that_facebook_refuses_names_them_too(house: House, lines: Lines) -> None:
    house.sandbox.trouble("graph_error", code=100, method="POST")
    assert house.create().status_code == 400
    line = the_line(lines, "A create made nothing")
    assert (line["request_set_id"], line["account_id"]) == (house.the_set().id, ACCOUNT)
    assert line["fbtrace_id"]
    assert line["log_level"] == "info"


def test_a_create_whose_outcome_is_unknown_is_a_warning(house: House, lines: Lines) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST")
    assert house.create().status_code == 409
    line = the_line(lines, "The outcome of a create is unknown")
    assert (line["request_set_id"], line["log_level"]) == (house.the_set().id, "warning")
    assert line["fbtrace_id"] is None


def test_an_answer_without_a_body_is_named_by_its_header(house: House, lines: Lines) -> None:
    headers = {"Content-Type": "text/html", "X-FB-Trace-Id": "AbCdEf"}
    answer = http_answer(b"<html>", status=502, headers=headers)
    house.create_open()
    house.clock.move(60)
    with lying_server(answering(answer)) as server, closing(client_of(server.url)) as client:
        assert step.advance(replace(house.parts.tools, client=client))
    assert the_line(lines, "A look led to nothing: the set is put off")["fbtrace_id"] == "AbCdEf"


def test_every_set_that_one_call_was_for_has_a_line_of_its_own(house: House, lines: Lines) -> None:
    for _ in range(2):
        house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("graph_error", code=190, method="POST", path="^/$", count=3)
    house.work()
    named = {line["request_set_id"] for line in lines if line["event"].startswith("A look led")}
    assert named == {1, 2}


def test_nothing_is_named_any_more_when_the_work_is_done(house: House) -> None:
    add_account(house.parts, 99)
    house.create_open()
    house.clock.move(60)
    assert step.advance(house.parts.tools)
    assert get_contextvars() == {}


def test_no_line_holds_the_token(house: House, lines: Lines) -> None:
    house.sandbox.trouble("graph_error", code=100, method="POST", message=f"It is {TOKEN}")
    house.create()
    assert lines
    assert TOKEN not in str(lines)
