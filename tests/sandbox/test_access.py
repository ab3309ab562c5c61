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
