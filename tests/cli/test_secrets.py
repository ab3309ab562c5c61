"""Secret keys are rotated while everything runs, and none is taken out that is needed."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from receiver.app import check_start
from receiver.cli import main
from receiver.cli.common import opened_parts
from receiver.crypto import Keys
from receiver.secret_keys import SecretKeyMissing, rotate
from receiver.store.models import Credential, RequestSet
from tests.support.commands import environment
from tests.support.house import SECRET_KEY, TOKEN, House, make_settings

NEWER = "n" * 32
BOTH = f"{NEWER},{SECRET_KEY}"


def url_of(house: House) -> str:
    return house.parts.settings.database_url.get_secret_value()


def run(house: House, *arguments: str, keys: str = BOTH) -> Result:
    variables = environment(url_of(house), RECEIVER_SECRET_KEYS=keys)
    return CliRunner().invoke(main, ["secrets", "rotate", *arguments], env=variables)


def rows_of(house: House, *, keys: str = BOTH) -> list[dict[str, Any]]:
    result = run(house, "--json", keys=keys)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["keys"]
    return found


def start(house: House, keys: str) -> None:
    check_start(make_settings(url_of(house), house.sandbox.url, secret_keys=keys))


def test_what_another_key_sealed_is_sealed_with_the_newest(house: House) -> None:
    result = run(house)
    assert result.exit_code == 0
    assert "Sealed again with the newest key: 1." in result.stdout
    (row,) = house.rows(Credential)
    assert Keys([NEWER]).open_sealed(row.sealed_token) == TOKEN
    assert "Sealed again with the newest key: 0." in run(house).stdout


def test_an_older_key_is_needed_as_long_as_its_urls_may_be_called(house: House) -> None:
    house.create_open()
    house.rotate_keys(NEWER, SECRET_KEY)
    newest, older = rows_of(house)
    assert (newest["advice"], older["advice"]) == ("signs and seals", "needed")
    assert (older["sealed_secrets"], older["pending_urls"]) == (0, 1)
    house.notify()
    house.work()
    assert rows_of(house)[1]["advice"] == "can be taken out"


def test_starting_without_a_key_that_pending_urls_need_is_refused(house: House) -> None:
    house.create_open()
    house.rotate_keys(NEWER, SECRET_KEY)
    run(house)
    with pytest.raises(SecretKeyMissing, match=r"1 notification URLs .* put it back behind"):
        start(house, NEWER)
    house.notify()
    house.work()
    start(house, NEWER)


def test_starting_without_the_key_that_sealed_a_token_is_refused(house: House) -> None:
    with pytest.raises(SecretKeyMissing, match="opens the credential of act_71597454"):
        start(house, NEWER)
    start(house, BOTH)


def test_a_worker_does_not_start_without_such_a_key(house: House) -> None:
    variables = environment(url_of(house), RECEIVER_SECRET_KEYS=NEWER)
    result = CliRunner().invoke(main, ["worker"], env=variables)
    assert result.exit_code == 1
    assert "No key in RECEIVER_SECRET_KEYS opens the credential" in result.stderr


def test_a_key_that_is_missing_is_named_among_the_others(house: House) -> None:
    house.create_open()
    run(house)
    *_, missing = rows_of(house, keys=NEWER)
    assert (missing["key"], missing["pending_urls"]) == (Keys([SECRET_KEY]).newest_id, 1)
    assert missing["advice"].startswith("missing")


def test_urls_from_before_their_key_was_kept_may_need_any_older_one(house: House) -> None:
    house.create_open()
    house.forget_signing_keys()
    assert rows_of(house)[1]["pending_urls"] == 1
    start(house, BOTH)


def test_two_that_rotate_at_once_lose_nothing(house: House) -> None:
    keys = Keys([NEWER, SECRET_KEY])
    workers = [threading.Thread(target=rotate, args=(house.parts.database, keys)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    (row,) = house.rows(Credential)
    assert Keys([NEWER]).open_sealed(row.sealed_token) == TOKEN


def test_the_service_goes_on_while_keys_rotate(house: House) -> None:
    house.rotate_keys(NEWER, SECRET_KEY)
    run(house)
    assert house.create().status_code == 200
    house.notify()
    house.work()
    assert {row.state for row in house.rows(RequestSet)} == {"collected"}


def test_no_key_and_no_token_is_printed(house: House) -> None:
    house.create_open()
    for shown in (run(house), run(house, "--json"), run(house, keys=NEWER)):
        for secret in (SECRET_KEY, NEWER, TOKEN):
            assert secret not in shown.output


def test_no_command_logs_a_secret_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in environment(url_of(house), RECEIVER_SECRET_KEYS=SECRET_KEY).items():
        monkeypatch.setenv(name, text or "")
    with opened_parts():
        structlog.get_logger().error("Something odd", text=f"before {SECRET_KEY} after")
    logged = capsys.readouterr().err
    assert "before" in logged
    assert SECRET_KEY not in logged
