"""Read an HTTP call into a value: its body within limits, its parameters, its key."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from receiver.graph import serve
from receiver.graph.passing import Attachment
from receiver.graph.serve import Pairs
from receiver.web.body import put_back, read_body
from receiver.web.context import parts
from receiver.web.gateway import faults
from receiver.web.gateway.call import CREDENTIALS, Body, GraphCall, without_credentials
from receiver.web.gateway.faults import Fault
from receiver.web.keys import authorization_key


def read_call(path: str) -> GraphCall:
    """Read the HTTP call under way. Raises Fault and BadParameter."""
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
    data = b"" if form or files else request.get_data()
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

    Raises Fault.
    """
    settings = parts().settings
    body = read_body(
        request,
        limit_bytes=settings.request_body_limit_bytes,
        deadline_seconds=settings.request_body_deadline_seconds,
    )
    match body.cut:
        case "size":
            limit = settings.request_body_limit_bytes
            raise Fault(faults.PARAMETER, f"The body is larger than {limit} bytes.", 413)
        case "deadline":
            seconds = settings.request_body_deadline_seconds
            message = f"The body did not come within {seconds:g} seconds: nothing was done."
            raise Fault(faults.PARAMETER, message, 408)
        case "hangup":
            raise faults.bad_parameter("The body ended before its end: nothing was done.")
    put_back(request, body)
