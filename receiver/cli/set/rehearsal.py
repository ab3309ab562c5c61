"""What would be sent of a file, and what that costs: nothing is asked and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from receiver.assembly import Parts
from receiver.cli.common import WrongUse
from receiver.cli.set import sent_before
from receiver.cli.set.splitting import Part, Split, Wanted
from receiver.cli.set.words import number_of
from receiver.graph.score import WRITE_POINTS
from receiver.store import points, twins
from receiver.store.intents import NewIntent
from receiver.store.twins import KeyReused


@dataclass(frozen=True)
class Rehearsed:
    """The sets of a file, each with its name and the set that it would join, and their cost."""

    account_id: int
    sets: list[tuple[Part, str, int | None]]
    ads: int
    points_used: float
    points_limit: float

    @property
    def points(self) -> int:
        """What creating those costs that were not made before."""
        return WRITE_POINTS * sum(number is None for _, _, number in self.sets)


def rehearse(
    parts: Parts, *, asked: Iterable[tuple[Part, NewIntent]], wanted: Wanted, split: Split
) -> Rehearsed:
    """Say what would become of each set. Raises WrongUse for a key of another file."""
    with parts.database.reading() as session:
        ledger = points.read(session, wanted.account_id)
    return Rehearsed(
        wanted.account_id,
        sets=[(part, intent.name, _find(parts, intent)) for part, intent in asked],
        ads=split.ads,
        points_used=ledger.score.at(parts.now()),
        points_limit=ledger.score.limit,
    )


def _find(parts: Parts, intent: NewIntent) -> int | None:
    try:
        with parts.database.reading() as session:
            return twins.find_earlier(session, intent)
    except KeyReused as reused:
        raise WrongUse(sent_before.in_words(reused.request_set_id)) from reused


def show(rehearsed: Rehearsed, *, as_json: bool) -> None:
    """Print what would be sent."""
    if as_json:
        click.echo(json.dumps(_document(rehearsed), indent=2))
    else:
        _print(Console(), rehearsed)


def _document(rehearsed: Rehearsed) -> dict[str, Any]:
    return {
        "account": f"act_{rehearsed.account_id}",
        "ads": rehearsed.ads,
        "points": rehearsed.points,
        "points_used": round(rehearsed.points_used, 1),
        "points_limit": rehearsed.points_limit,
        "sets": [
            {
                "part": part.number,
                "number": number,
                "name": name,
                "first_row": part.first_row,
                "last_row": part.last_row,
                "ads": part.ads,
            }
            for part, name, number in rehearsed.sets
        ],
    }


def _print(console: Console, rehearsed: Rehearsed) -> None:
    table = Table("name", "rows", "ads", "made before as", box=SIMPLE_HEAD)
    for part, name, number in rehearsed.sets:
        made = "" if number is None else f"set {number}"
        table.add_row(Text(name), f"{part.first_row} to {part.last_row}", str(part.ads), made)
    console.print(table)
    made_before = sum(number is not None for _, _, number in rehearsed.sets)
    click.echo(
        f"{number_of(rehearsed.ads, 'ad')} in {number_of(len(rehearsed.sets), 'set')} for "
        f"act_{rehearsed.account_id}; {made_before} made before are joined. Creating the others "
        f"costs {number_of(rehearsed.points, 'point')}; {rehearsed.points_used:.0f} of "
        f"{rehearsed.points_limit:.0f} are used now. Nothing was sent."
    )
