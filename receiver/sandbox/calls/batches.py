"""A sync batch: its operations are calls like any other, made in its caller's name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from receiver.graph import serve
from receiver.graph.serve import BadBatch, BadParameter, OperationAnswer, ReadyOperation
from receiver.sandbox.calls import errors
from receiver.sandbox.calls.graph_call import GraphCall
from receiver.sandbox.calls.messages import Answer, Call, UploadedFile, json_bytes

_FORM = "application/x-www-form-urlencoded"
_INHERITED = ("appsecret_proof", "appsecret_time")


class BatchBehaviour(BaseModel):
    """How a batch answers for operations that were not done, and when its time is up.

    Null is what older traffic shows, an entry with code 960 what newer does (the facts, section 3).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unfinished: Literal["null", "error_960"] = "null"
    timeout_seconds: float | None = Field(default=None, ge=0, le=600)


AnswerOperation = Callable[[Call], Answer]


def answer_batch(
    call: Call, graph_call: GraphCall, *, behaviour: BatchBehaviour, answer: AnswerOperation
) -> Answer:
    """Answer ``POST /`` with ``batch``: a list of entries in the order of the operations.

    Raises GraphFault for a batch that is refused as a whole, and BadParameter.
    """
    try:
        operations = serve.parse_batch(graph_call.parameters)
    except BadBatch as error:
        raise errors.bad_batch(str(error)) from error
    with_headers = serve.parse_flag(
        graph_call.parameters.get("include_headers"), name="include_headers"
    )
    unfinished = _unfinished(behaviour)
    deadline = _deadline(behaviour)

    def execute(operation: ReadyOperation) -> OperationAnswer | None:
        if time.monotonic() > deadline:
            return unfinished
        try:
            done = answer(_operation_call(call, graph_call, operation))
        except BadParameter as error:
            return _refuse(error.message)
        return unfinished if time.monotonic() > deadline else _operation_answer(done)

    entries = serve.run_batch(operations, execute=execute, refuse=_refuse, aborted=unfinished)
    shown = [serve.show_answer(entry, with_headers=with_headers is not False) for entry in entries]
    return Answer(200, json_bytes(shown, pretty=graph_call.wants_pretty))


def _deadline(behaviour: BatchBehaviour) -> float:
    if behaviour.timeout_seconds is None:
        return float("inf")
    return time.monotonic() + behaviour.timeout_seconds


def _unfinished(behaviour: BatchBehaviour) -> OperationAnswer | None:
    """The entry of an operation that was not done, or not in time (the facts, section 3)."""
    if behaviour.unfinished == "null":
        return None
    return _entry(errors.aborted_operation().answer())


def _refuse(message: str) -> OperationAnswer:
    return _entry(errors.GraphFault(f"(#100) {message}", 100).answer())


def _operation_call(call: Call, graph_call: GraphCall, operation: ReadyOperation) -> Call:
    """Make the call that an operation stands for: at its batch's version, with its token.

    Raises BadParameter for an attached file that did not come.
    """
    version, segments = serve.split_path(operation.path)
    path = "/".join(("", version or graph_call.version, *segments))
    return replace(
        call,
        method=operation.method,
        path=quote(path, errors="replace"),
        query=urlencode((*operation.query, *_credentials(graph_call, operation)), errors="replace"),
        headers={**operation.headers, "content-type": _FORM},
        body=urlencode(operation.form, errors="replace").encode(),
        files={name: _attached(graph_call, name) for name in operation.attached_files},
        is_operation=True,
    )


def _credentials(graph_call: GraphCall, operation: ReadyOperation) -> serve.Pairs:
    """The token of an operation that brings none, with the proof that belongs to it."""
    if any(name == "access_token" and value for name, value in (*operation.query, *operation.form)):
        return ()
    if operation.access_token is not None:
        return (("access_token", operation.access_token),)
    proofs = ((name, str(graph_call.parameters.get(name) or "")) for name in _INHERITED)
    return (("access_token", graph_call.token), *(pair for pair in proofs if pair[1]))


def _attached(graph_call: GraphCall, name: str) -> UploadedFile:
    if name not in graph_call.files:
        raise BadParameter("attached_files", f"There is no attached file named {name}.")
    return graph_call.files[name]


def _operation_answer(answer: Answer) -> OperationAnswer | None:
    """Turn an answer into an entry; one that did not arrive whole is null."""
    if answer.ending != "complete" or answer.body.strip() == b"null":
        return None
    return _entry(answer)


def _entry(answer: Answer) -> OperationAnswer:
    is_empty = answer.status == serve.NOT_MODIFIED
    return OperationAnswer(
        answer.status,
        (("Content-Type", answer.content_type), *answer.headers),
        None if is_empty else answer.body.decode("utf-8", "replace"),
    )
