"""Read an HTTP call into a value: its body within limits, its parameters, its key."""

from __future__ import annotations

import json
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import request

from receiver.graph import serve
from receiver.graph.passing import Attachment
from receiver.graph.serve import Pairs
from receiver.web.body import put_back, spool_body
from receiver.web.context import parts
from receiver.web.gateway import faults
from receiver.web.gateway.call import CREDENTIALS, Body, GraphCall, without_credentials
from receiver.web.gateway.faults import Fault
from receiver.web.keys import authorization_key, holder_of

_SPOOLED = "receiver.spooled_body"
_IN_MEMORY_BYTES = 1024 * 1024
_PARAMETER_TYPES = ("", "application/x-www-form-urlencoded")


def read_call(path: str) -> GraphCall:
    """Read the HTTP call under way. Raises Fault, BadParameter and DatabaseAway."""
    _read_whole_body()
    query: Pairs = tuple(request.args.items(multi=True))
    parameters, body = _read_parameters(query)
    key = parameters.get("access_token") or authorization_key() or ""
    version, segments = serve.split_path(path)
    return GraphCall(
        sent_method=request.method,
        version=version,
        path="/".join(segments),
        base_url=parts().settings.public_url,
        query=without_credentials(query),
        body=body,
        parameters={name: parameters[name] for name in parameters if name not in CREDENTIALS},
        headers={name.lower(): text for name, text in request.headers.items()},
        key=key if isinstance(key, str) else "",
        is_key_in_query="access_token" in request.args,
    )


def _read_parameters(query: Pairs) -> tuple[dict[str, Any], Body]:
    kind = request.content_type or ""
    if request.is_json:
        return _read_json(query, kind)
    form: Pairs = tuple(request.form.items(multi=True))
    files = {
        name: Attachment(each.filename or name, each.content_type or "", each.stream)
        for name, each in request.files.items()
    }
    data = _raw_upload() if _is_upload() and not (form or files) else b""
    body = Body(without_credentials(form), files=files, data=data, content_type=kind)
    return serve.read_parameters(query, form=form), body


def _read_json(query: Pairs, kind: str) -> tuple[dict[str, Any], Body]:
    data = request.get_data()
    parameters = serve.read_parameters(query, json_body=data)
    given = serve.read_parameters((), json_body=data)
    if not given.keys().isdisjoint(CREDENTIALS):
        kept = {name: given[name] for name in given if name not in CREDENTIALS}
        data = json.dumps(kept).encode("ascii")
    return parameters, Body(data=data, content_type=kind)


def _read_whole_body() -> None:
    """Read the body before anything is made of it: a piece of one may look like a whole.

    A large upload is read for the holder of a key only, which then stands in the query or in the
    header. Raises Fault and DatabaseAway.
    """
    limit_bytes, deadline_seconds = _limits()
    request.max_content_length = limit_bytes
    file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  # it is closed with the request
    request.environ[_SPOOLED] = file
    cut = spool_body(
        request.environ, file, limit_bytes=limit_bytes, deadline_seconds=deadline_seconds
    )
    match cut:
        case "size":
            raise Fault(faults.PARAMETER, f"The body is larger than {limit_bytes} bytes.", 413)
        case "deadline":
            message = (
                f"The body did not come within {deadline_seconds:g} seconds: nothing was done."
            )
            raise Fault(faults.PARAMETER, message, 408)
        case "hangup":
            raise faults.bad_parameter("The body ended before its end: nothing was done.")
    put_back(request, file)


def _limits() -> tuple[int, float]:
    """How large a body may be, and how long it may take to come."""
    settings = parts().settings
    key = request.args.get("access_token") or authorization_key()
    if _is_upload() and key and holder_of(key) is not None:
        return settings.upload_limit_bytes, settings.upload_deadline_seconds
    return settings.request_body_limit_bytes, settings.request_body_deadline_seconds


def _raw_upload() -> IO[bytes]:
    """The body as a file, from its start."""
    file: IO[bytes] = request.environ[_SPOOLED]
    file.seek(0)
    return file


def _is_upload() -> bool:
    """Tell whether a body may hold a file: it is multipart, or neither JSON nor a form."""
    return not request.is_json and request.mimetype not in _PARAMETER_TYPES


def close_body() -> None:
    """Let go of the file that the body was read into."""
    file = request.environ.pop(_SPOOLED, None)
    if file is not None:
        file.close()
