"""Exports: whole, filtered, with lineage, of one's own accounts, and cut off where cut off."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from unittest import mock

import pytest

from receiver.lifecycle.exports import formats, lineage, rows
from receiver.lifecycle.exports.lineage import Lineage
from receiver.store.database import DatabaseAway
from receiver.store.lists import paging
from receiver.store.models import Request, RequestSet
from tests.support.dashboard import signed_in
from tests.support.house import House, ad, add_account

SETS, REQUESTS = "/admin/api/exports/request-sets", "/admin/api/exports/requests"


def ndjson(house: House, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = house.get(path, **query)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def with_lineage(house: House) -> None:
    """A set with row keys of which something failed, and the set that sends it again."""
    house.notify(house.create_open([ad("one"), ad("fail b"), ad("three")], name="=Evil()"))
    house.work()
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).row_keys = b'["k1", "k2", "k3"]'
    headers = {"Authorization": f"Bearer {house.key}"}
    path = "/admin/api/request-sets/1/actions/resubmit"
    assert house.client.post(path, headers=headers).status_code == 200
    house.notify()
    house.work()


def test_requests_tell_where_they_come_from_and_where_they_go(house: House) -> None:
    with_lineage(house)

    exported = ndjson(house, REQUESTS)

    first = {row["row_key"]: row for row in exported if row["request_set_id"] == "1"}
    (again,) = (row for row in exported if row["request_set_id"] == "2")
    assert {key: row["spec_index"] for key, row in first.items()} == {"k1": 0, "k2": 1, "k3": 2}
    assert first["k1"]["created_object_id"] is not None
    assert first["k2"]["error_code"] is not None
    assert first["k2"]["error_meaning"]
    assert first["k2"]["sent_again_in"] == "2"
    assert (again["row_key"], again["sends_again"]) == ("k2", first["k2"]["id"])


def test_a_csv_is_safe_for_spreadsheets_and_named_as_a_file(house: House) -> None:
    with_lineage(house)

    answer = house.get(SETS, format="csv")
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))

    assert answer.headers["Content-Disposition"] == 'attachment; filename="request-sets.csv"'
    assert [row["name"] for row in table] == ["'=Evil()", "'=Evil()"]
    assert [row["parent_id"] for row in table] == ["", "1"]


def test_the_filters_are_those_of_the_lists(house: House) -> None:
    with_lineage(house)

    assert [row["id"] for row in ndjson(house, SETS, parent=1)] == ["2"]
    assert [row["status"] for row in ndjson(house, REQUESTS, status="error", request_set=1)] != []
    assert ndjson(house, SETS, state="open") == []
    assert house.get(SETS, colour="red").status_code == 400
    assert house.get(SETS, format="xml").status_code == 400
    assert house.get(REQUESTS, since="2026-01-01T00:00:00Z").status_code == 400


def test_an_export_is_whole_however_many_pages_it_takes(house: House) -> None:
    for number in range(5):
        house.create_open(name=f"Set {number}")
    with mock.patch.object(rows, "_PAGE_ROWS", 2):
        exported = ndjson(house, SETS)

    assert [row["name"] for row in exported] == [f"Set {number}" for number in range(5)]


def test_nobody_exports_what_is_not_theirs(house: House) -> None:
    with_lineage(house)
    house.key = add_account(house.parts, 5)

    assert ndjson(house, SETS) == []
    assert ndjson(house, REQUESTS) == []
    assert house.client.get(SETS).status_code == 401


def test_a_database_that_is_away_is_said_before_anything_is_sent(house: House) -> None:
    with mock.patch.object(paging, "read_page", side_effect=DatabaseAway("gone")):
        assert house.get(SETS).status_code == 503
    # And the slot is free again.
    for _ in range(3):
        assert house.get(SETS).status_code == 200


def test_an_export_that_breaks_off_does_not_look_whole(house: House) -> None:
    for _ in range(3):
        house.create_open()
    real = paging.read_page
    calls: list[Any] = []

    def breaking(*arguments: Any, **named: Any) -> Any:
        calls.append(named)
        if len(calls) == 3:
            raise DatabaseAway("gone in the middle")
        return real(*arguments, **named)

    with (
        mock.patch.object(rows, "_PAGE_ROWS", 1),
        mock.patch.object(formats, "_CHUNK_ROWS", 1),
        mock.patch.object(paging, "read_page", breaking),
        pytest.raises(DatabaseAway),
    ):
        # A server that gets this error ends the connection without HTTP's last chunk.
        _ = house.get(SETS).data
    assert house.get(SETS).status_code == 200


def test_only_so_many_are_under_way_at_once_and_one_of_a_key(house: House) -> None:
    house.create_open()
    keys = [house.key, add_account(house.parts, 5), add_account(house.parts, 6)]

    def export(key: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return house.client.get(SETS, headers=headers, buffered=False)

    first, again, second, third = (export(key) for key in (keys[0], *keys))

    assert [one.status_code for one in (first, again, second, third)] == [200, 429, 200, 429]
    assert "of your key" in again.get_json()["detail"]
    assert third.headers["Retry-After"]
    for answer in (first, second):
        answer.close()
    assert export(keys[2]).status_code == 200


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_an_export_is_begun_after_the_first_window_whatever_is_in_it(
    house: House, kind: str
) -> None:
    for number in range(4):
        house.create_open(name=f"Set {number}")
    headers = {"Authorization": f"Bearer {house.key}"}
    with (
        mock.patch.object(paging, "WINDOW_ROWS", 1),
        mock.patch.object(paging, "read_page", side_effect=paging.read_page) as read,
    ):
        begun = house.client.get(
            f"{SETS}?name=nothing&format={kind}", headers=headers, buffered=False
        )
        assert (begun.status_code, read.call_count) == (200, 1)
        whole = begun.text
        assert read.call_count > 4
    assert whole == ("" if kind == "ndjson" else ",".join(rows.SET_COLUMNS) + "\r\n")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_over_http_1_0_where_a_cut_off_file_looks_whole_there_is_none(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.key}"}
    protocol = {"SERVER_PROTOCOL": "HTTP/1.0"}

    for path in (SETS, REQUESTS):
        answer = house.client.get(path, headers=headers, environ_overrides=protocol)
        assert answer.status_code == 505
        assert "proxy_http_version 1.1" in answer.get_json()["detail"]
    page = signed_in(house).client.get("/admin/exports/request-sets", environ_overrides=protocol)
    assert page.status_code == 505


def with_sets_side_by_side(house: House, *, sets: int, ads: int) -> None:
    """Requests whose ids go from set to set, as those of sets that are at work together do."""
    for number in range(sets):
        house.notify(house.create_open([ad(f"{number} {one}") for one in range(ads)]))
    house.work(most=1000)
    with house.parts.database.writing() as session:
        found = session.query(Request).order_by(Request.request_set_id, Request.id).all()
        for place, row in enumerate(found):
            row.id = 10**15 + (place % ads) * sets + place // ads


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("page_rows", "kept_requests", "readings"), [(1000, 0, 6), (4, 100, 6), (4, 4, 18)]
)
def test_sets_that_stand_side_by_side_are_read_once_as_long_as_they_fit(
    house: House, page_rows: int, kept_requests: int, readings: int
) -> None:
    with_sets_side_by_side(house, sets=6, ads=3)
    with (
        mock.patch.object(rows, "_PAGE_ROWS", page_rows),
        mock.patch.object(lineage, "_KEPT_REQUESTS", kept_requests),
        mock.patch.object(Lineage, "_read", autospec=True, side_effect=Lineage._read) as read,
    ):
        exported = ndjson(house, REQUESTS)

    assert [row["spec_index"] for row in exported] == [0] * 6 + [1] * 6 + [2] * 6
    assert read.call_count == readings


def test_a_row_key_with_half_a_surrogate_pair_stops_no_export(house: House) -> None:
    house.notify(house.create_open())
    house.work()
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).row_keys = b'["\\ud83d", "b"]'

    assert [row["row_key"] for row in ndjson(house, REQUESTS)] == ["\ufffd", "b"]
    assert house.get(REQUESTS, format="csv").status_code == 200


def test_the_dashboard_offers_its_lists_as_files(house: House) -> None:
    with_lineage(house)
    somebody = signed_in(house)

    page = somebody.get("/request-sets", state="collected", limit="1").text
    link = page.split('href="/admin/exports')[1].split('"')[0].replace("&amp;", "&")
    answer = somebody.get(f"/exports{link}")

    assert "state=collected" in link
    assert "limit" not in link
    assert answer.text.startswith("id,facebook_id")
    assert len(answer.text.splitlines()) == 3
