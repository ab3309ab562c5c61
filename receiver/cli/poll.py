"""receiver poll: what the worker would ask Facebook now, and why."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.cli.common import ACCOUNT, opened_parts, refuse_unknown_accounts
from receiver.lifecycle import explain as explaining
from receiver.store import accounts


@click.group()
def poll() -> None:
    """See how sets are polled."""


@poll.command()
@click.option("--account", "account_ids", type=ACCOUNT, multiple=True, help="Only this ad account.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def explain(*, account_ids: tuple[int, ...], as_json: bool) -> None:
    """Show which sets are due, how they would be looked at, and what that costs in points.

    Nothing is asked and nothing is changed.
    """
    with opened_parts() as parts:
        refuse_unknown_accounts(parts, account_ids)
        with parts.database.reading() as session:
            known = accounts.all_ids(session)
        plans = [
            explaining.as_json(parts.tools, explaining.explain(parts.tools, account_id))
            for account_id in account_ids or known
        ]
    if as_json:
        click.echo(json.dumps(plans, indent=2))
    else:
        _print(Console(), plans)


def _print(console: Console, plans: list[dict[str, Any]]) -> None:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("account", no_wrap=True)
    for name in ("due", "how", "points", "score", "lost", "first look"):
        table.add_column(name)
    for one in plans:
        table.add_row(
            one["account"],
            str(one["due"] + one["searched"]),
            _how(one),
            str(one["points"]),
            f"{one['score']:.0f}/{one['score_limit']:.0f}",
            f"{100 * one['loss_rate']:.0f} %",
            _first_looks(one["first_look_seconds_by_size"]),
        )
    console.print(table)
    for one in plans:
        if one["waits_until"] is not None:
            reason = one["parked_reason"] or f"Facebook asked to wait until {one['waits_until']}."
            console.print(f"{one['account']} waits: {reason}", highlight=False, soft_wrap=True)
    console.print(
        "how: each by itself (single, batch), or on the account's list (sweep); lost: share of the "
        "last notifications that never came; first look: after how long a set is first looked at",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


def _how(one: dict[str, Any]) -> str:
    if one["due"] == 0:
        how = "nothing is due"
    elif one["swept"]:
        how = f"sweep for {one['swept']}, at most {one['page_budget']} pages"
        if one["read_by_themselves"]:
            how += f"; {one['read_by_themselves']} by themselves"
    else:
        how = f"{one['way']} of {one['read_by_themselves']}"
    return f"{how}; search for {one['searched']}" if one["searched"] else how


def _first_looks(seconds_by_size: dict[int, float]) -> str:
    if not seconds_by_size:
        return "not learned yet"
    soonest, latest = min(seconds_by_size.values()), max(seconds_by_size.values())
    return f"{soonest:g} s" if soonest == latest else f"{soonest:g} to {latest:g} s"
