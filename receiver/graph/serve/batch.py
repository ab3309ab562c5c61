"""A sync batch: up to 50 operations in one call, each answered like a call of its own.

Facebook's page, "Batch requests", and the facts, section 3: one operation that fails does not stop
the others; an operation may use what an earlier one answered, and is not done if that one failed;
an operation that others use is answered by null unless its caller says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.graph.references import UnresolvedReference, substitute
from receiver.graph.serve.operation import (
    BadOperation,
    Operation,
    Pairs,
    parse_operation,
)
from receiver.graph.serve.parameters import BadParameter, decode_json

MAX_OPERATIONS = 50

_FIRST_ERROR = 400

Entry = Operation | BadOperation


class BadBatch(ValueError):
    """A batch that is refused as a whole (``GraphBatchException``)."""


@dataclass(frozen=True)
class ReadyOperation:
    """An operation with its references filled in: the path and both lists are decoded."""

    method: str
    path: str
    query: Pairs
    form: Pairs
    headers: Mapping[str, str]
    attached_files: tuple[str, ...]
    access_token: str | None


@dataclass(frozen=True)
class OperationAnswer:
    """What an operation answered; its body is None for a 304."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: str | None

    @property
    def is_success(self) -> bool:
        return self.code < _FIRST_ERROR


def parse_batch(parameters: Mapping[str, Any], *, most: int = MAX_OPERATIONS) -> tuple[Entry, ...]:
    """Read ``batch``, leniently: the page prints operations that are no JSON.

    Raises BadBatch for what is no list, for more than ``most`` operations, and for a dependence on
    anything but an earlier operation.
    """
    try:
        entries = decode_json(parameters, "batch", lenient=True)
    except BadParameter as error:
        raise BadBatch(error.message) from error
    if not isinstance(entries, list) or not entries:
        raise BadBatch("Param batch must be a non-empty array.")
    if len(entries) > most:
        raise BadBatch(f"Too many requests in batch message. Maximum batch size is {most}")
    operations = tuple(map(parse_operation, entries))
    _check_order(operations)
    return operations


def _check_order(operations: Sequence[Entry]) -> None:
    known: set[str] = set()
    for number, operation in enumerate(operations):
        for name in operation.needs:
            if name not in known:
                raise BadBatch(
                    f"Request {number} cannot depend on an unresolved request with name '{name}'. "
                    "Requests can only depend on preceding requests"
                )
        if operation.name is not None:
            known.add(operation.name)


def run_batch(
    operations: Sequence[Entry],
    *,
    execute: Callable[[ReadyOperation], OperationAnswer | None],
    refuse: Callable[[str], OperationAnswer],
    aborted: OperationAnswer | None,
) -> list[OperationAnswer | None]:
    """Execute a batch's operations in their order; return an entry for each.

    ``execute`` returns None where it is not known what became of the operation; ``refuse`` words
    the error of one that cannot be executed; ``aborted`` stands for one that was not done because
    one that it needs was not: null in older traffic, code 960 in newer (the facts, section 3).
    """
    answers: list[OperationAnswer | None] = []
    used = {name for operation in operations for name in operation.needs}
    latest: dict[str, OperationAnswer | None] = {}
    results: dict[str, Any] = {}
    for operation in operations:
        needed = [latest[name] for name in operation.needs]
        if isinstance(operation, BadOperation):
            answer: OperationAnswer | None = refuse(operation.message)
        elif any(parent is None or not parent.is_success for parent in needed):
            answer = aborted
        else:
            answer = _execute(operation, results, execute=execute, refuse=refuse)
        answers.append(answer)
        if operation.name in used:
            latest[operation.name] = answer
            results[operation.name] = read_result(answer)
    return [
        None if is_omitted(operation, answer, used=used) else answer
        for operation, answer in zip(operations, answers, strict=True)
    ]


def _execute(
    operation: Operation,
    results: Mapping[str, Any],
    *,
    execute: Callable[[ReadyOperation], OperationAnswer | None],
    refuse: Callable[[str], OperationAnswer],
) -> OperationAnswer | None:
    try:
        ready = fill_in(operation, results)
    except UnresolvedReference as error:
        return refuse(str(error))
    return execute(ready)


def read_result(answer: OperationAnswer | None) -> Any:
    """Return an answer's JSON; None for one without, in which no reference finds anything."""
    try:
        return json.loads(answer.body or "null") if answer else None
    except ValueError:
        return None


def fill_in(operation: Operation, results: Mapping[str, Any]) -> ReadyOperation:
    """Fill the references of an operation in, from the results of those that it needs, by name.

    Raises UnresolvedReference.
    """

    def fill(pairs: Pairs) -> Pairs:
        return tuple((key, substitute(text, results=results)) for key, text in pairs)

    return ReadyOperation(
        method=operation.method,
        path=substitute(operation.path, results=results),
        query=fill(operation.query),
        form=fill(operation.form),
        headers=operation.headers,
        attached_files=operation.attached_files,
        access_token=operation.access_token,
    )


def is_omitted(
    operation: Entry, answer: OperationAnswer | None, *, used: Container[str | None]
) -> bool:
    """Tell whether a success is answered by null: another used it, or its caller wants none."""
    if isinstance(operation, BadOperation) or answer is None or not answer.is_success:
        return False
    if operation.omit_response_on_success is not None:
        return operation.omit_response_on_success
    return operation.name in used


def show_answer(answer: OperationAnswer | None, *, with_headers: bool) -> dict[str, Any] | None:
    """Return an entry as it stands in the answer: ``{"code", "headers"?, "body"}``, or null."""
    if answer is None:
        return None
    headers = [{"name": name, "value": value} for name, value in answer.headers]
    shown_headers = {"headers": headers} if with_headers else {}
    return {"code": answer.code, **shown_headers, "body": answer.body}
