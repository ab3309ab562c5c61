from __future__ import annotations

from typing import Any

import orjson
import pytest

from receiver.graph import wire
from receiver.graph.json_values import parse_json
from receiver.graph.wire import RequestReading, SetReading, WrongShape
from tests.support.samples import sample


def read_set(**fields: Any) -> SetReading:
    return wire.read_set_node({"id": "1", **fields})


def read_request(**fields: Any) -> RequestReading:
    return wire.read_request_node({"id": "1", "status": "SUCCESS", **fields})


def page(*nodes: Any, **paging: Any) -> dict[str, Any]:
    return {"data": list(nodes), "paging": paging}


NEXT = "https://graph.facebook.com/v21.0/1/requests?access_token=x&after=from%20link&limit=2"


def test_a_create_sends_the_ads_as_one_text_and_asks_to_be_notified() -> None:
    call = wire.create_set(
        71597454,
        edge="asyncadrequestsets",
        name="a",
        specs='[{"name":"ad"}]',
        notification_uri="https://x/y",
    )
    assert (call.method, call.path) == ("POST", "act_71597454/asyncadrequestsets")
    assert call.parameters == {
        "name": "a",
        "ad_specs": '[{"name":"ad"}]',
        "notification_mode": "ON_COMPLETE",
        "notification_uri": "https://x/y",
    }
    assert "https://x/y" not in repr(call)


def test_a_set_is_read_with_every_field() -> None:
    call = wire.read_set(12)
    assert (call.method, call.path) == ("GET", "12")
    asked = call.parameters["fields"].split(",")
    assert {"id", "name", "is_completed", "notification_uri", "notification_result"} <= set(asked)


def test_pages_are_asked_for_by_cursor() -> None:
    first = wire.read_requests(12, after=None, limit=500)
    assert (first.path, first.parameters["limit"]) == ("12/requests", "500")
    assert "after" not in first.parameters
    second = wire.read_account_sets(34, edge="asyncadrequestsets", after="abc", limit=10)
    assert (second.path, second.parameters["after"]) == ("act_34/asyncadrequestsets", "abc")


def test_the_pages_sample_of_a_set_is_read() -> None:
    reading = wire.read_set_node(parse_json(sample("set.json")))
    assert (reading.id, reading.owner_id) == (6012384857989, 12345)
    assert (reading.name, reading.is_completed) == ("testasyncset", True)
    assert reading.total_count is None


def test_a_set_with_every_field_is_read() -> None:
    reading = wire.read_set_node(parse_json(sample("set_with_all_fields.json")))
    assert reading == SetReading(
        id=6012384857989,
        owner_id=71597454,
        name="testasyncset",
        is_completed=True,
        total_count=3,
        initial_count=0,
        in_progress_count=0,
        success_count=2,
        error_count=1,
        canceled_count=0,
        notification_uri="https://receiver.example/notifications/abc",
        notification_mode="ON_COMPLETE",
        notification_status="SENT",
        notification_result_status="200",
        notification_result=b'{"status":"200","response":"OK"}',
        created_time="2025-06-01T10:00:00+0000",
        updated_time="2025-06-01T10:05:00+0000",
    )


def test_numbers_that_come_as_strings_are_numbers() -> None:
    reading = read_set(owner_id="12", total_count="3", success_count="3", is_completed="true")
    assert (reading.owner_id, reading.total_count, reading.success_count) == (12, 3, 3)
    assert reading.is_completed


def test_what_cannot_be_used_is_left_out() -> None:
    reading = read_set(owner_id="x", name={}, total_count=-1, is_completed=None)
    assert (reading.owner_id, reading.name, reading.total_count) == (None, None, None)
    assert not reading.is_completed


@pytest.mark.parametrize("node", [None, [], "1", {}, {"id": 0}, {"id": "x"}, {"id": 2**63}])
def test_a_set_without_a_usable_id_is_no_set(node: Any) -> None:
    with pytest.raises(WrongShape):
        wire.read_set_node(node)


def test_another_set_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(WrongShape, match="another set"):
        wire.read_set_node({"id": "2"}, expected_id=1)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"status": "200", "response": "OK"}, "200"),
        ({"status": 500}, "500"),
        ({}, None),
        ('{"status":"404"}', "404"),
        ("200", "200"),
        ("timeout", "timeout"),
        ("\ud800", "\ufffd"),
        ("", None),
        (200, "200"),
        ([], None),
        (None, None),
    ],
)
def test_how_a_notification_went_is_read_whatever_its_type(result: Any, status: str | None) -> None:
    reading = read_set(notification_result=result)
    assert reading.notification_result_status == status
    if result is None:
        assert reading.notification_result is None
    else:
        assert parse_json(reading.notification_result or b"") == result


def test_the_pages_sample_of_results_is_read() -> None:
    made, failed = wire.read_requests_page(parse_json(sample("request_results.json"))).requests
    assert (made.created_object_id, made.error_code) == (6012384860989, None)
    assert (failed.error_code, failed.error_message) == (100, "Invalid parameter")
    assert failed.created_object_id is None


def test_the_pages_sample_of_an_ad_sets_requests_is_read() -> None:
    (request,) = wire.read_requests_page(parse_json(sample("ad_set_requests.json"))).requests
    assert (request.scope_object_id, request.status) == (6008248529789, "SUCCESS")


def test_the_pages_sample_of_an_accounts_sets_is_one_last_page() -> None:
    answer = wire.read_sets_page(parse_json(sample("account_sets.json")))
    assert [reading.id for reading in answer.sets] == [6012384253789]
    assert (answer.unreadable, answer.after) == (0, None)


@pytest.mark.parametrize("status", ["SUCCESS", "Success", "success", "NEVER_SEEN_BEFORE"])
def test_a_status_stays_as_it_came(status: str) -> None:
    assert read_request(status=status).status == status


def test_a_result_may_be_a_list_and_its_code_a_string() -> None:
    request = read_request(result=[{"error_code": "100", "error_message": "Wrong"}])
    assert (request.error_code, request.error_message) == (100, "Wrong")
    assert request.result == b'[{"error_code":"100","error_message":"Wrong"}]'


@pytest.mark.parametrize("result", [None, "text", 7, [], [1], {}, {"id": "x"}, True])
def test_a_result_of_any_shape_is_kept(result: Any) -> None:
    request = read_request(result=result)
    assert (request.created_object_id, request.error_code) == (None, None)
    assert request.result == (None if result is None else orjson.dumps(result))


def test_characters_that_no_database_takes_survive_in_result_and_input() -> None:
    value = {"error_code": 1, "error_message": "a\x00\ud800"}
    request = read_request(result=value, input={"name": "\x00"})
    assert request.result == rb'{"error_code":1,"error_message":"a\u0000\ud800"}'
    assert request.input == rb'{"name":"\u0000"}'
    assert request.error_message == "a\ufffd\ufffd"


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"x": value}
    return value


def test_a_value_that_is_too_deep_leaves_the_rest_of_its_row() -> None:
    answer = wire.read_requests_page(
        page({"id": 1, "status": "ERROR", "result": [nested(500), {"error_code": 100}]})
    )
    (request,) = answer.requests
    assert (request.id, request.status, request.error_code) == (1, "ERROR", 100)
    assert request.result == b'"(nested too deeply to be kept)"'
    assert answer.unreadable == 0


def test_how_deep_a_value_is_kept_does_not_hang_on_who_writes_it() -> None:
    for depth, is_kept in ((500, True), (501, False), (900, False), (100_000, False)):
        kept = read_request(input=nested(depth)).input
        assert (kept != b'"(nested too deeply to be kept)"') == is_kept
        assert read_set(notification_result=nested(depth)).notification_result == kept


def test_requests_without_id_or_status_are_counted() -> None:
    good = {"id": 1, "status": "ERROR"}
    answer = wire.read_requests_page(page(good, {"id": "x", "status": "ERROR"}, {"id": 2}, None))
    assert [request.id for request in answer.requests] == [1]
    assert answer.unreadable == 3


@pytest.mark.parametrize(
    ("paging", "after"),
    [
        ({}, None),
        ({"cursors": {"after": "abc"}}, None),
        ({"cursors": {"after": "abc"}, "next": None}, None),
        ({"cursors": {"after": "abc"}, "next": NEXT}, "abc"),
        ({"cursors": {"after": "abc"}, "next": True}, "abc"),
        ({"cursors": {"after": ""}, "next": NEXT}, "from link"),
        ({"cursors": [], "next": NEXT}, "from link"),
        ({"next": NEXT}, "from link"),
    ],
)
def test_there_is_a_next_page_only_where_a_link_says_so(
    paging: dict[str, Any], after: str | None
) -> None:
    assert wire.read_requests_page(page(**paging)).after == after


def test_an_empty_page_may_have_a_next() -> None:
    answer = wire.read_sets_page(page(next=NEXT))
    assert (answer.sets, answer.after) == ([], "from link")


@pytest.mark.parametrize("link", ["https://x/", "http://[", "https://x/?after=", 7])
def test_a_next_page_without_a_way_to_it_is_never_taken_for_the_last(link: Any) -> None:
    with pytest.raises(WrongShape, match="no way to it"):
        wire.read_sets_page(page(next=link))


@pytest.mark.parametrize("value", [None, [], {}, {"data": None}, {"data": {}}])
def test_a_page_without_a_list_is_no_page(value: Any) -> None:
    with pytest.raises(WrongShape):
        wire.read_requests_page(value)


@pytest.mark.parametrize("paging", [None, [], "x"])
def test_a_page_may_come_without_paging(paging: Any) -> None:
    assert wire.read_requests_page({"data": [], "paging": paging}).after is None
