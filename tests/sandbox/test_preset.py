from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.sandbox.control.validation import Unreadable, read_model
from receiver.sandbox.preset import Preset
from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}


def test_a_preset_holds_from_the_start_and_again_after_a_reset() -> None:
    preset = {
        "defaults": {"progress": {"kind": "by_hand"}},
        "accounts": {"act_1": {"progress": {"kind": "at_once"}, "limits": {"max_score": 100}}},
        "troubles": [{"kind": "null", "account": "act_1"}],
        "latency_ms": 1,
        "tokens": [{"token": "narrow", "accounts": ["act_1"]}],
    }
    sandbox = Sandbox(is_strict=True, preset=read_model(json.dumps(preset).encode(), Preset))
    with serving(sandbox, host="127.0.0.1", port=0) as server:
        control = SandboxControl(server.url)
        graph = GraphCaller(server.url, token="narrow")
        with graph.session:
            for _ in range(2):
                assert graph.call("POST", "/act_1/asyncadrequestsets").text == "null"
                set_id = graph.create("1", [AD])
                assert graph.get(f"/{set_id}")["is_completed"] is True
                assert control.troubles() == []
                usage = graph.call("GET", f"/{set_id}").headers["X-Ad-Account-Usage"]
                assert json.loads(usage)["acc_id_util_pct"] == 8.0
                assert graph.get("/act_2")["error"]["code"] == 200
                control.reset()


@pytest.mark.parametrize(
    ("preset", "place"),
    [
        ({"trouble": []}, "trouble: there is no such key"),
        ({"troubles": [{"kind": "null"}, {"kind": "earthquake"}]}, "troubles.1.kind: "),
        ({"accounts": {"mine": {}}}, "accounts.mine: is no account: write act_ and its number"),
        ({"accounts": {"act_1": {"edge": {"uris": "gone"}}}}, "accounts.act_1.edge.uris: "),
        ({"latency_ms": "slow"}, "latency_ms: "),
        ({"tokens": [{}]}, "tokens.0.token: "),
        ([], "must be an object"),
    ],
)
def test_a_wrong_preset_names_the_place(preset: Any, place: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_model(json.dumps(preset).encode(), Preset)
    assert str(raised.value).startswith(place)


@pytest.mark.parametrize("text", [b"", b"{'troubles': []}", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_said_so(text: bytes) -> None:
    with pytest.raises(Unreadable, match="is not JSON"):
        read_model(text, Preset)
