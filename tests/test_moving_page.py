"""The page that moves a program to the receiver, run exactly as it is printed."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.delivery.signing import written_secret
from receiver.store import keys
from tests.support.databases import fresh_database_url
from tests.support.gateway import QUIET, Gateway, running_gateway
from tests.support.programs import required_program
from tests.support.sandbox import Listener, SandboxControl, listening

PAGE = (Path(__file__).parents[1] / "docs" / "moving-from-the-sdk.md").read_text("utf-8")
THREE_LINES, PROGRAM, CHECK = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(CURL,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
HOST, CALLBACK, KEY = "https://receiver.example.com", "https://my-program.example.com", "KEY"


@pytest.fixture
def gateway(sandbox: SandboxControl, tmp_path: Path) -> Iterator[Gateway]:
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        running_gateway(
            sandbox,
            database_url=url,
            token_words=[KEY],
            account_ids=[123],
            delivery_allow_private_addresses=True,
            **QUIET,
        ) as gateway,
    ):
        yield gateway


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def test_the_program_runs_as_printed_and_is_told(
    gateway: Gateway,
    listener: Listener,
    sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names: dict[str, Any] = {}
    source = (THREE_LINES + PROGRAM).replace(HOST, gateway.url).replace(CALLBACK, listener.url)
    exec(source, names)  # the page is ours
    names["session"].requests.close()
    first, one, two, *made, campaigns = capsys.readouterr().out.splitlines()
    assert first == "autumn 2"
    assert [line.split()[0] for line in (one, two)] == ["SUCCESS", "SUCCESS"]
    assert [line.split()[0] for line in made] == ["made", "made"]
    assert sorted(re.findall(r"'(\w)'", campaigns)) == ["a", "b"]
    assert sandbox.set_names() == ["autumn"]
    _check_message(gateway, listener.wait_for(1)[0], set_id=names["request_set"]["id"])


def _check_message(gateway: Gateway, message: Any, *, set_id: str) -> None:
    names: dict[str, Any] = {}
    exec(CHECK, names)  # the page is ours
    is_ours = names["is_from_the_receiver"]
    with gateway.parts.database.reading() as session:
        key_id = keys.find_key_id(session, KEY)
    assert key_id is not None
    secret = written_secret(gateway.parts.keys.webhook_secrets(key_id)[0])
    headers = {name.lower(): text for name, text in message.headers.items()}
    assert message.target == "/facebook"
    assert message.body == f"id={set_id}".encode()
    assert is_ours(headers, message.body, secret)
    assert not is_ours(headers, message.body + b"0", secret)
    assert not is_ours(headers, message.body, f"whsec_{base64.b64encode(b'other').decode()}")
    old = {**headers, "webhook-timestamp": str(int(time.time()) - 1000)}
    assert not is_ours(old, message.body, secret)


def test_the_curl_of_the_page_works(gateway: Gateway, tmp_path: Path) -> None:
    required_program("curl")
    done = subprocess.run(
        [required_program("bash"), "-c", CURL.replace(HOST, gateway.url)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == '{"data": []}', done.stderr


def test_it_is_three_lines() -> None:
    numbered = [line for line in THREE_LINES.splitlines() if re.search(r"# \d  ", line)]
    others = [line for line in THREE_LINES.splitlines() if line and line not in numbered]
    assert len(numbered) == 3
    assert all(line.startswith("from ") for line in others)
