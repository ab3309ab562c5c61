"""receiver secrets: the keys that sign notification URLs and seal what is secret."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver import secret_keys
from receiver.assembly import Parts
from receiver.cli.common import opened_parts
from receiver.crypto import CannotOpen


@click.group()
def secrets() -> None:
    """Look after the keys that sign notification URLs and seal secrets."""


@secrets.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def rotate(*, as_json: bool) -> None:
    """Seal every stored secret with the newest key, and say what still needs an older one.

    To rotate: put a new key first in RECEIVER_SECRET_KEYS, restart, run this, and take an old key
    out when nothing needs it any more.
    """
    with opened_parts() as parts:
        try:
            changed = secret_keys.rotate(parts.database, parts.keys)
        except CannotOpen as error:
            raise click.ClickException(str(error)) from error
        rows = _rows(parts)
    if as_json:
        click.echo(json.dumps({"resealed": changed, "keys": rows}, indent=2))
        return
    _show(rows)
    click.echo(f"Sealed again with the newest key: {changed}.")


def _rows(parts: Parts) -> list[dict[str, Any]]:
    needs = secret_keys.survey(parts.database, parts.keys)
    unknown = needs.urls.get(None, 0)
    configured = [
        _row(
            key_id,
            secrets=needs.secrets.get(key_id, 0),
            urls=needs.urls.get(key_id, 0),
            unknown=unknown,
            is_newest=key_id == parts.keys.newest_id,
        )
        for key_id in parts.keys.ids
    ]
    missing = [
        {
            "key": key_id,
            "sealed_secrets": 0,
            "pending_urls": needs.urls[key_id],
            "advice": "missing: put it back behind the newest",
        }
        for key_id in needs.missing(parts.keys)
    ]
    return configured + missing


def _row(key_id: str, *, secrets: int, urls: int, unknown: int, is_newest: bool) -> dict[str, Any]:
    """What needs a key. URLs from before their key was kept may need any of the older ones."""
    may_be_its = 0 if is_newest else unknown
    advice = "needed" if secrets or urls or may_be_its else "can be taken out"
    return {
        "key": key_id,
        "sealed_secrets": secrets,
        "pending_urls": urls + may_be_its,
        "advice": "signs and seals" if is_newest else advice,
    }


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("key", "sealed secrets", "pending URLs", "", box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
