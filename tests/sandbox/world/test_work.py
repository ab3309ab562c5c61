from __future__ import annotations

from typing import Any

import pytest

from receiver.graph.references import UnresolvedReference
from receiver.graph.serve import AsyncOperation, BadParameter
from receiver.sandbox.world.work import ad_work, operation_work, scope_object_id


def test_an_ad_spec_stands_for_a_create_in_its_account() -> None:
    work = ad_work("1", {"name": "a", "adset_id": 5})
    assert (work.path, work.parameters) == ("/act_1/ads", {"name": "a", "adset_id": "5"})
    assert work.shown == {"adgroup_spec": work.parameters}
    assert (work.scope_object_id, work.needs) == ("5", ())


def test_the_scope_is_the_ad_set_or_else_the_campaign() -> None:
    assert scope_object_id({"adset_id": 5, "campaign_id": "6"}) == "5"
    assert scope_object_id({"campaign_id": "6"}) == "6"
    assert scope_object_id({}) is None


@pytest.mark.parametrize("ad_set", [None, "", "x", 5.5, True, ["5"], "9" * 30])
def test_what_is_no_id_is_no_scope(ad_set: Any) -> None:
    assert scope_object_id({"adset_id": ad_set}) is None


def test_ids_in_a_spec_become_strings() -> None:
    spec = {"adset_id": 5, "creative": {"creative_id": 7, "count": 1}, "list": [{"page_id": 8}]}
    assert ad_work("1", spec).parameters == {
        "adset_id": "5",
        "creative": {"creative_id": "7", "count": 1},
        "list": [{"page_id": "8"}],
    }


def test_a_bottomless_spec_is_refused() -> None:
    spec: Any = {}
    for _ in range(100):
        spec = [spec]
    with pytest.raises(BadParameter):
        ad_work("1", {"deep": spec})


@pytest.mark.parametrize("url", ["act_1/adsets", "/act_1/adsets", "/v21.0//act_1/adsets/"])
@pytest.mark.parametrize(
    "body",
    [
        "name=First+Ad&campaign_id=%7Bresult%3Dparent%3A%24.id%7D",
        "name%3DFirst+Ad%26campaign_id%3D%7Bresult%3Dparent%3A%24.id%7D",
        {"name": "First Ad", "campaign_id": "{result=parent:$.id}"},
    ],
)
def test_an_operation_may_be_written_in_many_ways(url: str, body: Any) -> None:
    work = operation_work(AsyncOperation("child", url, body))
    assert (work.path, work.name, work.needs) == ("/act_1/adsets", "child", ("parent",))
    assert work.scope_object_id is None
    resolved = work.resolved({"parent": {"id": "9"}})
    assert resolved.parameters == {"name": "First Ad", "campaign_id": "9"}
    assert resolved.scope_object_id == "9"


def test_an_operation_without_a_parent_is_its_accounts() -> None:
    assert operation_work(AsyncOperation("a", "act_1/campaigns", "name=x")).scope_object_id == "1"
    assert operation_work(AsyncOperation("a", "6004251715639", "name=x")).scope_object_id is None


def test_a_reference_to_nothing_is_not_resolved() -> None:
    work = operation_work(AsyncOperation("child", "{result=parent:$.id}", "a=1"))
    with pytest.raises(UnresolvedReference):
        work.resolved({})
