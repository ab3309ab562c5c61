from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic_core import PydanticUndefined

from receiver.app import create_app
from receiver.assembly import build
from receiver.cli import main
from receiver.settings import SECRETS, Settings, variable
from receiver.web import callback
from tests.support.house import make_settings

DOCUMENTS = Path(__file__).parent.parent / "docs"
SETTINGS_DOCUMENT = (DOCUMENTS / "settings.md").read_text(encoding="utf-8")
COMMANDS_DOCUMENT = (DOCUMENTS / "commands.md").read_text(encoding="utf-8")

SETTING_ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in SETTINGS_DOCUMENT.splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
COMMAND_SECTION = re.compile(
    r"^## `receiver ([a-z][a-z -]*[a-z])[^`]*`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
COMMAND_SECTIONS = dict(COMMAND_SECTION.findall(COMMANDS_DOCUMENT))


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from commands(child, *path, name)


COMMANDS = dict(commands(main))


def written(value: object) -> str:
    """A default as a variable of the environment holds it."""
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_settings_page_names_every_setting_and_no_other() -> None:
    assert set(SETTING_ROWS) == {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_settings_row_says_its_unit_default_meaning_and_when_to_change_it(name: str) -> None:
    unit, default, meaning, change = SETTING_ROWS[variable(name)]
    expected = Settings.model_fields[name].default
    assert default == ("required" if expected is PydanticUndefined else f"`{written(expected)}`")
    assert ("secret" in unit) == (name in SECRETS)
    for ending in ("seconds", "bytes"):
        assert (unit == ending) == name.endswith(f"_{ending}")
    assert meaning
    assert change


def test_the_commands_page_names_every_command_and_no_other() -> None:
    assert set(COMMAND_SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_section_names_its_options_and_no_other(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    documented = set(re.findall(r"^\| `(--[a-z0-9-]+)", COMMAND_SECTIONS[name], re.MULTILINE))
    assert documented == {option for option in options if option.startswith("--")}


@pytest.mark.parametrize("page", sorted(DOCUMENTS.rglob("*.md")), ids=lambda page: str(page.name))
def test_a_page_links_only_to_pages_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_api_page_names_tests_that_call_a_receiver() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", (DOCUMENTS / "api.md").read_text("utf-8"))
    assert len(named) > 40
    for file, test in set(named):
        source = (DOCUMENTS.parent / file).read_text("utf-8")
        found = re.search(rf"((?:^@.*\n(?:^[ )].*\n)*)*)^def {test}\(", source, re.MULTILINE)
        assert found is not None, f"{file} has no {test}"
        assert "sandbox_only" not in found[1], f"{test} does not call a receiver"


def routes() -> dict[str, str]:
    """The endpoint of every route of the web application, with its variables as pages word them."""
    settings = make_settings("sqlite:////nowhere/receiver.db", "http://graph.test")
    app = create_app(build(settings))
    return {rule.rule.replace("<path:", "<"): rule.endpoint for rule in app.url_map.iter_rules()}


def documented(page: str) -> set[str]:
    """The routes that a page names."""
    text = (DOCUMENTS / page).read_text("utf-8")
    return set(re.findall(r"`[A-Z]+ (/[^\s`?]*)", text))


ASSETS = ("dashboard.static", "bootstrap.static", "admin_docs.asset")


def test_the_api_page_names_every_route() -> None:
    # The catch-all routes refuse what the others do not know; the Graph paths stand behind one.
    unnamed = {"/", "/<path>", "/admin/api/<path>"}
    named = {
        rule
        for rule, endpoint in routes().items()
        if not endpoint.startswith("dashboard.") and endpoint not in ASSETS
    }
    ours = ("/admin", "/notif", "/health", "/metrics")
    # It stands in front of Flask, which knows no route of it.
    named.add(f"{callback.PATH}<token>")
    assert named - unnamed == {path for path in documented("api.md") if path.startswith(ours)}


def test_the_dashboards_page_names_every_page_and_button() -> None:
    named = {
        rule
        for rule, endpoint in routes().items()
        if endpoint.startswith("dashboard.") and endpoint not in ASSETS
    }
    assert named - {"/admin/<path>"} == documented("dashboard.md")
