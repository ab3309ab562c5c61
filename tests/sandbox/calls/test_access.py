from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator

import pytest

from tests.support.sandbox import GraphCaller, SandboxControl, running_sandbox

EDGE = "/v21.0/act_1/asyncadrequestsets"
SECRET = "app-secret"


@pytest.fixture
def strict() -> Iterator[GraphCaller]:
    with running_sandbox(app_secret=SECRET) as control:
        caller = GraphCaller(control.url)
        with caller.session:
            yield caller


def prove(message: str) -> str:
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


def test_a_call_without_a_token_is_refused(sandbox: SandboxControl, graph: GraphCaller) -> None:
    graph.token = ""
    answer = graph.call("POST", EDGE, data={"name": "set", "ad_specs": "[{}]"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)
    assert sandbox.ledger() == []


@pytest.mark.parametrize(("token", "subcode"), [("invalid-token", None), ("expired-token", 463)])
def test_a_bad_token_is_refused_with_a_challenge(
    graph: GraphCaller, token: str, subcode: int | None
) -> None:
    graph.token = token
    answer = graph.call("GET", EDGE)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("error_subcode")) == (400, 190, subcode)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('OAuth "Facebook Platform" "invalid_token" "')
    assert token not in answer.text + str(answer.headers)


@pytest.mark.parametrize("scheme", ["Bearer", "OAuth"])
def test_a_token_may_come_in_a_header(graph: GraphCaller, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} token"}
    assert graph.session.get(graph.url + EDGE, headers=headers).status_code == 200


def test_a_token_may_come_in_a_form(graph: GraphCaller) -> None:
    form = {"access_token": "token", "name": "set", "ad_specs": "[{}]"}
    assert graph.session.post(graph.url + EDGE, data=form).status_code == 200


def test_a_right_proof_is_taken(strict: GraphCaller) -> None:
    now = str(int(time.time()))
    for proof in (
        {"appsecret_proof": prove("token")},
        {"appsecret_proof": prove(f"token|{now}"), "appsecret_time": now},
    ):
        assert strict.call("GET", EDGE, params=proof).status_code == 200


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        ({}, "require an appsecret_proof"),
        ({"appsecret_proof": prove("other")}, "Invalid appsecret_proof"),
        ({"appsecret_proof": "é"}, "Invalid appsecret_proof"),
        ({"appsecret_proof": prove("token|1"), "appsecret_time": "1"}, "Invalid appsecret_proof"),
        ({"appsecret_proof": prove("token|x"), "appsecret_time": "x"}, "Invalid appsecret_proof"),
    ],
)
def test_a_wrong_proof_is_refused(strict: GraphCaller, proof: dict[str, str], words: str) -> None:
    answer = strict.call("GET", EDGE, params=proof)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (400, 100, "GraphMethodException")
    assert words in error["message"]


def test_a_strict_sandbox_takes_only_the_tokens_made_there() -> None:
    with running_sandbox(is_strict=True) as control:
        graph = GraphCaller(control.url)
        with graph.session:
            control.configure("act_1")
            answer = graph.call("GET", EDGE)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, 190)
            control.token("token")
            assert graph.call("GET", EDGE).status_code == 200
            assert graph.get("/act_2/asyncadrequestsets")["error"]["code"] == 100
            control.reset()
            assert graph.get(EDGE)["error"]["code"] == 190


@pytest.mark.parametrize("is_strict", [True, False])
def test_a_token_is_refused_where_it_is_not_for_the_account(*, is_strict: bool) -> None:
    with running_sandbox(is_strict=is_strict) as control:
        graph = GraphCaller(control.url)
        with graph.session:
            for account in ("1", "2", "3"):
                control.configure(account)
            control.token("token", accounts=["act_1", "2"])
            control.token("everybody")
            assert graph.call("GET", EDGE).status_code == 200
            made = graph.create("2", [{"adset_id": "5"}])
            answer = graph.call("POST", "/act_3/asyncadrequestsets", data={"name": "x"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, 200)
            control.token("token", accounts=["act_1"])
            assert graph.get(f"/{made}")["error"]["code"] == 200
            assert graph.get("/", ids=made)["error"]["code"] == 200
            graph.token = "everybody"
            assert graph.get(f"/{made}")["id"] == made


@pytest.mark.parametrize(
    ("version", "code"),
    [("v3.0", 2635), ("v18.0", 2635), ("v21", 2500), ("21.0", 2500), ("v21.0.1", 2500)],
)
def test_a_version_that_is_old_or_none_is_refused(
    graph: GraphCaller, version: str, code: int
) -> None:
    answer = graph.call("GET", f"/{version}/act_1/asyncadrequestsets")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("version", ["", "/v19.0", "/v26.0"])
def test_a_version_in_use_is_taken(graph: GraphCaller, version: str) -> None:
    assert graph.get(f"{version}/act_1/asyncadrequestsets") == {"data": []}
