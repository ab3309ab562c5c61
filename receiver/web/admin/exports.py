"""Exports of the admin API: everything that meets some filters, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response, request
from flask_openapi.models.tag import Tag

from receiver.lifecycle.exports import formats, rows
from receiver.lifecycle.exports.formats import CONTENT_TYPES, Format
from receiver.web.admin.api import blueprint, refusals
from receiver.web.admin.holder import holder
from receiver.web.admin.parameters import RequestsExport, SetsExport
from receiver.web.admin.problems import Problem
from receiver.web.admin.reading import request_filter, set_filter
from receiver.web.context import export_slots, parts
from receiver.web.export_slots import NoExportSlot

_EXPORTS: list[Tag | dict[str, Any]] = [
    Tag(name="Exports", description="Whole lists as NDJSON or CSV, in constant memory.")
]
_FILE: dict[str, Any] = {
    "description": "The rows. A transfer that was cut off ends without HTTP's last chunk.",
    "content": {
        "application/x-ndjson": {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
    },
}
_REFUSALS = refusals(429, 505)


@blueprint.get("/exports/request-sets", tags=_EXPORTS, responses={200: _FILE, **_REFUSALS})
def export_request_sets(query: SetsExport) -> Response:
    """Export the request sets that meet the filters, the first made first."""
    return sets_file(query)


@blueprint.get("/exports/requests", tags=_EXPORTS, responses={200: _FILE, **_REFUSALS})
def export_requests(query: RequestsExport) -> Response:
    """Export the requests that meet the filters, with where each stood in what was sent."""
    return requests_file(query)


def sets_file(query: SetsExport) -> Response:
    """Answer with the sets that meet some filters. Raises Problem."""
    found = rows.sets(parts().database, set_filter(query))
    return _file(
        formats.write(found, columns=rows.SET_COLUMNS, kind=query.format),
        name="request-sets",
        kind=query.format,
    )


def requests_file(query: RequestsExport) -> Response:
    """Answer with the requests that meet some filters. Raises Problem."""
    found = rows.requests_of(parts().database, request_filter(query))
    return _file(
        formats.write(found, columns=rows.REQUEST_COLUMNS, kind=query.format),
        name="requests",
        kind=query.format,
    )


def _file(pieces: Iterator[bytes], *, name: str, kind: Format) -> Response:
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        raise Problem(
            505,
            "An export needs HTTP/1.1: over HTTP/1.0, one that was cut off looks whole. A proxy "
            "in between may have to be told: nginx by proxy_http_version 1.1.",
        )
    slot = _take_slot()
    try:
        # Read before the status is sent: a database that is away can still say so. It is one
        # window, with or without rows: a caller sees soon that the answer has begun.
        first = next(pieces, b"")
    except BaseException:
        slot.close()
        raise
    answer = Response(
        _holding(slot, first, pieces),
        content_type=CONTENT_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{kind}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
    # For a caller that is gone before the first piece was sent.
    answer.call_on_close(slot.close)
    return answer


def _take_slot() -> ExitStack:
    """Take one of the slots of this process; it is given back once, however often it is closed."""
    slot = ExitStack()
    try:
        slot.callback(export_slots().take(holder().key_id))
    except NoExportSlot as error:
        detail = f"{error}: try again when one is done."
        raise Problem(429, detail, headers={"Retry-After": "30"}) from error
    return slot


def _holding(slot: ExitStack, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with slot:
        yield first
        yield from pieces
