from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from receiver.sandbox.world.edge_behaviour import EdgeBehaviour
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}
EDGE = "/act_1/asyncadrequestsets"
URI = "https://receiver.test:8443/hook/a?token=secret&x=1"


def walk(graph: GraphCaller, **parameters: Any) -> Iterator[str]:
    page = graph.get(EDGE, **parameters)
    yield from (each["id"] for each in page["data"])
    while following := page.get("paging", {}).get("next"):
        page = graph.session.get(following).json()
        yield from (each["id"] for each in page["data"])


@pytest.mark.parametrize(("order", "step"), [("oldest_first", 1), ("newest_first", -1)])
def test_a_list_is_in_order_of_age(
    sandbox: SandboxControl, graph: GraphCaller, order: str, step: int
) -> None:
    sets = [graph.create("1", [AD]) for _ in range(5)]
    sandbox.configure("1", edge={"order": order})
    assert list(walk(graph, limit=2)) == sets[::step]


def test_a_random_order_shows_everything_once_and_depends_on_the_seed(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sets = [graph.create("1", [AD]) for _ in range(12)]
    orders = []
    for seed in (1, 1, 2):
        sandbox.configure("1", edge={"order": "random", "seed": seed})
        orders.append(list(walk(graph, limit=5)))
    assert sorted(orders[0]) == sorted(sets)
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] not in (sets, sets[::-1])
    sets.append(graph.create("1", [AD]))
    assert sorted(walk(graph, limit=5)) == sorted(sets)


def test_a_stale_list_misses_the_youngest_sets_which_can_be_read(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.freeze_clock()
    sandbox.configure("1", edge={"stale_seconds": 30})
    old = graph.create("1", [AD])
    sandbox.move_clock(20)
    young = graph.create("1", [AD])
    sandbox.move_clock(10)
    assert list(walk(graph)) == [old]
    assert graph.get(f"/{young}")["id"] == young
    sandbox.move_clock(20)
    assert list(walk(graph)) == [young, old]


@pytest.mark.parametrize(
    ("uris", "shown"),
    [("shown", URI), ("hidden", None), ("rewritten", "https://rewritten.example/hook/a")],
)
def test_uris_are_shown_hidden_or_rewritten_in_lists_and_reads(
    sandbox: SandboxControl, graph: GraphCaller, *, uris: str, shown: str | None
) -> None:
    mode = {"notification_uri": URI, "notification_mode": "OFF"}
    set_id = graph.create("1", [AD], **mode)
    sandbox.configure("act_1", edge={"uris": uris})
    (listed,) = graph.get(EDGE, fields="notification_uri")["data"]
    read = graph.get(f"/{set_id}", fields="notification_uri")
    assert listed == read
    assert read.get("notification_uri") == shown
    assert sandbox.ledger()[0]["notification_uri"] == URI


def test_another_account_lists_as_ever(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("2", edge={"stale_seconds": 60, "uris": "hidden"})
    set_id = graph.create("1", [AD], notification_uri=URI)
    (listed,) = graph.get(EDGE, fields="notification_uri")["data"]
    assert listed == {"id": set_id, "notification_uri": URI}


def test_a_set_without_a_uri_shows_none() -> None:
    assert EdgeBehaviour(uris="rewritten").shown_uri(None) is None
