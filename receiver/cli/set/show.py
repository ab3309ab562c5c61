"""receiver set show: one set for people, with its story and why requests of it failed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from receiver.cli.common import opened_parts
from receiver.cli.set.deciding import NUMBER
from receiver.cli.set.words import counts_in_words, counts_of, stacked_bar
from receiver.lifecycle.shapes import json_value
from receiver.lifecycle.story import Event, Failure, Story, read_failures, read_story
from receiver.lifecycle.words import VERDICTS, advice_on, state_in_words
from receiver.store import accounts, progress
from receiver.web.admin import documents

_DELIVERY = ("state", "attempts", "result_status", "created_at", "ended_at")


@click.command()
@click.argument("number", type=NUMBER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def show(number: int, *, as_json: bool) -> None:
    """Show the set NUMBER, by our number or Facebook's id: its story, and why requests failed."""
    with opened_parts() as parts:
        with parts.database.reading() as session:
            account_ids = accounts.all_ids(session)
            request_set_id = progress.find_id(session, number)
        story = request_set_id and read_story(
            parts.database, request_set_id, account_ids=account_ids
        )
        failures = read_failures(parts.database, request_set_id) if request_set_id else []
        now = parts.now()
    if not story:
        raise click.ClickException(f"There is no set {number}.")
    if as_json:
        click.echo(json.dumps(_document(story, failures, now=now), indent=2))
    else:
        _print(Console(), story, failures)


def _document(story: Story, failures: list[Failure], *, now: datetime) -> dict[str, Any]:
    """Everything that the admin API shows of a set, with its story in words."""
    delivery = story.delivery
    return {
        **documents.set_detail(story.row, now=now).model_dump(mode="json"),
        "state_in_words": _state_in_words(story.row),
        "verdict_in_words": VERDICTS.get(story.row["verdict"]),
        "timeline": [
            {"at": json_value("", event.at), "what": event.what, "detail": event.detail}
            for event in story.events
        ],
        "timeline_is_cut": story.has_more,
        "failures": [_failure_document(failure) for failure in failures],
        "delivery": delivery
        and {name: json_value(name, getattr(delivery, name)) for name in _DELIVERY},
    }


def _failure_document(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "subcode": failure.subcode,
        "count": failure.count,
        "message": failure.message,
        "meaning": failure.meaning,
        "advice": failure.advice.value,
        "request_ids": [str(one) for one in failure.request_ids],
    }


def _state_in_words(row: dict[str, Any]) -> str:
    return state_in_words(str(row["state"]), abandoned_at=row["abandoned_at"])


def _print(console: Console, story: Story, failures: list[Failure]) -> None:
    row = story.row
    console.print(Text(f"Set {row['id']}: {row['name']}", style="bold"))
    console.print(_facts(row))
    console.print(_timeline(story.events))
    if story.has_more:
        console.print("Older notifications and looks are left out.", style="dim")
    if failures:
        console.print(_failures(failures))


def _facts(row: dict[str, Any]) -> Table:
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    counts = counts_of(row)
    found = [str(one["facebook_id"]) for one in row["found_sets"]]
    for name, value in (
        ("state", Text(f"{row['state']}. {_state_in_words(row)}")),
        ("why", Text(row["state_reason"] or "")),
        ("account", Text(f"act_{row['account_id']}")),
        ("Facebook's id", Text(str(row["facebook_id"] or "none yet"))),
        ("more than one", Text(", ".join(found) if len(found) > 1 else "")),
        ("requests", stacked_bar(counts)),
        ("", Text(f"{counts_in_words(counts)} of {sum(counts)}")),
        ("notification", Text(VERDICTS.get(row["verdict"], row["verdict"]))),
        ("flag", Text(row["flag"] or "")),
    ):
        if value:
            facts.add_row(name, value)
    return facts


def _timeline(events: list[Event]) -> Table:
    table = Table("when (UTC)", "after", "what", "how", title="Timeline", box=SIMPLE_HEAD)
    began = events[0].at
    for event in events:
        after = f"{(event.at - began).total_seconds():,.1f} s"
        table.add_row(f"{event.at:%Y-%m-%d %H:%M:%S}", after, event.what, Text(event.detail))
    return table


def _failures(failures: list[Failure]) -> Table:
    table = Table(title="Failed requests", box=SIMPLE_HEAD)
    for heading in ("code", "how many", "what it means", "what to do", "such as"):
        table.add_column(heading, overflow="fold")
    for failure in failures:
        meaning = failure.meaning or "A code that the receiver does not know"
        table.add_row(
            _code(failure),
            str(failure.count),
            Text(f"{meaning}: {failure.message}"),
            advice_on(failure.code, failure.subcode),
            "\n".join(map(str, failure.request_ids)),
        )
    return table


def _code(failure: Failure) -> str:
    if failure.code is None:
        return "none"
    return str(failure.code) if failure.subcode is None else f"{failure.code}/{failure.subcode}"
