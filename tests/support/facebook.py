"""A Facebook that shows whatever a test hands it: pages, sets and requests in plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from receiver.graph.client import GraphClient
from receiver.lifecycle.tools import Tools
from tests.support.lying_server import LyingServer, answering, http_answer, lying_server

JSON = {"Content-Type": "application/json"}


def page(nodes: list[dict[str, Any]], *, after: str | None = None) -> dict[str, Any]:
    """A page of an edge; ``after`` is the cursor of the next one."""
    if after is None:
        return {"data": nodes}
    return {"data": nodes, "paging": {"cursors": {"after": after}, "next": "https://next"}}


def client_of(url: str) -> GraphClient:
    """A client that tries once and waits two seconds at the most."""
    return GraphClient(
        url, connect_timeout_seconds=1, read_timeout_seconds=1, deadline_seconds=2, attempts=1
    )


@contextmanager
def facebook_shows(tools: Tools, *answers: Any) -> Iterator[tuple[Tools, LyingServer]]:
    """Yield tools whose client hears these answers one after the other; the last one goes on."""
    raw = [http_answer(json.dumps(answer).encode(), headers=JSON) for answer in answers]
    with lying_server(answering(*raw)) as server, closing(client_of(server.url)) as client:
        yield replace(tools, client=client), server
