"""Write a multipart body into a file, so that an upload is never whole in memory."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from tempfile import SpooledTemporaryFile
from typing import IO

from urllib3.fields import RequestField

from receiver.graph.passing import Attachment, Pairs

_IN_MEMORY_BYTES = 1024 * 1024


def write_multipart(form: Pairs, files: Mapping[str, Attachment]) -> tuple[IO[bytes], str]:
    """Return the body, which its reader has to close, and its content type."""
    boundary = secrets.token_hex(16)
    body = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  # its reader closes it
    for name, text in form:
        _begin(body, boundary, RequestField(name, b""))
        body.write(text.encode("utf-8", "replace") + b"\r\n")
    for name, each in files.items():
        part = RequestField(name, b"", filename=each.filename)
        _begin(body, boundary, part, content_type=each.content_type or "application/octet-stream")
        each.stream.seek(0)
        shutil.copyfileobj(each.stream, body)
        body.write(b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    body.seek(0)
    return body, f"multipart/form-data; boundary={boundary}"


def _begin(
    body: IO[bytes], boundary: str, part: RequestField, *, content_type: str | None = None
) -> None:
    part.make_multipart(content_type=content_type)
    body.write(f"--{boundary}\r\n".encode() + part.render_headers().encode("utf-8", "replace"))
