from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from receiver.sandbox.world.old_sets import OldSets, make_old_sets
from tests.support.sandbox import GraphCaller, SandboxControl

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AD = {"name": "ad", "adset_id": "5"}
EDGE = "/act_1/asyncadrequestsets"


def test_they_are_spread_over_the_past_oldest_first() -> None:
    ids = map(str, itertools.count(1))
    sets = make_old_sets("1", OldSets(count=4, days=8), new_id=lambda: next(ids), now=NOW)
    assert [NOW - each.created_time for each in sets] == [timedelta(days=n) for n in (8, 6, 4, 2)]
    assert all(each.is_completed for each in sets)
    assert len({each.id for each in sets}) == 4


def test_they_stand_behind_the_sets_of_today_and_are_read_like_them(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    today = graph.create("1", [AD])
    sandbox.old_sets("act_1", count=30, days=30)
    fields = "id,name,is_completed,total_count,success_count,notification_status"
    first, second, *_ = graph.get(EDGE, fields=fields)["data"]
    assert first["id"] == today
    assert second == {
        "id": second["id"],
        "name": "old set 30",
        "is_completed": True,
        "total_count": 1,
        "success_count": 1,
        "notification_status": "NOT_SENT",
    }
    assert graph.get(f"/{second['id']}", fields=fields) == second
    (request,) = graph.get(f"/{second['id']}/requests", fields="id,status,result")["data"]
    assert request["status"] == "SUCCESS"
    assert graph.get(f"/{request['id']}")["status"] == "SUCCESS"


def test_the_ledger_keeps_to_what_was_created_by_calls(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.old_sets("1", count=3)
    set_id = graph.create("1", [AD])
    assert [entry["id"] for entry in sandbox.ledger()] == [set_id]


def test_older_ones_may_be_added_later(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.old_sets("1", count=2, days=10)
    sandbox.old_sets("1", count=2, days=100)
    times = [each["created_time"] for each in graph.get(EDGE, fields="created_time")["data"]]
    assert len(times) == 4
    assert times == sorted(times, reverse=True)


def test_ten_thousand_of_them_can_be_paged_through(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.old_sets("1", count=10_000)
    seen: set[str] = set()
    page = graph.get(EDGE, limit=500)
    seen.update(each["id"] for each in page["data"])
    pages = 1
    while following := page.get("paging", {}).get("next"):
        page = graph.session.get(following).json()
        seen.update(each["id"] for each in page["data"])
        pages += 1
    assert (len(seen), pages) == (10_000, 20)
