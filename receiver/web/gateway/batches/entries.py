"""The entries of a batch's answer that are not Facebook's own words."""

from __future__ import annotations

import json

from receiver.graph import serve
from receiver.graph.serve import OperationAnswer
from receiver.web.gateway import failures, faults
from receiver.web.gateway.answer import Answer

ABORTED_CODE = 960
"""Newer traffic has it for what was not done, or not in time (the facts, section 3)."""


def entry_of(answer: Answer) -> OperationAnswer:
    """Turn the answer to a call into the entry of the operation that it stood for."""
    body = b"".join(answer.stream) if answer.stream is not None else answer.body
    if answer.stream is not None:
        answer.stream.close()
    is_empty = answer.status == serve.NOT_MODIFIED
    return OperationAnswer(
        answer.status,
        (("Content-Type", answer.content_type), *answer.headers),
        None if is_empty else body.decode("utf-8", "replace"),
    )


def refused(error: Exception) -> OperationAnswer:
    """The entry of an operation that ended in an error of ours."""
    return entry_of(failures.answer_to(error))


def outcome_unknown(reason: str) -> OperationAnswer:
    """The entry of a write that was sent and whose outcome nobody knows: never null."""
    return refused(faults.outcome_unknown(reason))


def is_aborted(entry: OperationAnswer | None) -> bool:
    """Tell whether an entry leaves open what became of its operation: null, or code 960."""
    if entry is None:
        return True
    try:
        error = json.loads(entry.body or "null").get("error")
        return bool(error.get("code") == ABORTED_CODE)
    except (ValueError, AttributeError):
        return False
