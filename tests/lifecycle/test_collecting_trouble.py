"""What collecting must survive: each of these once kept sets from being collected, or lied."""

from __future__ import annotations

import json
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import update

from receiver.lifecycle import step
from receiver.lifecycle.look_plan import ALONE_MOST
from receiver.store import intents
from receiver.store.models import Account, Look, Request, RequestSet
from tests.support.databases import refuse_rows
from tests.support.facebook import client_of
from tests.support.house import ACCOUNT, House, ad

BY_HAND = {"kind": "by_hand"}
NEVER = {"kind": "never"}

Answer = tuple[int, bytes]
Lie = Callable[[list[str], Answer], Answer]
"""Takes the paths of a call's operations, or its own, and the true answer; returns what is told."""


@contextmanager
def facebook_that_lies(house: House, lie: Lie) -> Iterator[None]:
    """Let the receiver call the sandbox through somebody who changes what it answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: text for name, text in self.headers.items() if name != "Host"}
            with requests.Session() as session:
                session.trust_env = False
                told = session.request(
                    self.command, house.sandbox.url + self.path, data=body, headers=headers
                )
            batch = parse_qs(body.decode()).get("batch")
            asked = [one["relative_url"] for one in json.loads(batch[0])] if batch else [self.path]
            status, content = lie(asked, (told.status_code, told.content))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError):  # nobody waits any more for what comes too late
                self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815  # the names that the server looks for

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        true_parts = house.parts
        with closing(client_of(f"http://127.0.0.1:{server.server_port}")) as client:
            house.parts = replace(true_parts, tools=replace(true_parts.tools, client=client))
            yield
        house.parts = true_parts
        server.shutdown()
        thread.join()


def complete_sets(house: House, count: int, *, ads: int = 2) -> list[str]:
    """Create sets that are complete, and of which no notification came; the first is due first."""
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    specs = [ad(f"ad {number}") for number in range(ads)]
    ids = []
    for number in range(count):
        ids.append(house.create_open(specs, name=f"set {number}"))
        house.let_time_pass(1)
    for set_id in ids:
        house.sandbox.complete(set_id)
    house.let_time_pass(60)
    return ids


def states(house: House) -> list[str]:
    return [row.state for row in house.rows(RequestSet)]


def work_for_hours(house: House, hours: int, *, until_collected: slice = slice(None)) -> None:
    """Work every quarter of an hour, until some sets, or all, are collected."""
    for _ in range(4 * hours):
        house.work()
        if {intents.COLLECTED} == set(states(house)[until_collected]):
            return
        house.let_time_pass(900)


def calls_of_looks(house: House) -> int:
    return sum(look.calls for look in house.rows(Look))


def read_calls(house: House) -> int:
    """How many HTTP calls read, as the sandbox counts them."""
    calls = house.sandbox.calls()["calls"]
    is_create = ("asyncadrequestsets", "async_batch_requests")
    return sum(
        not call["is_operation"]
        and not (call["method"] == "POST" and call["path"].endswith(is_create))
        for call in calls
    )


def test_a_set_that_is_too_much_with_its_requests_is_read_though_others_go_well(
    house: House,
) -> None:
    """What others make grow again must not keep it from ever being asked for with less."""
    bad = complete_sets(house, 1, ads=40)[0]

    def too_much(asked: list[str], answer: Answer) -> Answer:
        entries = json.loads(answer[1])
        if not isinstance(entries, list):
            return _too_much() if _asks_too_much(asked[0], bad) else answer
        told = [
            {"code": 500, "headers": [], "body": _too_much()[1].decode()}
            if _asks_too_much(path, bad)
            else entry
            for path, entry in zip(asked, entries, strict=True)
        ]
        return 200, json.dumps(told).encode()

    with facebook_that_lies(house, too_much):
        for _ in range(12):
            house.sandbox.complete(house.create_open(name="one that goes well"))
            house.let_time_pass(900)
            house.work()
    row = house.rows(RequestSet)[0]
    assert row.state == intents.COLLECTED, row.state_reason


def _asks_too_much(path: str, bad: str) -> bool:
    limit = path.partition("limit(")[2].partition(")")[0] or path.partition("limit%28")[2][:3]
    limit = limit.partition("%29")[0]
    return bad in path and "requests" in path and limit.isdigit() and int(limit) > 200


def _too_much() -> Answer:
    error = {"code": 1, "message": "Please reduce the amount of data you're asking for"}
    return 500, json.dumps({"error": error}).encode()


@pytest.mark.parametrize("expands", [True, False])
def test_a_set_that_breaks_every_call_it_is_in_keeps_no_other_from_being_collected(
    house: House, *, expands: bool
) -> None:
    if not expands:
        house.without_expansion()
    bad = complete_sets(house, 5)[0]

    def broken(asked: list[str], answer: Answer) -> Answer:
        is_about = [path for path in asked if bad in path and (expands or "/requests" in path)]
        return (502, b"<html>Bad gateway</html>") if is_about else answer

    with facebook_that_lies(house, broken):
        work_for_hours(house, 12, until_collected=slice(1, None))
    assert states(house)[1:] == [intents.COLLECTED] * 4


def test_what_was_read_of_others_stands_where_a_set_is_read_once_more_in_vain(
    house: House,
) -> None:
    bad = complete_sets(house, 3)[0]
    seen: list[bool] = []

    def failing(asked: list[str], answer: Answer) -> Answer:
        if not any(bad in path for path in asked):
            return answer
        seen.append(len(asked) > 1)
        return _with_too_much(answer, bad) if len(asked) > 1 else (400, b"<html>No</html>")

    with facebook_that_lies(house, failing):
        assert step.advance(house.parts.tools)
    assert states(house) == [intents.OPEN, *[intents.COLLECTED] * 2]
    assert calls_of_looks(house) == len(seen) == 2


def _with_too_much(answer: Answer, set_id: str) -> Answer:
    """Answer that the requests of one set of a batch are too much."""
    entries = json.loads(answer[1])
    for entry in entries:
        if set_id in entry["body"]:
            status, body = _too_much()
            entry |= {"code": status, "body": body.decode()}
    return answer[0], json.dumps(entries).encode()


@pytest.mark.parametrize("expands", [True, False])
def test_more_sets_than_a_small_limit_has_points_for_are_collected(
    house: House, *, expands: bool
) -> None:
    """Development access has 60 points; polls may take 48 of them, and a batch has 50 reads."""
    if not expands:
        house.without_expansion()
    complete_sets(house, 60)
    house.sandbox.configure(
        f"act_{ACCOUNT}", limits={"tier": "development_access", "enforced": True}
    )
    with house.parts.database.writing() as session:
        # A list that is dear to read: the sets are read by themselves.
        session.execute(update(Account).values(tier="development_access", sweep_pages=20.0))
    house.let_time_pass(600)
    work_for_hours(house, 12)
    assert Counter(states(house)) == {intents.COLLECTED: 60}


def test_a_status_that_no_index_takes_holds_up_its_own_set_only(house: House) -> None:
    ids = complete_sets(house.without_expansion(), 3)
    (entry,) = (one for one in house.sandbox.ledger() if one["id"] == ids[1])
    word = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=9000))
    house.sandbox.override(entry["requests"][0]["id"], status=word)
    house.work()
    assert [states(house)[0], states(house)[2]] == [intents.COLLECTED] * 2


def test_what_a_set_cost_counts_where_its_end_cannot_be_written(house: House) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    wanted = {"notification_uri": "https://caller.test/", "notification_mode": "ON_COMPLETE"}
    house.sandbox.complete(house.without_expansion().create_open(**wanted))
    refuse_rows(house.parts.database, "delivery", where="NEW.request_set_id = 1")
    house.let_time_pass(60)
    before = read_calls(house)
    house.work()
    assert states(house) == [intents.COMPLETED]
    assert calls_of_looks(house) == read_calls(house) - before == 2


def test_what_it_cost_to_learn_that_sets_are_not_expanded_counts(house: House) -> None:
    ids = complete_sets(house, 3)
    house.sandbox.trouble("graph_error", code=100, path=f"^/{ids[2]}$")
    before = read_calls(house)
    house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert calls_of_looks(house) == read_calls(house) - before


def test_what_a_sweep_cost_counts_where_its_second_page_fails(house: House) -> None:
    house.sandbox.old_sets(f"act_{ACCOUNT}", count=6000)
    house.sandbox.configure(f"act_{ACCOUNT}", edge={"order": "random", "seed": 1})
    complete_sets(house, 16)
    seen = []

    def failing(asked: list[str], answer: Answer) -> Answer:
        seen.append(asked[0])
        return answer if len(seen) == 1 else (400, b'{"error": {"code": 100, "message": "no"}}')

    with facebook_that_lies(house, failing):
        assert step.advance(house.parts.tools)
    assert calls_of_looks(house) == len(seen) == 2


@pytest.mark.parametrize(
    ("depth", "state"), [(990, intents.COLLECTED), (10_000, intents.COMPLETED)]
)
def test_a_result_nested_deeply_costs_its_own_place_only(
    house: House, depth: int, state: str
) -> None:
    """One that no reader of JSON takes leaves its own set open; its neighbours are collected."""
    bad = complete_sets(house.without_expansion(), 3)[1]

    def deep(asked: list[str], answer: Answer) -> Answer:
        return answer[0], _nested(asked, answer[1], bad, depth=depth, as_object=False)

    with facebook_that_lies(house, deep):
        work_for_hours(house, 3)
    assert states(house) == [intents.COLLECTED, state, intents.COLLECTED]


def test_a_body_that_is_no_text_breaks_no_batch(house: House) -> None:
    bad = complete_sets(house.without_expansion(), 3)[1]

    def deep(asked: list[str], answer: Answer) -> Answer:
        return answer[0], _nested(asked, answer[1], bad, depth=990, as_object=True)

    with facebook_that_lies(house, deep):
        work_for_hours(house, 3)
    assert [states(house)[0], states(house)[2]] == [intents.COLLECTED] * 2


def _nested(asked: list[str], body: bytes, bad: str, *, depth: int, as_object: bool) -> bytes:
    """Let the page of a set's requests hold a result that is nested deeply."""
    nested = "[" * depth + "]" * depth
    value = json.loads(body)
    if not any(f"{bad}/requests" in path for path in asked):
        return body
    if not isinstance(value, list):
        value["data"][0]["result"] = "NESTED"
        return json.dumps(value).replace('"NESTED"', nested).encode()
    for path, entry in zip(asked, value, strict=True):
        if f"{bad}/requests" in path:
            shown = json.loads(entry["body"])
            shown["data"][0]["result"] = "NESTED"
            text = json.dumps(shown).replace('"NESTED"', nested)
            entry["body"] = "OBJECT" if as_object else text
    return json.dumps(value).replace('"OBJECT"', text).encode()


def test_an_error_of_a_reading_before_does_not_stay_with_a_success(house: House) -> None:
    complete_sets(house.without_expansion(), 1, ads=1)
    (entry,) = house.sandbox.ledger()
    request_id = entry["requests"][0]["id"]
    trying = {"error_code": 2, "error_message": "Once more."}
    house.sandbox.override(request_id, status="IN_PROGRESS", result=trying)
    house.work()
    house.sandbox.override(request_id, status="SUCCESS", result={"id": "77"})
    house.let_time_pass(900)
    house.work()
    (row,) = house.rows(Request)
    assert (row.status, row.result) == ("SUCCESS", b'{"id":"77"}')
    assert (row.created_object_id, row.error_code, row.error_message) == (77, None, None)


def test_an_etag_that_no_header_takes_does_not_end_the_looks(house: House) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    ids = [house.create_open(name=f"set {number}") for number in range(2)]

    def strange(_: list[str], answer: Answer) -> Answer:
        value = json.loads(answer[1])
        if isinstance(value, list):
            for entry in value:
                entry["headers"] = [{"name": "ETag", "value": '"a\nb\u20ac"'}]
        return answer[0], json.dumps(value).encode()

    with facebook_that_lies(house, strange):
        house.let_time_pass(60)
        house.work()
        house.sandbox.complete(ids[0])
        house.sandbox.override(ids[1], is_completed=False)
        house.let_time_pass(900)
        house.notify(ids[0])
        house.work()
        house.let_time_pass(900)
        house.work()
        house.sandbox.complete(ids[1])
        house.sandbox.override(ids[1], is_completed=True)
        work_for_hours(house, 3)
    assert states(house) == [intents.COLLECTED] * 2


def test_a_set_that_is_always_too_much_does_not_let_others_be_read_one_by_one(
    house: House,
) -> None:
    (bad,) = complete_sets(house.without_expansion(), 1)
    house.sandbox.trouble("graph_error", code=1, path=f"{bad}/requests$", count=None)
    house.work()
    complete_sets(house, 2, ads=40)
    before = read_calls(house)
    house.work()
    assert states(house)[1:] == [intents.COLLECTED] * 2
    assert read_calls(house) - before < 15


@pytest.mark.parametrize(("ads", "points"), [(1, 2), (2, 3), (40, 7)])
def test_a_set_that_is_always_too_much_costs_no_points_for_pages_as_long_as_before(
    house: House, ads: int, points: int
) -> None:
    """Code 1 is any unknown error: for an hour, each of its sets may have it."""
    (bad,) = complete_sets(house.without_expansion(), 1, ads=ads)
    house.sandbox.trouble("graph_error", code=1, path=f"{bad}/requests$", count=None)
    before = read_calls(house)
    assert step.advance(house.parts.tools)
    assert read_calls(house) - before == 1 + points
    assert calls_of_looks(house) == 1 + points


def test_one_heavy_set_beside_light_ones_makes_no_page_of_others_shorter(house: House) -> None:
    heavy = complete_sets(house.without_expansion(), 5, ads=40)[2]

    def too_much(asked: list[str], answer: Answer) -> Answer:
        if len(asked) == 1:
            return _too_much() if _is_long_page(asked[0], heavy) else answer
        status, body = _too_much()
        refused = {"code": status, "headers": [], "body": body.decode()}
        told = [
            refused if _is_long_page(path, heavy) else entry
            for path, entry in zip(asked, json.loads(answer[1]), strict=True)
        ]
        return answer[0], json.dumps(told).encode()

    with facebook_that_lies(house, too_much):
        house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert house.rows(Account)[0].page_limit is None


def _is_long_page(path: str, set_id: str) -> bool:
    limit = parse_qs(urlsplit(path).query).get("limit", ["0"])[0]
    return f"{set_id}/requests" in path and int(limit) > 20


def test_errors_that_pass_on_a_small_set_make_no_page_of_others_shorter(house: House) -> None:
    (small,) = complete_sets(house.without_expansion(), 1)
    house.sandbox.trouble("graph_error", code=1, path=f"{small}/requests$", count=2)
    house.work()
    assert states(house) == [intents.COLLECTED]
    assert house.rows(Account)[0].page_limit is None


def test_short_pages_grow_again_though_no_set_is_read_to_its_end(house: House) -> None:
    """Sixty pages of one request are more than development access has points for."""
    complete_sets(house.without_expansion(), 1, ads=60)
    house.sandbox.configure(
        f"act_{ACCOUNT}", limits={"tier": "development_access", "enforced": True}
    )
    with house.parts.database.writing() as session:
        session.execute(update(Account).values(tier="development_access", page_limit=1))
    work_for_hours(house, 12)
    assert states(house) == [intents.COLLECTED]


def test_a_page_in_another_shape_beside_a_set_does_not_hold_the_set_up(house: House) -> None:
    """PHP writes an empty object as an empty list."""
    complete_sets(house, 1)

    def strange(_: list[str], answer: Answer) -> Answer:
        value = json.loads(answer[1])
        if "requests" in value:
            value["requests"] = []
        return answer[0], json.dumps(value).encode()

    with facebook_that_lies(house, strange):
        work_for_hours(house, 3)
    assert states(house) == [intents.COLLECTED]


def test_the_same_request_in_two_sets_is_the_first_ones(house: House) -> None:
    ids = complete_sets(house.without_expansion(), 3)
    ledger = {one["id"]: one["requests"] for one in house.sandbox.ledger()}
    doubled = ledger[ids[0]][0]["id"]
    house.sandbox.override(ledger[ids[1]][1]["id"], id=doubled)
    house.work()
    assert states(house) == [intents.COLLECTED, intents.COMPLETED, intents.COLLECTED]
    rows = {row.id: row.request_set_id for row in house.rows(Request)}
    assert rows[int(doubled)] == 1


def test_the_same_look_asks_nothing_more_of_an_account_that_is_throttled(
    house: House,
) -> None:
    complete_sets(house, 120)
    house.sandbox.trouble("graph_error", code=17, method="POST", path="^/?$", count=None)
    with house.parts.database.writing() as session:
        session.execute(update(Account).values(sweep_pages=20.0))
    before = read_calls(house)
    assert step.advance(house.parts.tools)
    a_page_of_the_list, refused = 1, 1
    assert read_calls(house) - before == a_page_of_the_list + refused


def test_of_many_sets_that_fail_a_few_are_read_alone_at_a_time(house: House) -> None:
    complete_sets(house, 20)
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(state_reason="It failed.", quiet_looks=3))
        session.execute(update(Account).values(sweep_pages=20.0))
    before = read_calls(house)
    house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert read_calls(house) - before == ALONE_MOST + 1


def test_a_set_that_is_refused_with_and_without_its_requests_says_nothing_of_expansion(
    house: House,
) -> None:
    set_id = house.create_open()
    house.notify()
    house.sandbox.trouble("graph_error", code=100, path=f"^/{set_id}$", count=2)
    house.work()
    assert ACCOUNT not in house.parts.tools.without_expansion
    house.let_time_pass(900)
    house.work()
    assert states(house) == [intents.COLLECTED]
