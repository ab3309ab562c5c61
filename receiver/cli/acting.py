"""Act on many sets: show the plan, ask, and do it here, with progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from receiver.cli import filters
from receiver.cli.common import COMMAND, opened_parts
from receiver.cli.interruption import INTERRUPTED, Interrupted, Interruption, interruptible
from receiver.lifecycle import bulk
from receiver.lifecycle.bulk import Planned
from receiver.lifecycle.tools import Tools
from receiver.store import action_plans
from receiver.web.admin import plan_words
from receiver.web.admin.parameters import SetFilters

_PAUSE_SECONDS = 0.5
_SHOWN_MOST = 20


def plan_and_do(
    action: str,
    query: SetFilters,
    *,
    numbers: Sequence[int] = (),
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Plan an action on the sets that meet some filters, and do it once it is confirmed.

    Ends the command: with 0 if all went well, with 1 if something was refused or failed, with 130
    where it was interrupted (a worker goes on with the plan).
    """
    with opened_parts(check_secrets=True) as parts, interruptible() as interruption:
        tools = parts.tools
        planned = bulk.make(
            tools,
            action,
            replace(filters.of_sets(parts, query), numbers=numbers),
            detail=_in_words(query, numbers),
            by=COMMAND,
        )
        _show_plan(Console(stderr=True), planned)
        if not planned.sets:
            _end(tools, planned, as_json=as_json)
        if not is_confirmed:
            click.confirm(f"{planned.action.label}: {planned.sets} sets?", abort=True, err=True)
        bulk.confirm(tools, planned.plan_id, by=COMMAND)
        try:
            _do(tools, planned, interruption)
        except Interrupted:
            click.echo("Interrupted: a worker goes on with the rest of the plan.", err=True)
            sys.exit(INTERRUPTED)
        _end(tools, planned, as_json=as_json)


def _in_words(query: SetFilters, numbers: Sequence[int]) -> str:
    named = f"sets {', '.join(map(str, numbers))}" if numbers else ""
    asked = "" if numbers and query == SetFilters() else plan_words.of_filters(query)
    return "; ".join(text for text in (named, asked) if text)


def _show_plan(console: Console, planned: Planned) -> None:
    table = Table("account", "sets", title=planned.action.means, box=SIMPLE_HEAD)
    for account_id, sets in sorted(planned.by_account.items()):
        table.add_row(f"act_{account_id}", f"{sets:,}")
    console.print(table)
    console.print(
        f"{planned.sets:,} sets, {planned.points:,} points, about {planned.seconds:,.0f} seconds; "
        f"{planned.skipped:,} that meet the filters do not fit the action.",
        highlight=False,
        soft_wrap=True,
    )
    if planned.is_cut:
        console.print("More sets meet the filters: run it again for the rest.", highlight=False)


def _do(tools: Tools, planned: Planned, interruption: Interruption) -> None:
    """Act on one set after another, beside the workers, until each has its end."""
    with Progress(
        *Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(planned.action.label, total=planned.sets)
        waiting = planned.sets
        while waiting:
            interruption.check()
            claim = bulk.claim_next(tools, plan_id=planned.plan_id)
            if claim is None:
                interruption.sleep(_PAUSE_SECONDS)
            else:
                bulk.act(tools, claim)
            waiting = _counts(tools, planned).get("waiting", 0)
            bar.update(task, completed=planned.sets - waiting)


def _counts(tools: Tools, planned: Planned) -> dict[str, int]:
    with tools.database.reading() as session:
        found = action_plans.find(session, planned.plan_id, by=COMMAND)
    counts: dict[str, int] = found["counts"] if found else {}
    return counts


def _end(tools: Tools, planned: Planned, *, as_json: bool) -> None:
    counts = _counts(tools, planned)
    with tools.database.reading() as session:
        items = action_plans.items(session, planned.plan_id, limit=_SHOWN_MOST)
    odd = [item for item in items if item["outcome"] not in (None, "done")]
    if as_json:
        click.echo(json.dumps(_document(planned, counts, odd), indent=2))
    else:
        for item in odd:
            click.echo(f"Set {item['request_set_id']} {item['outcome']}: {item['note']}")
        told = ", ".join(f"{count:,} {word}" for word, count in counts.items())
        click.echo(told or "Nothing to do.")
    sys.exit(1 if odd else 0)


def _document(
    planned: Planned, counts: dict[str, int], odd: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "plan": planned.plan_id,
        "action": planned.action.name,
        "sets": planned.sets,
        "skipped": planned.skipped,
        "points": planned.points,
        "counts": counts,
        "not_done": [
            {
                "request_set_id": str(item["request_set_id"]),
                "outcome": item["outcome"],
                "note": item["note"],
            }
            for item in odd
        ],
    }
