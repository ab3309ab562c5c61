from __future__ import annotations

import pytest

from tests.support.sandbox import GraphCaller


def test_a_token_has_a_user_of_its_own(graph: GraphCaller) -> None:
    me = graph.get("/me")
    assert set(me) == {"id", "name"}
    assert graph.get("/v21.0/me", fields="first_name,last_name") == {
        "id": me["id"],
        "first_name": me["name"].split()[0],
        "last_name": me["name"].split()[1],
    }
    assert graph.get(f"/{me['id']}") == me
    graph.token = "another token"
    assert graph.get("/me")["id"] != me["id"]


def test_a_user_has_the_accounts_that_were_used(graph: GraphCaller) -> None:
    assert graph.get("/me/adaccounts") == {"data": []}
    for account in ("act_2", "act_1", "act_3"):
        graph.get(f"/{account}/ads")
    first = graph.get("/me/adaccounts", limit="2")
    assert first["data"] == [
        {"account_id": "2", "id": "act_2"},
        {"account_id": "1", "id": "act_1"},
    ]
    following = graph.session.get(first["paging"]["next"]).json()
    assert [account["id"] for account in following["data"]] == ["act_3"]
    expanded = graph.get("/me", fields="adaccounts{name}")["adaccounts"]
    assert expanded["data"][0] == {"name": "Account 2", "id": "act_2"}


def test_a_token_is_described(graph: GraphCaller) -> None:
    data = graph.get("/debug_token", input_token="token")["data"]
    assert data["is_valid"] is True
    assert data["type"] == "USER"
    assert data["user_id"] == graph.get("/me")["id"]
    assert "ads_management" in data["scopes"]
    assert {each["scope"] for each in data["granular_scopes"]} == set(data["scopes"])


def test_an_apps_own_token_is_described(graph: GraphCaller) -> None:
    data = graph.get("/debug_token", input_token="1234|secret")["data"]
    assert (data["type"], data["app_id"], data["is_valid"]) == ("APP", "1234", True)
    assert "user_id" not in data


@pytest.mark.parametrize(
    ("token", "expected"), [("invalid-1", (190, None)), ("expired-1", (190, 463))]
)
def test_a_token_that_is_not_valid_says_why(
    graph: GraphCaller, token: str, expected: tuple[int, int | None]
) -> None:
    data = graph.get("/debug_token", input_token=token)["data"]
    assert data["is_valid"] is False
    assert (data["error"]["code"], data["error"].get("subcode")) == expected


def test_a_token_to_be_described_has_to_be_given(graph: GraphCaller) -> None:
    error = graph.get("/debug_token")["error"]
    assert error["error_data"] == {"blame_field_specs": [["input_token"]]}
