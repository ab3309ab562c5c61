"""What a key may use: its accounts, and what belongs to them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from receiver.store.models import GraphObject, Request
from tests.support.house import ACCOUNT, House, add_account

OTHER = 5


def campaign(house: House, *, key: str, account_id: int = ACCOUNT) -> str:
    """Create a campaign, and return its id."""
    form = {"name": "c", "objective": "LINK_CLICKS", "access_token": key}
    made: str = house.client.post(f"/act_{account_id}/campaigns", data=form).get_json()["id"]
    return made


def code(response: Any) -> tuple[int, int | None]:
    return response.status_code, response.get_json().get("error", {}).get("code")


def test_the_account_of_an_object_is_read_once_and_remembered(house: House) -> None:
    made = campaign(house, key=house.key)
    before = len(house.sandbox.calls()["calls"])
    for _ in range(3):
        assert house.get(f"/{made}").status_code == 200
    assert len(house.sandbox.calls()["calls"]) - before == 4
    assert [(str(row.id), row.account_id) for row in house.rows(GraphObject)] == [(made, ACCOUNT)]


def test_an_object_of_another_account_may_not_be_used(house: House) -> None:
    theirs = campaign(house, key=add_account(house.parts, OTHER), account_id=OTHER)
    form = {"name": "mine now", "access_token": house.key}
    assert code(house.get(f"/{theirs}")) == (403, 200)
    assert code(house.get("/", ids=theirs)) == (403, 200)
    assert code(house.get("/", id=theirs)) == (403, 200)
    assert code(house.get("/ads", id=theirs)) == (403, 200)
    assert code(house.client.post(f"/{theirs}", data=form)) == (403, 200)
    assert code(house.client.delete(f"/{theirs}?access_token={house.key}")) == (403, 200)
    assert code(house.get(f"/act_{OTHER}/campaigns")) == (403, 200)


def test_several_ids_are_learned_in_one_read(house: House) -> None:
    made = [campaign(house, key=house.key) for _ in range(5)]
    before = len(house.sandbox.calls()["calls"])
    assert set(house.get("/", ids=",".join(made)).get_json()) == set(made)
    assert len(house.sandbox.calls()["calls"]) - before == 2


def test_what_a_set_of_ours_made_is_known_without_a_read(house: House) -> None:
    house.create_open()
    house.notify()
    house.work()
    made = house.rows(Request)[0].created_object_id
    before = len(house.sandbox.calls()["calls"])
    assert house.get(f"/{made}", fields="name").get_json()["name"] == "one"
    assert len(house.sandbox.calls()["calls"]) - before == 1


def test_a_set_that_somebody_else_made_belongs_to_its_account(house: House) -> None:
    house.sandbox.old_sets(str(ACCOUNT), count=1)
    (theirs,) = house.get(f"/act_{ACCOUNT}/asyncadrequestsets").get_json()["data"]
    assert house.get(f"/{theirs['id']}", fields="name").get_json()["name"] == "old set 1"
    (request,) = house.get(f"/{theirs['id']}/requests").get_json()["data"]
    assert house.get(f"/{request['id']}").status_code == 200


def test_of_the_user_its_accounts_are_shown_that_the_key_may_use(house: House) -> None:
    add_account(house.parts, OTHER)
    house.sandbox.configure(str(OTHER))
    house.sandbox.configure(str(ACCOUNT))
    assert "id" in house.get("/me").get_json()
    shown = house.get("/me/adaccounts").get_json()["data"]
    assert [each["id"] for each in shown] == [f"act_{ACCOUNT}"]
    assert code(house.get("/me/accounts")) == (403, 200)


@pytest.mark.parametrize("path", ["/me/feed", "/v21.0/me/adaccounts", "/search"])
def test_what_belongs_to_no_account_may_not_be_changed(house: House, path: str) -> None:
    assert code(house.client.post(path, data={"access_token": house.key})) == (403, 200)


def test_an_object_whose_account_could_not_be_read_is_not_passed_on(house: House) -> None:
    theirs = campaign(house, key=add_account(house.parts, OTHER), account_id=OTHER)
    for path, query in (("/", {"ids": theirs}), (f"/{theirs}", {})):
        house.sandbox.trouble("graph_error", method="GET", code=17)
        before = len(house.sandbox.calls()["calls"])
        assert code(house.get(path, **query)) == (400, 17)
        assert len(house.sandbox.calls()["calls"]) == before + 1
    # Whose limit it was is not known: nobody else waits for it.
    assert house.get(f"/act_{ACCOUNT}").status_code == 200


def test_an_image_belongs_to_the_account_in_its_name(house: House) -> None:
    assert code(house.get(f"/{OTHER}:0123456789abcdef")) == (403, 200)


@pytest.mark.parametrize(
    "fields", ["adaccounts{name}", "name,owner_business{owned_ad_accounts{name}}"]
)
def test_fields_may_not_lead_into_other_accounts(house: House, fields: str) -> None:
    assert code(house.get(f"/act_{ACCOUNT}", fields=fields)) == (403, 200)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/oauth/access_token", {"grant_type": "fb_exchange_token"}),
        ("/v21.0/oauth/access_token", {}),
        ("/debug_token", {"input_token": "x"}),
        ("/me", {"fields": "id,access_token"}),
        ("/me", {"fields": '["id","access_token"]'}),
        (f"/act_{ACCOUNT}", {"fields": "promote_pages{ACCESS_TOKEN}"}),
        (f"/act_{ACCOUNT}", {"fields": "a{b{c{access_token}}}"}),
        (f"/act_{ACCOUNT}", {"fields": "a{access_token"}),
        (f"/act_{ACCOUNT}/access_tokens", {}),
        ("/123/accessTokens", {}),
        (f"/act_{ACCOUNT}", {"input_token": "x"}),
    ],
)
def test_nothing_that_mints_or_shows_a_token_is_passed_on(
    house: House, path: str, query: dict[str, str]
) -> None:
    before = len(house.sandbox.calls()["calls"])
    assert code(house.get(path, **query)) == (403, 200)
    assert len(house.sandbox.calls()["calls"]) == before


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"/act_{ACCOUNT}/../act_{OTHER}/campaigns", {}),
        (f"/act_{ACCOUNT}/%2e%2e/act_{OTHER}", {}),
        (f"/v21.0/./act_{OTHER}", {}),
        (f"/act_{ACCOUNT}", {"id": f"act_{OTHER}"}),
        (f"/act_{ACCOUNT}/campaigns", {"ids": f"act_{OTHER}"}),
        (f"/v21.0/v22.0/act_{OTHER}", {}),
        (f"/ACT_{OTHER}/campaigns", {}),
        (f"/a-page/{OTHER}", {}),
        ("/", {}),
        (f"/act_{ACCOUNT}", {"method": "delete"}),
        (f"/act_{ACCOUNT}", {"batch": "[]"}),
        (f"/act_{ACCOUNT}", {"asyncbatch": "[]"}),
    ],
)
def test_no_way_of_writing_a_call_leads_around_the_accounts(
    house: House, path: str, query: dict[str, str]
) -> None:
    add_account(house.parts, OTHER)
    before = len(house.sandbox.calls()["calls"])
    operation = {"method": "GET", "relative_url": f"{path}?{urlencode(query)}"}
    form = {"batch": json.dumps([operation]), "access_token": house.key}
    assert house.get(path, **query).status_code in (400, 403)
    (entry,) = house.client.post("/", data=form).get_json()
    assert entry["code"] in (400, 403)
    assert len(house.sandbox.calls()["calls"]) == before


def test_ids_have_no_room_for_a_token_either(house: House) -> None:
    made = campaign(house, key=house.key)
    assert code(house.get("/", ids=made, fields="access_token")) == (403, 200)
    assert code(house.get("/access_token", ids=made)) == (403, 200)
