"""A caller's key over HTTP: it ends at once, and its last use is kept."""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import update

from receiver.store import keys
from receiver.store.models import ApiKey
from tests.support.databases import locked
from tests.support.house import ACCOUNT, House, open_house


def the_key(house: House) -> ApiKey:
    (row,) = house.rows(ApiKey)
    return row


def test_a_revoked_key_is_refused_at_once_everywhere(house: House) -> None:
    set_id = house.create_open()
    with house.parts.database.writing() as session:
        assert keys.revoke_key(session, the_key(house).name, now=house.clock())
    graph = house.get(f"/{set_id}")
    assert (graph.status_code, graph.get_json()["error"]["code"]) == (400, 190)
    assert "invalid_token" in graph.headers["WWW-Authenticate"]
    assert house.get("/admin/api/request-sets").status_code == 401


def test_a_key_ends_by_itself(house: House) -> None:
    with house.parts.database.writing() as session:
        session.execute(update(ApiKey).values(expires_at=house.clock() + timedelta(days=1)))
    assert house.get(f"/act_{ACCOUNT}").status_code == 200
    house.clock.move(86_400)
    assert house.get(f"/act_{ACCOUNT}").get_json()["error"]["code"] == 190


def test_the_last_use_is_kept_to_the_minute(house: House) -> None:
    house.get(f"/act_{ACCOUNT}")
    first = the_key(house).last_used_at
    assert first == house.clock()
    house.clock.move(59)
    house.get(f"/act_{ACCOUNT}")
    assert the_key(house).last_used_at == first
    house.clock.move(1)
    house.get(f"/act_{ACCOUNT}")
    assert the_key(house).last_used_at == house.clock()


def test_a_use_that_cannot_be_kept_keeps_nobody_out_nor_waiting(database_url: str) -> None:
    with open_house(database_url, database_timeout_seconds=2) as house:
        set_id = house.create_open()
        house.clock.move(60)
        with locked(database_url):
            assert house.get(f"/{set_id}", fields="name").status_code == 200
            began = time.monotonic()
            assert house.get("/admin/api/request-sets").status_code == 200
            assert time.monotonic() - began < 1.5
