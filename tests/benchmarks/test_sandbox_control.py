from __future__ import annotations

import json

from benchmarks.sandbox_control import spent, tell
from tests.support.sandbox import GraphCaller, SandboxControl


def test_a_batch_is_one_http_call_and_each_of_its_operations_costs_points(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    tell(sandbox.url, "accounts/1", {"progress": {"kind": "at_once"}})
    set_id = graph.create("1", [{"name": "ad", "adset_id": "5"}])
    before = spent(sandbox.url)

    read = {"method": "GET", "relative_url": set_id}
    graph.post("/", batch=json.dumps([read, read]))

    cost = spent(sandbox.url).since(before)
    assert (cost.http_calls, cost.operations, cost.points) == (1, 2, 2)
