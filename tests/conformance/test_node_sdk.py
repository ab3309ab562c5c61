"""The official Node SDK, a client that we did not write, makes a journey through the sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import running_host
from tests.support.programs import lacking, required_program
from tests.support.sandbox import running_sandbox, without_tag

FOLDER = Path(__file__).parent / "node"
README = Path(__file__).parents[2] / "receiver" / "sandbox" / "README.md"
DEAD_PROXY = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Journey:
    """What the SDK says that it saw, and what the sandbox says that there is."""

    seen: dict[str, Any]
    sets: list[dict[str, Any]]


@pytest.fixture(scope="module")
def node() -> str:
    """The path of a node that has the SDK."""
    path = required_program("node")
    if not (FOLDER / "node_modules" / "facebook-nodejs-business-sdk").exists():
        lacking(f"The Node SDK is not installed: run npm ci in {FOLDER}")
    return path


@pytest.fixture(scope="module", params=["sandbox", "receiver"])
def journey(
    node: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Journey:
    with (
        running_sandbox() as sandbox,
        running_host(request.param, sandbox, tmp_path_factory.mktemp("journey")) as host,
    ):
        lines = run([node, FOLDER / "journey.mjs", host, sandbox.url])
        sets = [{**each, "name": without_tag(each["name"])} for each in sandbox.ledger()]
        return Journey(json.loads(lines[-1]), sets)


def run(command: list[str | Path], *, program: str = "") -> list[str]:
    """Run node in the SDK's folder; return the lines that it printed."""
    done = subprocess.run(
        command,
        input=program,
        cwd=FOLDER,
        env={**os.environ, "http_proxy": DEAD_PROXY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_of_the_sandboxs_readme_works(node: str) -> None:
    printed = re.search(r"```js\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert printed is not None
    with running_sandbox() as sandbox:
        program = printed[1].replace("http://127.0.0.1:9100", sandbox.url)
        output = "\n".join(run([node, "--input-type=module", "-"], program=program))
        (made,) = sandbox.ledger()
    assert made["name"] == "demo"
    assert "is_completed: true" in output
    assert "status: 'SUCCESS'" in output
    assert "status: 'ERROR'" in output


def test_a_set_is_polled_until_it_is_complete(journey: Journey) -> None:
    completed = journey.seen["completed"]
    assert completed["id"] == journey.sets[0]["id"]
    assert completed["reads"] == 3
    assert completed["counts"] == [65, 52, 13, 0]


def test_the_notification_that_was_asked_for_comes(journey: Journey) -> None:
    completed = journey.seen["completed"]
    assert completed["notification"] == {"status": "200", "response": "OK"}
    assert completed["bodies"] == [f"id={completed['id']}"]
    assert len(journey.sets[0]["notification_attempts"]) == 1


def test_the_cursor_finds_every_request_once_and_in_order(journey: Journey) -> None:
    paged = journey.seen["paged"]
    assert paged["pages"] == [25, 25, 15]
    assert paged["requests"] == journey.sets[0]["requests"]


def test_the_requests_are_filtered_by_status(journey: Journey) -> None:
    assert journey.seen["errors"] == 13


def test_a_rename_takes_effect(journey: Journey) -> None:
    assert journey.seen["renamed"] == [{"success": True}, "summer"]


def test_an_open_set_is_canceled_and_a_canceled_one_is_not(journey: Journey) -> None:
    canceled = journey.seen["canceled"]
    assert canceled["answers"] == [{"success": True}, {"success": True}]
    assert canceled["counts"] == [3, 0, 0, 3]
    assert canceled["again"]["code"] == 100
    assert {request["status"] for request in journey.sets[1]["requests"]} == {"CANCELED"}


def test_the_sets_of_an_account_are_listed_by_is_completed(journey: Journey) -> None:
    canceled = journey.seen["canceled"]
    assert canceled["open"] == [canceled["id"]]
    assert journey.seen["closed"] == [canceled["id"], journey.seen["completed"]["id"]]


def test_a_graph_error_arrives_as_the_error_of_the_sdk(journey: Journey) -> None:
    expected = {"name": "FacebookRequestError", "status": 400, "code": 100, "subcode": 33}
    assert journey.seen["missing"] == expected


def test_every_operation_of_a_batch_calls_back(journey: Journey) -> None:
    batches = journey.seen["batches"]
    answers = batches["answers"]
    set_id = journey.seen["completed"]["id"]
    assert batches["isWhole"]
    assert {answer["status"] for answer in answers.values()} == {200}
    assert answers["set"]["body"] == {"id": set_id, "success_count": 52}
    assert [request["status"] for request in answers["requests"]["body"]["data"]] == ["SUCCESS"] * 2
    assert answers["node"]["body"] == {"id": set_id}


def test_operations_of_a_batch_may_be_named_alike(journey: Journey) -> None:
    batches = journey.seen["batches"]
    assert batches["answers"]["update"]["body"] == {"success": True}
    assert batches["answers"]["sameUpdate"]["body"] == {"success": True}
    assert batches["name"] == journey.sets[0]["name"] == "winter sale"


def test_an_operation_that_fails_stops_no_other(journey: Journey) -> None:
    errors = journey.seen["batches"]["errors"]
    assert list(errors) == ["missing"]
    assert errors["missing"]["name"] == "FacebookRequestError"
    assert (errors["missing"]["status"], errors["missing"]["code"]) == (400, 100)


def test_an_operation_of_a_batch_refers_to_an_earlier_one(journey: Journey) -> None:
    answers = journey.seen["batches"]["answers"]
    assert answers["campaign"]["body"]["id"].isdigit()
    assert answers["adSet"]["body"]["id"].isdigit()


def test_a_parent_that_is_not_answered_looks_to_the_sdk_like_one_to_try_again(
    journey: Journey,
) -> None:
    assert journey.seen["batches"]["retried"] == {"answered": ["adSet"], "again": ["parent"]}


def test_a_campaign_an_ad_set_and_an_ad_are_created_read_changed_and_deleted(
    journey: Journey,
) -> None:
    objects = journey.seen["objects"]
    _, ad_set, _, ad = objects["ids"]
    assert len(set(objects["ids"])) == 4
    assert objects["adSets"] == [[ad_set, "ad set"]]
    assert objects["updated"] == {"success": True}
    assert objects["ads"] == [{"id": ad, "name": "new name", "adset_id": ad_set}]
    assert objects["deleted"] == {"success": True}
    assert objects["left"] == 0
