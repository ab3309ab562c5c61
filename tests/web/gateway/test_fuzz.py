"""Whatever is thrown at the gateway, it answers like Graph, and nothing is made twice or lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from werkzeug.test import EnvironBuilder, TestResponse

from receiver.sandbox.calls.messages import Call
from receiver.store.models import RequestSet
from tests.support.databases import fresh_database_url
from tests.support.fuzz import calls
from tests.support.house import TOKEN, House, add_account, open_house

FIRST_ERROR = 400
UNFORESEEN = "An unknown error occurred."


@dataclass(frozen=True)
class Prepared:
    """A house with a key for the account of the examples, and the ids that exist there."""

    house: House
    key: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with fresh_database_url("sqlite", folder) as url, open_house(url, read_ttl_seconds=0) as house:
        key = add_account(house.parts, 1)
        house.sandbox.configure("1", progress={"kind": "by_hand"})
        form = {"name": "set", "ad_specs": '[{"name": "a", "adset_id": "5"}]', "access_token": key}
        made = house.client.post("/act_1/asyncadrequestsets", data=form).get_json()["id"]
        query = {"access_token": key}
        requests = house.client.get(f"/{made}/requests", query_string=query).get_json()["data"]
        ids = {"SET": made, "REQUEST": requests[0]["id"], "AD": "6", "CREATIVE": "7"}
        yield Prepared(house, key, ids)


def send(prepared: Prepared, call: Call) -> TestResponse:
    path, _, more = call.path.partition("?")
    query, body = "&".join(filter(None, (more, call.query))), call.body
    for name, value in prepared.ids.items():
        path, query = path.replace(name, value), query.replace(name, value)
        body = body.replace(name.encode(), value.encode())
    query = re.sub("access_token=[^&]*", f"access_token={prepared.key}", query)
    builder = EnvironBuilder(method=call.method, headers=list(call.headers.items()))
    environ = builder.get_environ()
    builder.close()
    environ |= {
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": call.headers["content-type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    return prepared.house.client.open(environ)


@given(call=calls())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_called_the_answer_is_graphs(prepared: Prepared, call: Call) -> None:
    call = replace(call, path="/" + call.path.lstrip("/"))
    response = send(prepared, call)
    assert TOKEN not in response.text
    assert UNFORESEEN not in response.text
    if call.method in ("HEAD", "OPTIONS") or response.status_code == 304:
        assert response.data == b""
        return
    shown = json.loads(response.text)
    if response.status_code >= FIRST_ERROR:
        assert {"message", "type"} <= shown["error"].keys()


def test_what_was_made_meanwhile_stands_in_sql_and_only_once(prepared: Prepared) -> None:
    house = prepared.house
    at_facebook = {each["id"] for each in house.sandbox.ledger()}
    here = [str(row.facebook_id) for row in house.rows(RequestSet) if row.facebook_id]
    assert sorted(here) == sorted(at_facebook)
