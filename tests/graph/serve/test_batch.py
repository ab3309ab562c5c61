from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.graph.serve import (
    BadBatch,
    OperationAnswer,
    ReadyOperation,
    parse_batch,
    run_batch,
    show_answer,
)

ABORTED = OperationAnswer(500, (), "aborted")


class Graph:
    """Answers an operation with its path and form; ``fail`` in a path fails, ``slow`` is lost."""

    def __init__(self) -> None:
        self.executed: list[ReadyOperation] = []

    def execute(self, operation: ReadyOperation) -> OperationAnswer | None:
        self.executed.append(operation)
        if "slow" in operation.path:
            return None
        body = json.dumps({"id": operation.path, "form": dict(operation.form)})
        return OperationAnswer(403 if "fail" in operation.path else 200, (), body)

    def run(self, *operations: Any, aborted: OperationAnswer | None = None) -> list[Any]:
        """Run a batch; return the body's JSON, the code of a failure, or None for each entry."""
        entries = run_batch(
            parse_batch({"batch": list(operations)}),
            execute=self.execute,
            refuse=lambda message: OperationAnswer(400, (), message),
            aborted=aborted,
        )
        return [
            entry and (json.loads(entry.body or "") if entry.code == 200 else entry.code)
            for entry in entries
        ]


def get(url: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "relative_url": url, **more}


def test_entries_stand_in_the_order_of_the_operations() -> None:
    answers = Graph().run(get("a"), get("b"), get("c"))
    assert [answer["id"] for answer in answers] == ["a", "b", "c"]


def test_one_bad_operation_does_not_stop_the_others() -> None:
    answers = Graph().run(
        get("a"), get("fail"), 5, {"method": "NIX", "relative_url": "x"}, get("b")
    )
    assert answers[1:4] == [403, 400, 400]
    assert (answers[0]["id"], answers[4]["id"]) == ("a", "b")


def test_a_reference_is_filled_in_wherever_it_stands() -> None:
    graph = Graph()
    graph.run(
        get("7", name="first"),
        get(
            "{result=first:$.id}/ads?ids={result=first:$.id}",
            body='spec={"x": "{result=first:$.id}"}',
        ),
    )
    ready = graph.executed[1]
    assert (ready.path, ready.query) == ("7/ads", (("ids", "7"),))
    assert ready.form == (("spec", '{"x": "7"}'),)


def test_a_success_that_is_used_is_answered_by_null() -> None:
    used, user = get("a", name="first"), get("b", depends_on="first")
    assert Graph().run(used, user)[0] is None
    shown = Graph().run({**used, "omit_response_on_success": False}, user)
    assert shown[0]["id"] == "a"
    assert Graph().run(get("fail", name="first"), user)[0] == 403


def test_a_success_may_be_left_out_on_request() -> None:
    assert Graph().run(get("a", omit_response_on_success=True)) == [None]


@pytest.mark.parametrize("parent", ["fail", "slow"])
def test_what_needs_a_failed_one_is_not_done(parent: str) -> None:
    graph = Graph()
    operations = [
        get(parent, name="first"),
        get("b", name="second", depends_on="first"),
        get("{result=second:$.id}"),
        get("c"),
    ]
    assert graph.run(*operations)[1:3] == [None, None]
    assert [ready.path for ready in graph.executed] == [parent, "c"]
    assert graph.run(*operations, aborted=ABORTED)[1:3] == [500, 500]


def test_a_reference_that_finds_nothing_fails_its_operation_alone() -> None:
    graph = Graph()
    answers = graph.run(get("a", name="first"), get("b?x={result=first:$.nothing}"), get("c"))
    assert answers[1] == 400
    assert [ready.path for ready in graph.executed] == ["a", "c"]


def test_a_name_given_twice_means_the_latest_before_its_use() -> None:
    graph = Graph()
    graph.run(get("a", name="x"), get("b", name="x"), get("{result=x:$.id}"))
    assert graph.executed[2].path == "b"


@pytest.mark.parametrize(
    "batch",
    [
        None,
        "",
        "[",
        "{}",
        "[]",
        [],
        [get("a")] * 51,
        [get("a", depends_on="b")],
        [get("a", depends_on="a", name="a")],
        [get("{result=b:$.id}"), get("b", name="b")],
    ],
)
def test_a_batch_is_refused_as_a_whole(batch: Any) -> None:
    with pytest.raises(BadBatch):
        parse_batch({"batch": batch})


def test_fifty_operations_are_taken() -> None:
    assert len(parse_batch({"batch": json.dumps([get("a")] * 50)})) == 50


def test_a_batch_is_read_leniently() -> None:
    (operation,) = parse_batch({"batch": "[ { 'method': 'POST', relative_url: 'a', }, ]"})
    assert operation.name is None


def test_an_entry_shows_code_headers_and_body() -> None:
    answer = OperationAnswer(200, (("ETag", '"x"'),), "{}")
    assert show_answer(answer, with_headers=True) == {
        "code": 200,
        "headers": [{"name": "ETag", "value": '"x"'}],
        "body": "{}",
    }
    assert show_answer(answer, with_headers=False) == {"code": 200, "body": "{}"}
    unchanged = OperationAnswer(304, (), None)
    assert show_answer(unchanged, with_headers=False) == {"code": 304, "body": None}
    assert show_answer(None, with_headers=True) is None
