"""Count a call to Facebook: whose it was, how it ended and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from receiver.graph.errors import CallFailed, NotSent, UnreadableAnswer
from receiver.metrics import GRAPH_CALL_SECONDS, GRAPH_CALLS


@dataclass
class Counted:
    """What became of a call; ``http_status`` None for one without an answer."""

    http_status: int | None = None


@contextmanager
def counting(account_id: int | None, *, method: str) -> Iterator[Counted]:
    """Count the HTTP call that the block makes, under the account that it is made for."""
    counted, began = Counted(), time.monotonic()
    outcome = "no_answer"
    try:
        yield counted
        outcome = _of_status(counted.http_status)
    except CallFailed as failure:
        outcome = _of_failure(failure, http_status=counted.http_status)
        raise
    finally:
        GRAPH_CALLS.labels("none" if account_id is None else str(account_id), outcome).inc()
        GRAPH_CALL_SECONDS.labels(method).observe(time.monotonic() - began)


def _of_status(http_status: int | None) -> str:
    if http_status is None:
        return "no_answer"
    if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "failed"
    return "answered" if http_status < HTTPStatus.BAD_REQUEST else "refused"


def _of_failure(failure: CallFailed, *, http_status: int | None) -> str:
    if isinstance(failure, NotSent):
        return "not_sent"
    of_status = _of_status(http_status)
    is_unreadable = isinstance(failure, UnreadableAnswer) and of_status != "failed"
    return "unreadable" if is_unreadable else of_status
