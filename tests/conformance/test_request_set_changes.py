"""The page's first part, its writes: ad request sets are changed and canceled."""

from __future__ import annotations

import pytest

from tests.conformance.curl import Shell
from tests.conformance.page import ACCOUNT, ad_spec
from tests.support.sandbox import GraphCaller, SandboxControl, listening


def statuses(graph: GraphCaller, set_id: str) -> list[str]:
    return [request["status"] for request in graph.read_requests(set_id)]


def test_a_set_is_updated(shell: Shell, graph: GraphCaller, open_set_id: str) -> None:
    answer = shell.paste("update-set", {"<REQUEST_SET_ID>": open_set_id})
    assert (answer.status, answer.json) == (200, {"success": True})
    shown = graph.get(f"/{open_set_id}", fields="name,notification_mode")
    assert shown == {"id": open_set_id, "name": "New Name", "notification_mode": "OFF"}


def test_the_notification_goes_where_an_update_says(
    shell: Shell, sandbox: SandboxControl, open_set_id: str
) -> None:
    with listening() as listener:
        changes = f"notification_uri={listener.url}/hook?a=1' -F 'notification_mode=ON_COMPLETE"
        filling = {"notification_mode=OFF": changes, "<REQUEST_SET_ID>": open_set_id}
        assert shell.paste("update-set", filling).json == {"success": True}
        sandbox.complete(open_set_id)
        (received,) = listener.wait_for(1)
    assert received.target == "/hook?a=1"
    assert received.body == f"id={open_set_id}".encode()


@pytest.mark.sandbox_only(
    "notification_status and _result are those of the own delivery, which comes a moment later"
)
def test_only_the_name_can_be_updated_once_the_notification_was_sent(
    shell: Shell, sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure(ACCOUNT, notification={"kind": "lost"})
    notified = {"notification_mode": "ON_COMPLETE", "notification_uri": "http://127.0.0.1:9/"}
    set_id = graph.create(ACCOUNT, [ad_spec("one")], **notified)
    filling = {"<REQUEST_SET_ID>": set_id}
    for late in ("notification_mode=OFF", "notification_uri=http://127.0.0.1:9/other"):
        answer = shell.paste("update-set", {"notification_mode=OFF": late, **filling})
        assert (answer.status, answer.json["error"]["code"]) == (400, 100)
    assert graph.get(f"/{set_id}", fields="name,notification_mode") == {
        "id": set_id,
        "name": "set",
        "notification_mode": "ON_COMPLETE",
    }
    filling = {"-F 'notification_mode=OFF' \\\n": "", **filling}
    assert shell.paste("update-set", filling).json == {"success": True}
    assert graph.get(f"/{set_id}")["name"] == "New Name"


def test_an_unprocessed_request_is_canceled(
    shell: Shell, sandbox: SandboxControl, graph: GraphCaller, open_set_id: str
) -> None:
    sandbox.advance(open_set_id, requests=1)
    processed, under_way, waiting = (each["id"] for each in graph.read_requests(open_set_id))
    answer = shell.paste("cancel-request", {"<REQUEST_ID>": waiting})
    assert (answer.status, answer.json) == (200, {"success": True})
    for late in (processed, under_way, waiting):
        answer = shell.paste("cancel-request", {"<REQUEST_ID>": late})
        assert (answer.status, answer.json["error"]["code"]) == (400, 100)
    assert statuses(graph, open_set_id) == ["SUCCESS", "IN_PROGRESS", "CANCELED"]


def test_the_unprocessed_requests_of_a_set_are_canceled(
    shell: Shell, sandbox: SandboxControl, graph: GraphCaller, open_set_id: str
) -> None:
    sandbox.advance(open_set_id, requests=1)
    answer = shell.paste("cancel-set", {"<REQUEST_SET_ID>": open_set_id})
    assert (answer.status, answer.json) == (200, {"success": True})
    assert statuses(graph, open_set_id) == ["SUCCESS", "IN_PROGRESS", "CANCELED"]
    sandbox.complete(open_set_id)
    answer = shell.paste("cancel-set", {"<REQUEST_SET_ID>": open_set_id})
    assert (answer.status, answer.json["error"]["code"]) == (400, 100)
