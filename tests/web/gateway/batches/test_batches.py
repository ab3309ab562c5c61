"""Batches through the gateway: planned, sent once, and answered in their caller's order."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.conformance.conftest import IMAGE
from tests.support.house import ACCOUNT, TOKEN, House, add_account

ACT = f"act_{ACCOUNT}"
Entry = dict[str, Any]


def send(house: House, operations: Any, **parameters: Any) -> TestResponse:
    form = {"batch": json.dumps(operations), "access_token": house.key, **parameters}
    return house.client.post("/v21.0/", data=form)


def entries(response: TestResponse) -> list[Entry | None]:
    assert response.status_code == 200, response.text
    assert TOKEN not in response.text
    shown: list[Entry | None] = response.get_json()
    return [entry and {**entry, "body": json.loads(entry["body"] or "null")} for entry in shown]


def campaign(number: int, **operation: Any) -> Entry:
    body = f"name=campaign-{number}&objective=LINK_CLICKS"
    return {"method": "POST", "relative_url": f"{ACT}/campaigns", "body": body, **operation}


def ad(name: str, *, creative: str = "6008248529001", **operation: Any) -> Entry:
    spec = json.dumps({"creative_id": creative})
    body = f"name={name}&adset_id=6008248529789&creative={spec}"
    return {"method": "POST", "relative_url": f"{ACT}/ads", "body": body, **operation}


def creative(**operation: Any) -> Entry:
    story = json.dumps(
        {"page_id": "9", "link_data": {"link": "https://x.example/", "message": "m"}}
    )
    body = f"name=c&object_story_spec={story}"
    return {"method": "POST", "relative_url": f"{ACT}/adcreatives", "body": body, **operation}


def batches_at_facebook(house: House) -> list[Any]:
    return [call for call in house.sandbox.calls()["calls"] if call["path"] == "/"]


def names_of(house: House, edge: str) -> list[str]:
    found = house.get(f"/{ACT}/{edge}", fields="name", limit="500").get_json()["data"]
    return sorted(each["name"] for each in found)


def test_one_creative_and_two_hundred_ads_are_one_batch_for_their_caller(house: House) -> None:
    ads = [ad(f"ad-{number}", creative="{result=made:$.id}") for number in range(200)]
    first, *others = entries(send(house, [creative(name="made"), *ads]))
    assert first is None  # a success that others use
    assert {entry["code"] for entry in others if entry} == {200}
    assert len({entry["body"]["id"] for entry in others if entry}) == 200
    assert names_of(house, "ads") == sorted(f"ad-{number}" for number in range(200))
    assert len(batches_at_facebook(house)) == 21


def test_a_thousand_operations_are_one_batch_and_one_more_is_not(house: House) -> None:
    operations = [campaign(number) for number in range(1000)]
    assert {entry["code"] for entry in entries(send(house, operations)) if entry} == {200}
    refused = send(house, [*operations, campaign(1000)])
    assert (refused.status_code, refused.get_json()["error"]["type"]) == (
        400,
        "GraphBatchException",
    )
    assert len(names_of(house, "campaigns")) == 500


def test_a_chain_that_fits_is_one_call_to_facebook(house: House) -> None:
    operations = [
        creative(name="made", omit_response_on_success=False),
        ad("one", creative="{result=made:$.id}"),
        campaign(1),
    ]
    made, one, other = entries(send(house, operations))
    assert made
    assert one
    assert other
    assert [each["code"] for each in (made, one, other)] == [200, 200, 200]
    assert len(batches_at_facebook(house)) == 1


def test_an_answer_may_be_addressed_by_what_comes_after_it(house: House) -> None:
    operations = [
        campaign(1, name="made"),
        {"method": "GET", "relative_url": "{result=made:$.id}?fields=name"},
        {"method": "GET", "relative_url": "?ids={result=made:$.id}&fields=name"},
    ]
    _, by_path, by_ids = entries(send(house, operations))
    assert by_path
    assert by_ids
    assert by_path["body"]["name"] == "campaign-1"
    assert [each["name"] for each in by_ids["body"].values()] == ["campaign-1"]


def test_what_needs_a_failure_is_not_done(house: House) -> None:
    failing = {"method": "POST", "relative_url": f"{ACT}/campaigns", "name": "made", "body": "x=1"}
    operations = [
        failing,
        {"method": "GET", "relative_url": "{result=made:$.id}"},
        campaign(2, depends_on="made"),
        campaign(3),
    ]
    found = entries(send(house, operations))
    assert [entry and entry["code"] for entry in found] == [400, None, None, 200]
    assert names_of(house, "campaigns") == ["campaign-3"]


def test_a_reference_that_leads_nowhere_fails_alone(house: House) -> None:
    operations = [
        campaign(1, name="made"),
        {"method": "GET", "relative_url": "{result=made:$.nothing}"},
        campaign(2),
    ]
    found = entries(send(house, operations))
    assert [entry and entry["code"] for entry in found] == [None, 400, 200]


def test_what_an_answer_brings_in_is_not_searched_for_references(house: House) -> None:
    operations = [
        campaign(1, name="first", omit_response_on_success=False),
        {**campaign(2, name="made"), "body": "name={result=x:$.id}&objective=LINK_CLICKS"},
    ]
    refused = send(house, operations)
    assert refused.status_code == 400  # an unknown name refuses the batch as a whole


@pytest.mark.parametrize(
    "operations",
    [
        [campaign(1, name="a", depends_on="b"), campaign(2, name="b", depends_on="a")],
        [campaign(1, name="a", depends_on="a")],
        "no list",
        [],
    ],
)
def test_a_circle_or_no_list_is_refused_as_a_whole(house: House, operations: Any) -> None:
    response = send(house, operations)
    assert response.status_code == 400
    assert response.get_json()["error"]["type"] == "GraphBatchException"
    assert names_of(house, "campaigns") == []


def test_our_own_sets_are_created_read_and_changed_by_operations(house: House) -> None:
    specs = json.dumps([{"name": "one", "adset_id": "6008248529789"}])
    operations = [
        {
            "method": "POST",
            "name": "made",
            "relative_url": f"{ACT}/asyncadrequestsets",
            "body": f"name=mine&ad_specs={specs}",
        },
        {"method": "POST", "relative_url": "{result=made:$.id}", "body": "name=renamed"},
        {"method": "GET", "relative_url": "{result=made:$.id}/requests"},
        campaign(1),
    ]
    made, renamed, requests, other = entries(send(house, operations))
    assert made is None
    assert renamed
    assert requests
    assert other
    assert renamed["body"] == {"success": True}
    assert len(requests["body"]["data"]) == 1
    assert house.the_set().name == "renamed"
    assert other["code"] == 200


def test_each_operation_has_the_rights_of_its_own_key(house: House) -> None:
    other = add_account(house.parts, 5)
    operations = [
        {"method": "GET", "relative_url": "act_5"},
        {"method": "GET", "relative_url": "act_5", "access_token": other},
        {"method": "GET", "relative_url": ACT, "access_token": "no key"},
        {"method": "GET", "relative_url": ACT},
        {"method": "GET", "relative_url": f"{ACT}?fields=access_token"},
    ]
    found = entries(send(house, operations))
    assert [entry and entry["code"] for entry in found] == [403, 200, 400, 200, 403]


def test_a_key_that_may_only_read_may_read_in_a_batch(house: House) -> None:
    house.make_key_read_only()
    found = entries(send(house, [campaign(1), {"method": "GET", "relative_url": ACT}]))
    assert [entry and entry["code"] for entry in found] == [403, 200]
    assert names_of(house, "campaigns") == []


@pytest.mark.parametrize("kind", ["commit_then_drop", "not_json", "cut"])
def test_writes_without_an_answer_are_told_so_and_nothing_is_sent_again(
    house: House, kind: str
) -> None:
    house.sandbox.trouble(kind, method="POST", path="^/$")
    operations = [campaign(1), {"method": "GET", "relative_url": ACT}, campaign(2)]
    first, read, second = entries(send(house, operations))
    assert read is None
    for entry in (first, second):
        assert entry is not None
        assert (entry["code"], entry["body"]["error"]["is_transient"]) == (409, False)
    assert len(batches_at_facebook(house)) == 1
    assert names_of(house, "campaigns") in ([], ["campaign-1", "campaign-2"])


def test_an_operation_answered_by_null_may_have_been_done(house: House) -> None:
    house.sandbox.trouble("null", method="POST", path="campaigns$")
    first, second = entries(send(house, [campaign(1), campaign(2)]))
    codes = [entry and entry["code"] for entry in (first, second)]
    assert codes == [409, 200]


def test_a_call_that_fails_leaves_the_others_of_the_batch_alone(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST", path="^/$", count=1)
    found = entries(send(house, [campaign(number) for number in range(120)]))
    codes = [entry and entry["code"] for entry in found]
    assert sorted(set(codes), key=str) == [200, 409]
    assert codes.count(409) in (20, 50)
    assert len(names_of(house, "campaigns")) == 120


def test_a_batch_that_facebook_refuses_as_a_whole_is_refused_as_a_whole(house: House) -> None:
    house.sandbox.trouble("graph_error", method="POST", code=190, subcode=463)
    response = send(house, [campaign(1), campaign(2)])
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 190)


def test_a_database_that_goes_away_meanwhile_is_told_for_each_operation(house: House) -> None:
    set_id = house.create_open()
    operations = [
        campaign(1, name="made"),
        {"method": "GET", "relative_url": "{result=made:$.id}"},
        {"method": "GET", "relative_url": set_id, "depends_on": "made"},
    ]
    with house.database_that_goes_away_after_a_call():
        first, read, own = entries(send(house, operations))
    assert first is None  # it was made, and is not told as if it could be sent again
    for entry in (read, own):
        assert entry is not None
        assert (entry["code"], entry["body"]["error"]["is_transient"]) == (503, True)
    assert names_of(house, "campaigns") == ["campaign-1"]


def test_a_throttled_account_is_not_asked_again_until_its_time_is_over(house: House) -> None:
    house.sandbox.trouble("graph_error", method="POST", code=17, subcode=2446079)
    send(house, [campaign(1)])
    before = len(house.sandbox.calls()["calls"])
    (entry,) = entries(send(house, [campaign(2)]))
    assert entry is not None
    assert entry["body"]["error"]["code"] == 17
    assert {"name": "Retry-After", "value": "300"} in entry["headers"]
    assert len(house.sandbox.calls()["calls"]) == before


def test_an_unchanged_answer_is_304_without_a_body_ours_and_facebooks(house: House) -> None:
    set_id = house.create_open()
    paths = [ACT, set_id]
    first = entries(send(house, [{"method": "GET", "relative_url": path} for path in paths]))
    tags = [
        next(each["value"] for each in entry["headers"] if each["name"].lower() == "etag")
        for entry in first
        if entry
    ]
    operations = [
        {"method": "GET", "relative_url": path, "headers": [f"If-None-Match: {tag}"]}
        for path, tag in zip(paths, tags, strict=True)
    ]
    again = entries(send(house, operations))
    assert [(entry["code"], entry["body"]) for entry in again if entry] == [(304, None)] * 2


def test_a_file_travels_with_the_batch_that_needs_it(house: House) -> None:
    images = [
        {"method": "POST", "relative_url": f"{ACT}/adimages", "attached_files": "picture"},
        {"method": "POST", "relative_url": f"{ACT}/adimages", "attached_files": "missing"},
    ]
    many = [campaign(number) for number in range(60)]
    response = house.client.post(
        "/",
        data={
            "batch": json.dumps([*many, *images]),
            "access_token": house.key,
            "picture": (BytesIO(IMAGE), "picture.jpg"),
        },
    )
    *_, made, missing = entries(response)
    assert made
    assert missing
    assert list(made["body"]["images"]) == ["picture.jpg"]
    assert missing["code"] == 400


def test_answers_come_without_headers_and_pretty_where_asked(house: House) -> None:
    response = send(house, [campaign(1)], include_headers="false", pretty="1")
    assert response.text.startswith("[\n")
    (entry,) = entries(response)
    assert entry is not None
    assert set(entry) == {"code", "body"}


def test_an_operation_that_is_none_fails_alone(house: House) -> None:
    found = entries(send(house, ["x", {"method": "GET"}, campaign(1)]))
    assert [entry and entry["code"] for entry in found] == [400, 400, 200]


def test_hostile_bytes_fail_nothing_but_themselves(house: House) -> None:
    operations = [
        {"method": "GET", "relative_url": "\ud800/\x00%ff?a=%00&b=\u2028"},
        {"method": "POST", "relative_url": f"{ACT}/campaigns", "body": "name=\ud800%ff%00"},
        campaign(1),
    ]
    found = entries(send(house, operations))
    assert found[2] is not None
    assert found[2]["code"] == 200
