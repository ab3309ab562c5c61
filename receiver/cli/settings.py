"""receiver settings: what this process would run with, and where each value comes from."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import click
from pydantic import SecretStr
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.settings import Settings, load_settings, origin, variable

_MASK = "***"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def settings(*, as_json: bool) -> None:
    """Show every setting, its value and where it comes from. Secrets are masked."""
    loaded = load_settings()
    rows = {name: _shown(loaded, name) for name in Settings.model_fields}
    if as_json:
        click.echo(json.dumps(_as_json(rows), indent=2))
    else:
        Console().print(_table(rows))


def _as_json(rows: dict[str, str | float]) -> list[dict[str, str | float]]:
    return [
        {"name": variable(name), "value": value, "origin": origin(name)}
        for name, value in rows.items()
    ]


def _table(rows: dict[str, str | float]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Setting", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("From")
    for name, value in rows.items():
        text = f"{value:g}" if isinstance(value, float) else str(value)
        table.add_row(variable(name), text, origin(name))
    return table


def _shown(settings: Settings, name: str) -> str | float:
    value = getattr(settings, name)
    if name in ("database_url", "broker_url"):
        return _without_password(value) if value else "unset"
    if name == "secret_keys":
        return ", ".join(_MASK for _ in value)
    if name == "metrics_token":
        return _MASK if value else "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(f"{each:g}" for each in value)
    shown: str | float = value
    return shown


def _without_password(url: SecretStr) -> str:
    """Mask the password, and the query, which may hold another."""
    text = url.get_secret_value()
    if text.startswith("sqlite:"):
        return text
    parts = urlsplit(text)
    netloc = re.sub(r":[^@]*@", f":{_MASK}@", parts.netloc)
    query = f"?{_MASK}" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}"
