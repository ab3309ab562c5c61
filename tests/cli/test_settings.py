from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from receiver import __version__
from receiver.cli import COMMANDS, main
from receiver.settings import Settings, variable

ROOT = Path(__file__).parent.parent.parent
KEY = "k" * 32
ENVIRONMENT = {
    "RECEIVER_DATABASE_URL": "postgres://user:hunter2@host:5432/name?password=hunter2",
    "RECEIVER_PUBLIC_URL": "https://receiver.example.com",
    "RECEIVER_SECRET_KEYS": f"{KEY},{KEY}2",
    "RECEIVER_METRICS_TOKEN": "hunter2-hunter2-hunter2",
    "RECEIVER_BROKER_URL": "rediss://user:hunter2@host:6379/0?password=hunter2",
}


@pytest.fixture(autouse=True)
def only_the_environment_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("RECEIVER_"):
            monkeypatch.delenv(name)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=ENVIRONMENT | environment)


def test_every_setting_is_shown_with_its_value_and_its_origin() -> None:
    result = run("settings", "--json", RECEIVER_WORKER_THREADS="8")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert set(rows) == {variable(name) for name in Settings.model_fields}
    assert rows["RECEIVER_WORKER_THREADS"]["value"] == 8
    assert rows["RECEIVER_WORKER_THREADS"]["origin"] == "environment"
    assert rows["RECEIVER_GRAPH_VERSION"]["value"] == "v21.0"
    assert rows["RECEIVER_GRAPH_VERSION"]["origin"] == "default"


def test_a_secret_from_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(KEY)
    files = {"RECEIVER_SECRET_KEYS": "", "RECEIVER_SECRET_KEYS_FILE": str(tmp_path / "keys")}
    rows = {row["name"]: row for row in json.loads(run("settings", "--json", **files).stdout)}
    assert rows["RECEIVER_SECRET_KEYS"]["origin"] == "file"
    assert rows["RECEIVER_SECRET_KEYS"]["value"] == "***"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_secret_is_shown(options: list[str]) -> None:
    result = run("settings", *options)
    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert KEY not in result.output


def test_the_table_cuts_no_name() -> None:
    output = run("settings").output
    assert all(variable(name) in output for name in Settings.model_fields)


def test_of_a_databases_url_the_password_and_the_query_are_masked() -> None:
    (row, *_) = json.loads(run("settings", "--json").stdout)
    assert row["value"] == "postgresql+psycopg://user:***@host:5432/name?***"


def test_a_database_without_a_password_is_shown_as_it_is() -> None:
    for url in ("sqlite:////var/lib/receiver/receiver.db", "postgresql+psycopg://user@host/name"):
        result = run("settings", "--json", RECEIVER_DATABASE_URL=url)
        assert json.loads(result.stdout)[0]["value"] == url


def test_wrong_settings_end_a_command_with_sentences_and_code_2() -> None:
    result = run("settings", RECEIVER_LEASE_SECOND="1", RECEIVER_XYZ="1")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sorted(result.stderr.splitlines()) == [
        "Error: RECEIVER_LEASE_SECOND is not a setting: did you mean RECEIVER_LEASE_SECONDS?",
        "Error: RECEIVER_XYZ is not a setting: unset it.",
    ]


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"receiver, version {__version__}\n"


def test_the_help_names_every_command() -> None:
    output = run("--help").stdout
    assert all(f"\n  {name} " in output for name in COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    result = run("nonsense")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_under_its_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name


def test_a_command_imports_only_its_own_module() -> None:
    program = (
        "import sys; from receiver.cli import main; main(['sandbox', '--help'], "
        "standalone_mode=False); print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    modules = done.stdout.split()
    assert "receiver.cli.sandbox" in modules
    assert not {"receiver.cli.settings", "receiver.settings", "sqlalchemy"} & set(modules)
