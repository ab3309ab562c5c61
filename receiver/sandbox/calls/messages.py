"""One HTTP call and its answer, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any, Literal

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from receiver.graph import serve

JSON_TYPE = "application/json; charset=UTF-8"

Ending = Literal["complete", "cut", "dropped"]
"""How an answer ends: whole, broken off in its body, or before its first byte."""


@dataclass(frozen=True)
class UploadedFile:
    """A file that came in a multipart body."""

    name: str
    content: bytes


Files = Mapping[str, UploadedFile]


@dataclass(frozen=True)
class Call:
    """An HTTP call as it came. ``base_url`` is scheme and host; header names are lower case.

    ``files`` are those that an operation of a batch takes from the batch's own body;
    ``is_operation`` is True for the call that such an operation stands for.
    """

    method: str
    base_url: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    files: Files = field(default_factory=dict)
    is_operation: bool = False

    @cached_property
    def query_parameters(self) -> dict[str, str]:
        return dict(serve.parse_form(self.query))

    def read_parameters(self) -> tuple[dict[str, Any], Files]:
        """Return the parameters of query and body, which may be a form, multipart or JSON; files.

        Raises BadParameter for a body that its content type does not fit.
        """
        query = self.query_parameters.items()
        kind, options = parse_options_header(self.headers.get("content-type"))
        if kind == "application/json":
            return serve.read_parameters(query, json_body=self.body), self.files
        if kind == "multipart/form-data":
            form, files = self._read_multipart(options)
            return serve.read_parameters(query, form=form), files
        text = self.body.decode("utf-8", "replace")
        return serve.read_parameters(query, form=serve.parse_form(text)), self.files

    def _read_multipart(self, options: dict[str, str]) -> tuple[list[tuple[str, str]], Files]:
        parser = FormDataParser(silent=False, stream_factory=_in_memory)
        stream = BytesIO(self.body)
        try:
            _, form, files = parser.parse(stream, "multipart/form-data", len(self.body), options)
        except ValueError as error:
            raise serve.BadParameter("body", "The body is not valid multipart data.") from error
        uploaded = {}
        for name, file in files.items():
            uploaded[name] = UploadedFile(file.filename or name, file.read())
        return list(form.items(multi=True)), uploaded


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> BytesIO:
    """Keep a file in memory, as the body is: a body that breaks off leaves no file open."""
    del total_content_length, content_type, filename, content_length
    return BytesIO()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, and how it ends."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON_TYPE
    ending: Ending = "complete"


def json_bytes(value: Any, *, pretty: bool = False) -> bytes:
    """Encode JSON in ASCII, so that lone surrogates and control characters survive the way."""
    return json.dumps(value, indent=3 if pretty else None).encode("ascii")
