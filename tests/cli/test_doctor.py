"""The doctor, with everything in its place, and with one thing after the other broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from receiver.assembly import build
from receiver.cli import main
from receiver.cli.doctor import facebook, inside, outside
from receiver.cli.doctor.finding import Finding, State, Step, failed
from receiver.graph.tokens import TokenShown
from receiver.store import accounts, heartbeats, waits
from receiver.store.database import Database
from receiver.store.models import WorkerHeartbeat
from receiver.store.waits import FOREVER, Wait
from tests.support.certificates import self_signed, server_context
from tests.support.commands import environment
from tests.support.databases import BACKENDS, empty_database_url, locked
from tests.support.dead_addresses import dead_port
from tests.support.gateway import Gateway, running_gateway
from tests.support.house import make_settings
from tests.support.lying_server import answering, http_answer, lying_server
from tests.support.rows import rows
from tests.support.sandbox import SandboxControl

TOKEN = "EAAB-the-token-that-nobody-may-see"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
OTHER_KEY = "another-secret-key-of-32-characters"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def gateway(sandbox: SandboxControl, database_url: str) -> Iterator[Gateway]:
    """A whole installation: it is served, its token is good, and a worker was alive just now."""
    with running_gateway(sandbox, database_url=database_url, account_ids=(1, 2)) as gateway:
        give_token(gateway, TOKEN)
        beat(gateway)
        yield gateway


def give_token(gateway: Gateway, token: str) -> None:
    with gateway.parts.database.writing() as session:
        accounts.put_accounts(
            session,
            [1, 2],
            sealed_token=gateway.parts.keys.seal(token),
            sealed_app_secret=None,
            now=gateway.parts.now(),
        )


def beat(gateway: Gateway, *, seconds_ago: float = 0) -> None:
    at = gateway.parts.now() - timedelta(seconds=seconds_ago)
    with gateway.parts.database.writing() as session:
        heartbeats.beat(session, "worker", started_at=at, now=at)


def run(gateway: Gateway, *arguments: str, **variables: str) -> Result:
    settings = gateway.parts.settings
    url = settings.database_url.get_secret_value()
    given = {
        "RECEIVER_PUBLIC_URL": gateway.url,
        "RECEIVER_GRAPH_URL": settings.graph_url,
        "RECEIVER_DATABASE_TIMEOUT_SECONDS": "1",
        **variables,
    }
    env = environment(url.replace("postgresql+psycopg", "postgresql"), **given)
    return CliRunner().invoke(main, ["doctor", *arguments], env=env)


def examined(gateway: Gateway, *arguments: str, **variables: str) -> dict[str, dict[str, str]]:
    """What the doctor says of each thing, as JSON."""
    result = run(gateway, "--json", *arguments, **variables)
    assert result.exit_code in (0, 1), result.output
    found = {each.pop("check"): each for each in json.loads(result.stdout)}
    is_well = all(each["state"] in ("ok", "skipped") for each in found.values())
    assert result.exit_code == (0 if is_well else 1)
    assert TOKEN not in result.output
    return found


def ill(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """What has to be mended, by its state. Each of it says how."""
    shown = {name: each for name, each in found.items() if each["state"] in ("warning", "failed")}
    assert all(each["advice"] for each in shown.values())
    return {name: each["state"] for name, each in shown.items()}


def test_where_all_is_well_nothing_has_to_be_done(gateway: Gateway) -> None:
    found = examined(gateway)
    assert ill(found) == {}
    assert list(found) == [
        "database",
        "migrations",
        "database writes",
        "secret keys",
        "worker",
        "certificate",
        "public URL",
        "forged notification",
        "own notification URL",
        "token of act_1, act_2",
        "clock",
    ]
    assert {each["state"] for name, each in found.items() if name != "certificate"} == {"ok"}
    # The probe of writing leaves nothing behind.
    assert len(rows(gateway.parts.database, WorkerHeartbeat)) == 1


@on_sqlite
def test_a_broker_answers_or_is_told_of_without_its_password(
    gateway: Gateway, broker_url: str
) -> None:
    found = examined(gateway, RECEIVER_BROKER_URL=broker_url)
    assert (ill(found), found["broker"]["found"]) == ({}, "It answers; 0 messages wait.")
    with dead_port("refused") as port:
        url = f"amqp://receiver:{TOKEN}@127.0.0.1:{port}//"
        found = examined(gateway, RECEIVER_BROKER_URL=url)
    assert ill(found) == {"broker": "failed"}
    assert "RECEIVER_BROKER_URL" in found["broker"]["advice"]


@on_sqlite
def test_its_table_shows_what_to_do_and_no_token(gateway: Gateway) -> None:
    give_token(gateway, "expired-token-of-somebody")
    result = run(gateway, COLUMNS="200")
    assert result.exit_code == 1
    assert "receiver account add act_1 act_2" in re.sub(r"\s+", " ", result.output)
    assert "expired-token-of-somebody" not in result.output


def test_wrong_settings_end_it_with_2() -> None:
    env = environment("nonsense")
    result = CliRunner().invoke(main, ["doctor"], env=env)
    assert (result.exit_code, "RECEIVER_DATABASE_URL" in result.stderr) == (2, True)


@on_sqlite
def test_a_database_that_is_away_is_named_and_the_rest_is_examined(gateway: Gateway) -> None:
    url = "postgresql://someone:hunter2-hunter2@127.0.0.1:1/none"
    found = examined(gateway, RECEIVER_DATABASE_URL=url)
    assert ill(found) == {"database": "failed"}
    assert "hunter2" not in str(found)
    for name in ("database writes", "secret keys", "worker", "accounts"):
        assert found[name]["state"] == "skipped"
    assert found["public URL"]["state"] == "ok"


@on_sqlite
def test_a_password_of_the_database_that_may_be_a_word_is_named(gateway: Gateway) -> None:
    url = "postgresql://someone:password@127.0.0.1:1/none"
    found = examined(gateway, RECEIVER_DATABASE_URL=url)
    assert ill(found) == {"database": "failed", "database password": "warning"}


def test_outdated_tables_are_named(gateway: Gateway) -> None:
    with gateway.parts.database.begin_writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = examined(gateway)
    assert ill(found) == {"migrations": "failed"}
    assert "receiver db upgrade" in found["migrations"]["advice"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_database_without_tables_is_named(backend: str, tmp_path: Path) -> None:
    with empty_database_url(backend, tmp_path) as url:
        env = environment(url, RECEIVER_PUBLIC_URL="http://127.0.0.1:1")
        result = CliRunner().invoke(main, ["doctor", "--json"], env=env)
    found = {each["check"]: each["state"] for each in json.loads(result.stdout)}
    assert (found["migrations"], found["accounts"]) == ("failed", "skipped")


@on_sqlite
def test_a_database_that_cannot_be_written_is_named(gateway: Gateway, database_url: str) -> None:
    with locked(database_url):
        found = examined(gateway, RECEIVER_DATABASE_TIMEOUT_SECONDS="0.2")
    assert ill(found) == {"database writes": "failed"}


@on_sqlite
def test_a_secret_key_that_is_missing_is_named(gateway: Gateway) -> None:
    found = examined(gateway, RECEIVER_SECRET_KEYS=OTHER_KEY)
    assert ill(found)["secret keys"] == "failed"
    assert ill(found)["own notification URL"] == "failed"
    assert ill(found)["token of act_1, act_2"] == "failed"
    assert OTHER_KEY not in str(found)


@on_sqlite
def test_a_worker_that_is_gone_is_named(gateway: Gateway) -> None:
    beat(gateway, seconds_ago=90)
    found = examined(gateway)
    assert ill(found) == {"worker": "failed"}
    assert "alive 90 s ago" in found["worker"]["found"]


@on_sqlite
def test_a_public_url_that_nobody_answers_is_named(gateway: Gateway) -> None:
    found = examined(gateway, RECEIVER_PUBLIC_URL="http://127.0.0.1:1")
    assert ill(found) == {"public URL": "failed"}
    assert found["forged notification"]["state"] == "skipped"


@on_sqlite
def test_a_public_url_that_facebook_cannot_reach_is_named(gateway: Gateway) -> None:
    found = examined(gateway, RECEIVER_GRAPH_URL="http://graph.invalid")
    assert found["public URL"]["state"] == "warning"
    assert "nobody but this machine" in found["public URL"]["found"]


@on_sqlite
def test_a_public_url_that_leads_to_somebody_else_is_named(gateway: Gateway) -> None:
    answer = http_answer(b"<html>Welcome to the proxy")
    with lying_server(answering(answer)) as server:
        found = examined(gateway, RECEIVER_PUBLIC_URL=server.url)
    assert ill(found) == {
        "public URL": "failed",
        "forged notification": "failed",
        "own notification URL": "failed",
    }


@on_sqlite
@pytest.mark.parametrize("token", ["invalid-token-of-somebody", "expired-token-of-somebody"])
def test_a_token_that_is_no_longer_valid_is_named(gateway: Gateway, token: str) -> None:
    give_token(gateway, token)
    found = examined(gateway)
    assert ill(found) == {"token of act_1, act_2": "failed"}
    assert "account add act_1 act_2" in found["token of act_1, act_2"]["advice"]
    assert token not in str(found)
    # Facebook's refusal tells its time as well.
    assert found["clock"]["state"] == "ok"


@on_sqlite
def test_a_token_without_the_scope_is_named(gateway: Gateway, sandbox: SandboxControl) -> None:
    sandbox.token(TOKEN, scopes=["ads_read"])
    found = examined(gateway)
    assert ill(found) == {"token of act_1, act_2": "failed"}
    assert "lacks ads_management" in found["token of act_1, act_2"]["found"]


@on_sqlite
@pytest.mark.parametrize(("seconds", "state"), [(60, "warning"), (20, "ok")])
def test_a_clock_that_goes_wrong_is_named(
    gateway: Gateway, sandbox: SandboxControl, seconds: float, state: str
) -> None:
    sandbox.move_clock(seconds)
    assert examined(gateway)["clock"]["state"] == state


@on_sqlite
def test_a_silent_facebook_is_named_once(gateway: Gateway) -> None:
    with gateway.parts.database.writing() as session:
        accounts.put_accounts(
            session,
            [3],
            sealed_token=gateway.parts.keys.seal(TOKEN),
            sealed_app_secret=None,
            now=gateway.parts.now(),
        )
    found = examined(gateway, RECEIVER_GRAPH_URL="http://127.0.0.1:1")
    assert ill(found) == {"token of act_1, act_2": "failed"}
    assert found["token of act_3"]["state"] == "skipped"
    assert found["clock"]["state"] == "skipped"


@on_sqlite
def test_an_account_that_is_parked_or_waits_is_not_called(
    gateway: Gateway, sandbox: SandboxControl
) -> None:
    with gateway.parts.database.writing() as session:
        waits.wait(session, 1, Wait(FOREVER, parked_reason="The access token is too old"))
        waits.wait(session, 2, Wait(gateway.parts.now() + timedelta(hours=1)))
    found = examined(gateway)
    assert ill(found) == {"account act_1": "failed"}
    assert "too old" in found["account act_1"]["found"]
    assert found["account act_2"]["state"] == "skipped"
    assert found["token of act_1, act_2"]["state"] == "skipped"
    assert not [call for call in sandbox.calls()["calls"] if "debug_token" in call["path"]]


@on_sqlite
def test_one_account_may_be_examined_alone_and_one_that_nobody_added_is_named(
    gateway: Gateway,
) -> None:
    assert "token of act_1" in examined(gateway, "--account", "act_1")
    found = examined(gateway, "--account", "99")
    assert ill(found) == {"account act_99": "failed"}


def test_without_an_account_it_says_how_to_add_one(database_url: str) -> None:
    parts = build(make_settings(database_url, "http://graph.test"))
    with closing(parts):
        (step, _) = facebook.Facebook(parts, ()).steps()
        (finding,) = step.examine()
    assert (finding.state, "account add" in finding.advice) == (State.WARNING, True)


def judged(**shown: Any) -> Finding:
    nothing = {"is_valid": True, "ends_at": None, "scopes": ("ads_management",), "problem": None}
    return facebook._judge("token", TokenShown(**{**nothing, **shown}), [1], now=NOW)


@pytest.mark.parametrize(
    ("days", "state"), [(None, State.OK), (8, State.OK), (6, State.WARNING), (0, State.WARNING)]
)
def test_a_token_that_ends_within_a_week_is_to_be_replaced(days: int | None, state: State) -> None:
    ends_at = None if days is None else NOW + timedelta(days=days)
    assert judged(ends_at=ends_at).state is state


def test_a_token_that_is_not_valid_says_why_in_facebooks_words() -> None:
    found = judged(is_valid=False, problem="The user changed the password.")
    assert (found.state, "changed the password" in found.found) == (State.FAILED, True)


def examine_certificate(url: str, *, now: datetime) -> Finding:
    parts = build(make_settings("sqlite:////nowhere.db", "http://graph.test", public_url=url))
    with closing(parts):
        (finding,) = outside.Outside(replace(parts, now=lambda: now))._examine_certificate()
    return finding


@pytest.fixture
def tls_url(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS server, and the certificate that it shows; it ends in a day."""
    pem = self_signed(tmp_path)
    context = server_context(pem)
    with lying_server(lambda peer: peer.wrap(context)) as server:
        yield f"https://127.0.0.1:{server.port}", pem


def test_a_certificate_that_nobody_trusts_is_named(tls_url: tuple[str, Path]) -> None:
    found = examine_certificate(tls_url[0], now=datetime.now(UTC))
    assert (found.state, "intermediate" in found.advice) == (State.FAILED, True)


@pytest.mark.parametrize(("days_before", "state"), [(1, State.WARNING), (20, State.OK)])
def test_a_certificate_is_renewed_two_weeks_before_it_ends(
    tls_url: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    days_before: int,
    state: State,
) -> None:
    url, pem = tls_url
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    now = datetime.now(UTC) - timedelta(days=days_before)
    assert examine_certificate(url, now=now).state is state


def test_a_server_without_tls_is_named() -> None:
    with lying_server(lambda peer: peer.send(b"SSH-2.0-nothing\r\n")) as server:
        found = examine_certificate(f"https://127.0.0.1:{server.port}", now=NOW)
    assert found.state is State.FAILED


def test_a_public_url_without_tls_is_named_unless_it_is_this_machine() -> None:
    assert examine_certificate("http://receiver.example", now=NOW).state is State.WARNING
    assert examine_certificate("http://localhost:8000", now=NOW).state is State.SKIPPED


@on_sqlite
def test_a_step_that_nobody_foresaw_to_fail_does_not_end_the_examination(
    gateway: Gateway,
) -> None:
    def fail() -> list[Finding]:
        raise ValueError(TOKEN)

    with mock.patch.object(inside.Inside, "steps", return_value=[Step("keys", fail)]):
        found = examined(gateway)
    assert found["keys"]["found"] == "It could not be examined: an unforeseen ValueError."
    assert found["public URL"]["state"] == "ok"


@on_sqlite
def test_a_database_that_goes_away_in_the_middle_is_named(gateway: Gateway) -> None:
    real = Database.probing

    def go_away(database: Database, **arguments: Any) -> Any:
        database.engine.dispose()
        database.engine = Database("sqlite:////no/such/folder.db", timeout_seconds=1).engine
        return real(database, **arguments)

    with mock.patch.object(Database, "probing", go_away):
        found = examined(gateway)
    assert "database" in ill(found)


def test_a_report_repeats_no_secret_whoever_words_it() -> None:
    shown = failed("x", f"Facebook says {TOKEN}", advice="access_token=hunter2 is wrong").as_json()
    assert TOKEN not in str(shown)
    assert "hunter2" not in str(shown)
