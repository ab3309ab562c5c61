"""Calls that would run into a limit of Facebook's are refused here, without spending one more.

Calling while blocked lengthens the block (the facts, section 5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from receiver.graph.answers import read_answer
from receiver.graph.errors import CallFailed, GraphError
from receiver.graph.usage import Usage
from receiver.lifecycle import plan
from receiver.store import waits
from receiver.store.keys import Caller
from receiver.store.waits import Wait
from receiver.web.context import parts
from receiver.web.gateway import faults
from receiver.web.gateway.answer import Answer, Headers
from receiver.web.gateway.faults import Refused


def check(account_id: int | None, holder: Caller) -> None:
    """Raise Refused where Facebook asked to wait: the same error again, and when to come back."""
    now = parts().now()
    with parts().database.reading() as session:
        wait = waits.current(
            session, account_id=account_id, credential_id=holder.credential_id, now=now
        )
    if wait is not None:
        raise Refused(_answer(wait, seconds=math.ceil((wait.resume_at - now).total_seconds())))


def _answer(wait: Wait, *, seconds: int) -> Answer:
    headers: Headers = (("X-Receiver-Source", "store"), ("Cache-Control", "no-store"))
    if wait.parked_reason is None:
        headers = (("Retry-After", str(seconds)), *headers)
    if wait.body is None or wait.http_status is None:
        return faults.answer(faults.limit_reached(headers))
    return Answer(wait.http_status, wait.body, headers)


def note(account_id: int | None, holder: Caller, *, error: GraphError | None, usage: Usage) -> None:
    """Keep the wait that an answer asks for, by its error or by its usage headers."""
    now = parts().now()
    wait = plan.wait_after(error, now=now, is_ours=False) if error else None
    wait = wait or plan.wait_for(usage, now=now)
    if wait is None:
        return
    with parts().database.writing() as session:
        if wait.is_of_app:
            waits.wait_with(session, holder.credential_id, wait)
        elif account_id is not None:
            # What a call without an account says is some account's: nobody else waits for it.
            waits.wait(session, account_id, wait)


def error_in(
    http_status: int, headers: Mapping[str, str], body: bytes, *, usage: Usage
) -> GraphError | None:
    """Return the Graph error that an answer holds, None for one without."""
    try:
        read_answer(http_status, headers, body)
    except GraphError as error:
        error.usage = usage
        return error
    except CallFailed:
        return None
    return None
