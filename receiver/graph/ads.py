"""Read the ads of an ad set: whether one was made is told by nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass

from receiver.graph import wire
from receiver.graph.client import Answered, Credential, GraphClient
from receiver.graph.json_values import read_text
from receiver.graph.wire import Call

PAGE_LIMIT = 500


@dataclass(frozen=True)
class AdsPage:
    """A page of an ad set's ads, by id and name; ``after`` is None on the last one."""

    names: dict[int, str]
    unreadable: int
    after: str | None


def read_page(
    client: GraphClient, credential: Credential, ad_set_id: int, *, after: str | None
) -> Answered[AdsPage]:
    """Read a page of an ad set's ads. Raises CallFailed."""
    parameters = {"fields": "id,name", "limit": str(PAGE_LIMIT)}
    if after is not None:
        parameters["after"] = after
    call = Call("GET", f"{ad_set_id}/ads", parameters)
    return client.read(credential, call, _read)


def _read(value: object) -> AdsPage:
    page = wire.read_nodes_page(value)
    names = {node.id: read_text(json.loads(node.record).get("name")) or "" for node in page.nodes}
    return AdsPage(names, unreadable=page.unreadable, after=page.after)
