"""Act on many sets: show the plan, ask, and do it here, with progress."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from receiver.cli import filters
from receiver.cli.common import COMMAND, opened_parts, refuse_unknown_accounts
from receiver.cli.interruption import INTERRUPTED, Interrupted, Interruption, interruptible
from receiver.lifecycle import bulk, choosing
from receiver.lifecycle.choosing import Planned
from receiver.lifecycle.tools import Tools
from receiver.store import action_plans, reports
from receiver.web.admin import plan_words
from receiver.web.admin.parameters import SetFilters

_PAUSE_SECONDS = 0.5
_SHOWN_MOST = 20


@dataclass
class _Ended:
    """How it went, over all plans: ``odd`` are the first sets of each that did not end well."""

    action: str
    not_there: Sequence[int]
    plans: list[str] = field(default_factory=list)
    sets: int = 0
    points: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    odd: list[dict[str, Any]] = field(default_factory=list)
    not_confirmed: int = 0


def plan_and_do(
    action: str,
    query: SetFilters,
    *,
    numbers: Sequence[int] = (),
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Plan an action on the sets that meet some filters, and do it once it is confirmed.

    What one plan cannot take is planned, and confirmed, after it. Ends the command: with 0 if all
    went well, with 1 if something was refused or failed or a number is no set's, with 130 where it
    was interrupted (a worker goes on with what was confirmed).
    """
    with opened_parts(check_secrets=True) as parts, interruptible() as interruption:
        refuse_unknown_accounts(parts, query.account)
        tools = parts.tools
        wanted = replace(filters.of_sets(parts, query), numbers=numbers)
        detail = _in_words(query, numbers)
        make = partial(choosing.make, tools, action, wanted, detail=detail, by=COMMAND)
        ended = _Ended(action, _not_there(tools, numbers))
        for planned in _parts(make):
            _show_plan(Console(stderr=True), planned)
            if planned.sets and not (is_confirmed or _is_agreed(planned)):
                ended.not_confirmed = planned.sets
                break
            if planned.sets:
                _end_if_interrupted(interruption)
                bulk.confirm(tools, planned.plan_id, by=COMMAND)
                _do(tools, planned, interruption)
            _add(ended, tools, planned)
        _end(ended, as_json=as_json)


def _parts(make: Callable[..., Planned]) -> Iterator[Planned]:
    """Plan what meets the filters, and what one plan cannot take after it."""
    planned = make()
    yield planned
    while planned.next_key is not None:
        planned = make(after=planned.next_key)
        yield planned


def _not_there(tools: Tools, numbers: Sequence[int]) -> list[int]:
    with tools.database.reading() as session:
        return sorted(set(numbers) - reports.known_numbers(session, numbers))


def _in_words(query: SetFilters, numbers: Sequence[int]) -> str:
    named = f"sets {', '.join(map(str, numbers))}" if numbers else ""
    asked = "" if numbers and query == SetFilters() else plan_words.of_filters(query)
    return "; ".join(text for text in (named, asked) if text)


def _show_plan(console: Console, planned: Planned) -> None:
    table = Table("account", "sets", title=planned.action.means, box=SIMPLE_HEAD)
    for account_id, sets in sorted(planned.by_account.items()):
        table.add_row(f"act_{account_id}", f"{sets:,}")
    console.print(table)
    at_least = "at least " if planned.action.may_cost_more else ""
    cost = f"{at_least}{planned.points:,} points, about {planned.seconds:,.0f} seconds"
    sentences = [f"{planned.sets:,} sets, {cost}; sets that do not fit the action are left out."]
    if planned.note is not None:
        sentences = [planned.note]
    if planned.next_key is not None:
        sentences.append("More sets may meet the filters: they are planned after these.")
    for sentence in sentences:
        console.print(sentence, highlight=False, soft_wrap=True)


def _is_agreed(planned: Planned) -> bool:
    return click.confirm(f"{planned.action.label}: {planned.sets} sets?", err=True)


def _end_if_interrupted(interruption: Interruption) -> None:
    """End the command before a worker goes on with what its user would not have confirmed."""
    if interruption.is_wanted:
        click.echo("Interrupted: what was not confirmed is left.", err=True)
        sys.exit(INTERRUPTED)


def _do(tools: Tools, planned: Planned, interruption: Interruption) -> None:
    """Act on one set after another, beside the workers, until each has its end."""
    with Progress(
        *Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(planned.action.label, total=planned.sets)
        waiting = planned.sets
        try:
            while waiting:
                interruption.check()
                claim = bulk.claim_next(tools, plan_id=planned.plan_id)
                if claim is None:
                    interruption.sleep(_PAUSE_SECONDS)
                else:
                    bulk.act(tools, claim)
                waiting = _counts(tools, planned).get("waiting", 0)
                bar.update(task, completed=planned.sets - waiting)
        except Interrupted:
            bar.stop()
            _tell_of_the_rest(planned, waiting)
            sys.exit(INTERRUPTED)


def _tell_of_the_rest(planned: Planned, waiting: int) -> None:
    click.echo(
        f"Interrupted: a worker goes on with the {waiting:,} sets that are left of the plan. "
        f"To leave them: receiver set stop {planned.plan_id}",
        err=True,
    )
    if planned.next_key is not None:
        click.echo("What was not planned yet is left: run it again for that.", err=True)


def _counts(tools: Tools, planned: Planned) -> dict[str, int]:
    with tools.database.reading() as session:
        found = action_plans.find(session, planned.plan_id, by=COMMAND)
    counts: dict[str, int] = found["counts"] if found else {}
    return counts


def _add(ended: _Ended, tools: Tools, planned: Planned) -> None:
    """Add how a plan went to how all of them did."""
    with tools.database.reading() as session:
        items = action_plans.items(session, planned.plan_id, limit=_SHOWN_MOST)
    ended.plans.append(planned.plan_id)
    ended.sets += planned.sets
    ended.points += planned.points
    ended.counts.update(_counts(tools, planned))
    ended.odd += [item for item in items if item["outcome"] not in (None, "done")]


def _end(ended: _Ended, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_document(ended), indent=2))
    else:
        for number in ended.not_there:
            click.echo(f"There is no set {number}.")
        for item in ended.odd:
            click.echo(f"Set {item['request_set_id']} {item['outcome']}: {item['note']}")
        told = ", ".join(f"{count:,} {word}" for word, count in ended.counts.items())
        if ended.not_confirmed:
            click.echo(f"Not confirmed: {ended.not_confirmed:,} of the sets.")
        if told or not ended.not_confirmed:
            click.echo(told or "Nothing to do.")
    sys.exit(1 if ended.odd or ended.not_there or ended.not_confirmed else 0)


def _document(ended: _Ended) -> dict[str, Any]:
    return {
        "plans": ended.plans,
        "action": ended.action,
        "sets": ended.sets,
        "points": ended.points,
        "counts": dict(ended.counts),
        "not_confirmed": ended.not_confirmed,
        "not_there": [str(number) for number in ended.not_there],
        "not_done": [
            {
                "request_set_id": str(item["request_set_id"]),
                "outcome": item["outcome"],
                "note": item["note"],
            }
            for item in ended.odd
        ],
    }
