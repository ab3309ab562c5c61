"""A Graph call: which object and edge it addresses, at which version, with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import API_VERSION
from receiver.sandbox.calls import access, ids
from receiver.sandbox.calls.messages import Call, UploadedFile


@dataclass(frozen=True)
class GraphCall:
    """A call, read. ``path`` has neither version nor doubled slashes, and names the object.

    ``address`` is the called URL without its query; ``unreadable`` says why the body could not be
    read: the parameters are the query's then.
    """

    method: str
    version: str
    path: str
    parameters: Mapping[str, Any]
    base_url: str = ""
    address: str = ""
    link_parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, UploadedFile] = field(default_factory=dict)
    token: str = ""
    unreadable: BadParameter | None = None
    is_operation: bool = False

    @cached_property
    def segments(self) -> list[str]:
        return [segment for segment in self.path.split("/") if segment]

    @property
    def is_read(self) -> bool:
        return self.method in ("GET", "HEAD")

    @cached_property
    def named_ids(self) -> tuple[str, ...]:
        """The ids that a read asks for in ``ids``, where its path names no thing of its own."""
        has_thing = bool(self.segments) and ids.is_thing(self.segments[0])
        return () if has_thing or not self.is_read else serve.parse_ids(self.parameters.get("ids"))

    @property
    def is_crash_report(self) -> bool:
        """The official SDK sends these by default, without a token (the facts, section 9)."""
        return self.method == "POST" and self.segments[1:] == ["instruments"]

    @property
    def is_batch(self) -> bool:
        """A batch may be posted to any path (the facts, section 3), but not within another one."""
        return self.method == "POST" and "batch" in self.parameters and not self.is_operation

    @property
    def wants_pretty(self) -> bool:
        return str(self.parameters.get("pretty") or "").lower() in ("1", "true")


def read_graph_call(call: Call) -> GraphCall:
    """Read a call. ``/?id=1`` and ``/requests?id=1`` become ``/1`` and ``/1/requests``.

    A ``method`` among the parameters of a POST stands for the HTTP method.
    """
    parameters, files, unreadable = _read_body(call)
    version, segments = serve.split_path(unquote(call.path, errors="replace"))
    token = access.find_token(parameters, authorization=call.headers.get("authorization", ""))
    path = "/" + "/".join(_with_object(segments, parameters))
    return GraphCall(
        method=_method(call, parameters),
        version=version or API_VERSION,
        path=path,
        parameters=parameters,
        base_url=call.base_url,
        address=call.base_url + call.path,
        link_parameters=_link_parameters(call, token=token),
        headers=call.headers,
        files=files,
        token=token,
        unreadable=unreadable,
        is_operation=call.is_operation,
    )


def _read_body(
    call: Call,
) -> tuple[dict[str, Any], Mapping[str, UploadedFile], BadParameter | None]:
    try:
        parameters, files = call.read_parameters()
    except BadParameter as error:
        return dict(call.query_parameters), {}, error
    return parameters, files, None


def _with_object(segments: list[str], parameters: Mapping[str, Any]) -> list[str]:
    named = str(parameters.get("id") or "")
    if segments and ids.is_thing(segments[0]):
        return segments
    return [named, *segments] if ids.is_thing(named) else segments


def _method(call: Call, parameters: Mapping[str, Any]) -> str:
    named = str(parameters.get("method") or "").upper()
    return named if call.method == "POST" and named in ("GET", "PUT", "DELETE") else call.method


def _link_parameters(call: Call, *, token: str) -> dict[str, str]:
    kept = {k: v for k, v in call.query_parameters.items() if k not in ("after", "before")}
    return {**kept, "access_token": token}
