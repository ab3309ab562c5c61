"""One HTTP call and its answer, as values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import Any, Literal
from urllib.parse import parse_qsl

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from receiver.graph import serve

JSON_TYPE = "application/json; charset=UTF-8"

Ending = Literal["complete", "cut", "dropped"]
"""How an answer ends: whole, broken off in its body, or before its first byte."""


@dataclass(frozen=True)
class Call:
    """An HTTP call as it came. ``base_url`` is scheme and host; header names are lower case."""

    method: str
    base_url: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query_parameters(self) -> dict[str, str]:
        return dict(_read_form(self.query))

    def read_parameters(self) -> dict[str, Any]:
        """Return the parameters of query and body, which may be a form, multipart or JSON.

        Raises BadParameter for a body that its content type does not fit.
        """
        query = self.query_parameters.items()
        kind, options = parse_options_header(self.headers.get("content-type"))
        if kind == "application/json":
            return serve.read_parameters(query, json_body=self.body)
        if kind == "multipart/form-data":
            return serve.read_parameters(query, form=self._read_multipart(options))
        return serve.read_parameters(query, form=_read_form(self.body.decode("utf-8", "replace")))

    def _read_multipart(self, options: dict[str, str]) -> Iterable[tuple[str, str]]:
        parser = FormDataParser(silent=False)
        stream = BytesIO(self.body)
        try:
            _, form, files = parser.parse(stream, "multipart/form-data", len(self.body), options)
        except ValueError as error:
            raise serve.BadParameter("body", "The body is not valid multipart data.") from error
        for file in chain.from_iterable(files.listvalues()):
            file.close()
        return form.items(multi=True)


def _read_form(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, errors="replace")


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
