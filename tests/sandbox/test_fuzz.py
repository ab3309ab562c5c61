"""Whatever is thrown at the sandbox, it answers like Graph, soon, and goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.sandbox import app
from receiver.sandbox.calls.messages import Answer, Call
from receiver.sandbox.control.routes import ROUTES, Route
from tests.support.fuzz import HOST, ODD_JSON, calls, encode_form
from tests.support.in_process import InProcessGraph, StillSandbox

STATUSES = (200, 304, 400, 403, 404, 500)
FIRST_ERROR = 400
LISTS = (
    *("asyncadrequestsets", "asyncadcreatives", "async_requests"),
    *("ads", "adsets", "campaigns", "adcreatives", "adimages"),
)


def fail_with_what_happened(*_: object) -> NoReturn:
    """Stand in for the log of a fault of ours, and let the fault itself come out."""
    raise  # noqa: PLE0704  # the handler that logs is running


@contextmanager
def no_fault_passes() -> Iterator[None]:
    with mock.patch.object(app._log, "exception", side_effect=fail_with_what_happened):
        yield


def prepare() -> tuple[StillSandbox, dict[str, str]]:
    """Return a sandbox with a set that is under way, and the ids that exist in it."""
    graph = InProcessGraph()
    graph.control("accounts/1", progress={"kind": "after_reads", "reads": 3}, next_sets=1)
    specs = json.dumps([{"name": f"ad {n}", "adset_id": "5"} for n in range(3)])
    made = graph.post("/act_1/asyncadrequestsets", name="set", ad_specs=specs)["id"]
    request = graph.get(f"/{made}/requests")["data"][0]["id"]
    creative = graph.post("/act_1/adcreatives", name="c", object_story_spec="{}")["id"]
    using = json.dumps({"creative_id": creative})
    ad = graph.post("/act_1/ads", name="ad", adset_id="5", creative=using)["id"]
    return graph.sandbox, {"SET": made, "REQUEST": request, "AD": ad, "CREATIVE": creative}


def fill_in(call: Call, ids: dict[str, str]) -> Call:
    path, query, body = call.path, call.query, call.body
    for name, value in ids.items():
        path, query = path.replace(name, value), query.replace(name, value)
        body = body.replace(name.encode(), value.encode())
    return replace(call, path=path, query=query, body=body)


def answer_soon(sandbox: StillSandbox, call: Call) -> Answer:
    """Answer a call, which may take a second of this thread's own time."""
    begun_at = time.thread_time()
    answer = app.answer_call(sandbox, call)
    assert time.thread_time() - begun_at < 1
    return answer


def check_answer(answer: Answer) -> None:
    assert answer.status in STATUSES
    for name, value in (*answer.headers, ("Content-Type", answer.content_type)):
        assert (name + value).isascii()
        assert (name + value).isprintable()
    if answer.status == 304:
        assert answer.body == b""
        return
    shown = json.loads(answer.body, parse_constant=refuse_constant)
    if answer.status >= FIRST_ERROR:
        check_error(shown)
    for entry in shown if isinstance(shown, list) else ():
        check_entry(entry)


def refuse_constant(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def check_error(shown: Any) -> None:
    error = shown["error"]
    assert error["message"] != "An unknown error has occurred."
    assert all(error[name] for name in ("message", "type", "fbtrace_id"))
    if error["type"] != "GraphBatchException":  # which has no code (the facts, section 4)
        assert isinstance(error["code"], int)


def check_entry(entry: Any) -> None:
    """Check one operation's answer as if it were a call's own."""
    if entry is None:
        return
    assert entry["code"] in STATUSES
    if entry["code"] == 304:
        assert entry["body"] is None
        return
    shown = json.loads(entry["body"], parse_constant=refuse_constant)
    if entry["code"] >= FIRST_ERROR:
        check_error(shown)


def check_that_all_can_still_be_read(sandbox: StillSandbox) -> None:
    for edge in LISTS:
        call = Call("GET", HOST, f"/act_1/{edge}", "access_token=t&limit=500", {}, b"")
        answer = answer_soon(sandbox, call)
        assert answer.status == 200, (edge, answer.body)
    ledger = app.answer_call(sandbox, Call("GET", HOST, "/sandbox/ledger", "", {}, b""))
    assert json.loads(ledger.body)["sets"]


def check_story(story: list[Call]) -> None:
    sandbox, ids = prepare()
    with no_fault_passes():
        for call in story:
            check_answer(answer_soon(sandbox, fill_in(call, ids)))
        check_that_all_can_still_be_read(sandbox)


STORIES = st.lists(calls(), min_size=1, max_size=4)


@settings(max_examples=200)
@given(STORIES)
def test_whatever_is_called_the_answer_is_graphs(story: list[Call]) -> None:
    check_story(story)


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=3000)
@given(STORIES)
def test_whatever_is_called_for_long_the_answer_is_graphs(story: list[Call]) -> None:
    check_story(story)


@pytest.mark.parametrize("depth", [65, 500, 900, 980])
@pytest.mark.parametrize("key", ["targeting", "name", "adset_id"])
def test_an_operation_that_is_nested_too_deeply_is_refused(key: str, depth: int) -> None:
    sandbox, _ = prepare()
    nested = "[" * depth + "]" * depth
    adbatch = '[{"name": "a", "relative_url": "act_1/ads", "body": {"KEY": NESTED}}]'
    adbatch = adbatch.replace("KEY", key).replace("NESTED", nested)
    form = encode_form([("name", "x"), ("adbatch", adbatch), ("fields", "requests{input,result}")])
    path = "/act_1/async_batch_requests"
    with no_fault_passes():
        answer = answer_soon(sandbox, Call("POST", HOST, path, "access_token=t", {}, form.encode()))
        check_that_all_can_still_be_read(sandbox)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, 100)


CONTROL_NAMES = st.sampled_from(
    [
        *("progress", "notification", "next_sets", "edge", "limits", "count", "days", "token"),
        *("accounts", "requests", "id", "fields", "kind", "path", "latency_ms", "unfinished"),
        *("timeout_seconds", "move_seconds", "frozen", "seconds", "probability", "seed"),
    ]
)
CONTROL_VALUES = ODD_JSON | st.sampled_from(
    [
        *({"kind": "late", "seconds": 9e9}, {"kind": "after_reads", "reads": 10**30}, "by_hand"),
        *("slow", "graph_error", "hold", "(", "(?P<a", 10**30, 1e308, -1, [1], {"id": "x"}),
    ]
)


@settings(max_examples=300)
@given(
    route=st.sampled_from(ROUTES),
    set_id=st.sampled_from(["SET", "5", "9" * 20]),
    body=st.binary(max_size=20)
    | st.dictionaries(CONTROL_NAMES, CONTROL_VALUES, max_size=4).map(
        lambda change: json.dumps(change).encode()
    ),
)
def test_whatever_the_control_api_is_told_it_answers(
    route: Route, set_id: str, body: bytes
) -> None:
    sandbox, ids = prepare()
    path = route.path.replace("<set>", set_id).replace("act_<id>", "act_1")
    call = fill_in(Call(route.method, HOST, path, "", {}, body), ids)
    with no_fault_passes():
        answer = answer_soon(sandbox, call)
    shown = json.loads(answer.body, parse_constant=refuse_constant)
    assert (answer.status, "error" in shown) in ((200, False), (400, True), (404, True))
