"""Read the body of an admin call before anything is made of it: whole, small, and in time."""

from __future__ import annotations

import io

from flask import request

from receiver.graph.lenient_json import loads_strict
from receiver.web.admin.problems import Problem
from receiver.web.body import put_back, read_body

LIMIT_BYTES = 64 * 1024
"""More than any form or plan has."""


def take_body(*, deadline_seconds: float) -> None:
    """Read the present request's body.

    Raises Problem for one that is too long, late or cut off, and for one that says it is JSON and
    is not.
    """
    body = read_body(request.environ, limit_bytes=LIMIT_BYTES, deadline_seconds=deadline_seconds)
    if body.cut == "size":
        raise Problem(413, f"The body is larger than {LIMIT_BYTES} bytes.")
    if body.cut == "deadline":
        raise Problem(
            408, f"The body did not come within {deadline_seconds:g} seconds: nothing was done."
        )
    if body.cut is not None:
        raise Problem(400, "The body ended before its end: nothing was done.")
    if request.is_json and body.data:
        _check_json(body.data)
    put_back(request, io.BytesIO(body.data))


def _check_json(data: bytes) -> None:
    try:
        loads_strict(data)
    except ValueError as error:
        raise Problem(400, f"The body is no JSON: {str(error).rstrip('.')}.") from error
