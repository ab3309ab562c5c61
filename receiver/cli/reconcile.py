"""receiver reconcile: compare what is in SQL with what Facebook lists."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.cli.common import (
    ACCOUNT,
    WrongUse,
    differences_in_words,
    opened_parts,
    refuse_unknown_accounts,
)
from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle.reconcile import Reconciled
from receiver.lifecycle.reconcile import reconcile as compare
from receiver.lifecycle.shapes import reconciled_as_json
from receiver.lifecycle.spending import NoPoints

_DAY = timedelta(days=1)
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.option("--account", "account_id", type=ACCOUNT, required=True, help="The ad account.")
@click.option("--since", type=_MOMENT, help="Sets made from then on, in UTC. A day ago by itself.")
@click.option("--until", type=_MOMENT, help="Sets made before then, in UTC. Now by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def reconcile(
    *, account_id: int, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Compare SQL with what Facebook lists of an account. Ends with 0 if nothing differs."""
    with opened_parts(check_secrets=True) as parts:
        ends = until.replace(tzinfo=UTC) if until else parts.now()
        begins = since.replace(tzinfo=UTC) if since else ends - _DAY
        if begins >= ends:
            raise WrongUse("--since must be earlier than --until.")
        refuse_unknown_accounts(parts, [account_id])
        console = Console(stderr=True)
        try:
            with console.status("Reading what Facebook lists") as status:
                done = compare(
                    parts.tools,
                    account_id,
                    since=begins,
                    until=ends,
                    on_page=lambda sets: status.update(f"Read {sets} sets that Facebook lists"),
                )
        except (CallFailed, CannotOpen, NoPoints) as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(reconciled_as_json(done), indent=2))
    else:
        _print(Console(), done)
    sys.exit(0 if done.is_whole and not done.differences else 1)


def _print(console: Console, done: Reconciled) -> None:
    if done.differences:
        table = Table("difference", "set", "Facebook's ids", "what", box=SIMPLE_HEAD)
        for each in done.differences:
            number = "" if each.request_set_id is None else str(each.request_set_id)
            ids = "\n".join(map(str, each.facebook_ids))
            table.add_row(each.kind, number, ids, each.detail)
        console.print(table)
    if not done.is_whole:
        console.print("Facebook's list could not be read whole: what it lacks is not known.")
    console.print(
        f"act_{done.account_id}: {done.sets} sets at Facebook, read in {done.calls} calls, "
        f"{differences_in_words(len(done.differences))}",
        highlight=False,
        soft_wrap=True,
    )
