from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from receiver.cli import main
from receiver.store.database import Database
from tests.support.commands import environment
from tests.support.rows import add_account


def complete(url: str, words: str, *, at: int) -> list[str]:
    """Ask as bash does: the words of the line, and which of them is being written."""
    asked = {"_RECEIVER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    result = CliRunner().invoke(main, [], env=environment(url, **asked), prog_name="receiver")
    assert (result.exit_code, result.stderr) == (0, "")
    return [line.removeprefix("plain,") for line in result.stdout.splitlines() if line]


def script(shell: str) -> Result:
    return CliRunner().invoke(main, ["completion", shell])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed(shell: str) -> None:
    result = script(shell)
    assert (result.exit_code, f"_RECEIVER_COMPLETE={shell}_complete" in result.stdout) == (0, True)


def test_bash_can_read_its_script() -> None:
    done = subprocess.run(["bash", "-n"], input=script("bash").stdout, text=True, check=False)
    assert done.returncode == 0


def test_another_shell_is_refused() -> None:
    assert script("csh").exit_code == 2


def test_accounts_are_completed_with_and_without_their_prefix(
    database: Database, database_url: str
) -> None:
    for account_id in (123, 145, 9):
        add_account(database, account_id)
    url = database_url.replace("postgresql+psycopg", "postgresql")
    words = "receiver set watch --account "
    assert complete(url, words, at=4) == ["act_9", "act_123", "act_145"]
    assert complete(url, f"{words}act_1", at=4) == ["act_123", "act_145"]
    assert complete(url, f"{words}14", at=4) == ["145"]
    assert complete(url, f"{words}4711", at=4) == []


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all/receiver.db",
        "postgresql://nobody@127.0.0.1:9/none",
        "nonsense",
        "",
    ],
)
def test_without_a_database_no_account_is_completed_and_nothing_is_said(url: str) -> None:
    assert complete(url, "receiver set watch --account ", at=4) == []


def test_to_complete_makes_no_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'receiver.db'}"
    assert complete(url, "receiver set create --account ", at=4) == []
    assert list(tmp_path.iterdir()) == []


def test_commands_of_sets_are_completed() -> None:
    assert complete("", "receiver set s", at=2) == ["show", "stop"]


def test_the_command_set_imports_no_command_of_sets_but_the_one_that_runs() -> None:
    program = (
        "import sys; from receiver.cli import main; main(['set', 'abandon', '--help'], "
        "standalone_mode=False); print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules = done.stdout.split()
    assert "receiver.cli.set.abandon" in modules
    assert not {"receiver.cli.set.create", "receiver.cli.spec_files", "flask"} & set(modules)
