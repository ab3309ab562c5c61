"""receiver integrity: the two numbers that must be zero, and the rows behind them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.cli.common import (
    ACCOUNT,
    differences_in_words,
    opened_parts,
    refuse_unknown_accounts,
)
from receiver.lifecycle import integrity as checks
from receiver.lifecycle.integrity import Integrity
from receiver.lifecycle.shapes import integrity_as_json


class _NotCounted(click.ClickException):
    """Nobody knows what the numbers are."""

    exit_code = 3


@click.command()
@click.option(
    "--account", "account_ids", type=ACCOUNT, multiple=True, help="Only this ad account's sets."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def integrity(*, account_ids: tuple[int, ...], as_json: bool) -> None:
    """Count the sets that are missing and the creates that are doubled. Ends with 0 if none is."""
    with _told_apart_from_findings(), opened_parts() as parts:
        refuse_unknown_accounts(parts, account_ids)
        found = checks.check(parts.database, account_ids or None, now=parts.now())
    if as_json:
        click.echo(json.dumps(integrity_as_json(found), indent=2))
    else:
        _print(Console(), found)
    sys.exit(0 if found.is_whole else 1)


@contextmanager
def _told_apart_from_findings() -> Iterator[None]:
    """Raise _NotCounted for what ends other commands with 1: here that is a number above zero."""
    try:
        yield
    except click.ClickException as error:
        if error.exit_code != click.ClickException.exit_code:
            raise
        raise _NotCounted(error.message) from error


def _print(console: Console, found: Integrity) -> None:
    for title, counted in (
        ("Missing: no results by their time", found.missing),
        ("Doubled: more than once at Facebook", found.doubled),
        ("Late: past their deadline", found.late),
        ("Stuck: a person has to look", found.stuck),
    ):
        if counted.rows:
            console.print(_table(title, counted.rows))
    for orphan in found.orphans:
        console.print(
            f"Notification {orphan['id']} names a set {orphan['request_set_id']} that is not in "
            "this database: reconcile its account.",
            highlight=False,
            soft_wrap=True,
        )
    for account_id, newest in sorted(found.reconciled.items()):
        console.print(
            f"act_{account_id} was reconciled with Facebook at "
            f"{newest['ended_at'].isoformat(timespec='seconds')}: "
            f"{differences_in_words(newest['differences'])}.",
            highlight=False,
            soft_wrap=True,
        )
    if not found.reconciled:
        console.print(
            "No account was ever reconciled: the numbers are what the receiver knows by itself. "
            "See 'receiver reconcile'.",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"missing {found.missing.count}  doubled {found.doubled.count}",
        style="bold",
        highlight=False,
    )


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table("set", "account", "Facebook's id", "state", "why", title=title, box=SIMPLE_HEAD)
    for row in rows:
        ids = row.get("found_sets") or ([row["facebook_id"]] if row["facebook_id"] else [])
        table.add_row(
            str(row["id"]),
            f"act_{row['account_id']}",
            "\n".join(map(str, ids)),
            row["state"],
            row["state_reason"] or "",
        )
    return table
