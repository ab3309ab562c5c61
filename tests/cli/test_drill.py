from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest

from receiver.cli.drill.audit import Audit, Heard, Rows, SetRow, audit
from receiver.cli.drill.report import unmet_floors
from receiver.cli.drill.rows import read_rows, refuse_used
from receiver.cli.drill.stage import TROUBLES
from tests.support.house import House, ad

URI = "http://r/notifications/0a1b2c3d.7.1.AAAAAAAAAAAAAAAAAAAAAA"


def entry(**values: Any) -> dict[str, Any]:
    """A set of the ledger, with one result and one notification that was answered."""
    return {
        "id": "100",
        "name": "a [rcv:7.1.AbCdEfGh]",
        "requests": [{"id": "101", "status": "SUCCESS", "result": {"id": "5"}}],
        "notification_attempts": [{"uri": URI, "status": 200}],
        **values,
    }


def rows(**values: Any) -> Rows:
    held: dict[str, Any] = {
        "sets": [SetRow(7, 100, "collected", "a")],
        "requests": {7: {"101": ("SUCCESS", {"id": "5"})}},
        "notifications": {(7, 1): 1},
        **values,
    }
    return Rows(**held)


HEARD = [Heard("a", "100")]
COLLECTED = SetRow(7, 100, "collected", "a")


def numbers(found: Audit) -> tuple[int, int, int, int]:
    return len(found.lost), len(found.missing), len(found.doubled), len(found.stuck)


def test_what_agrees_is_whole() -> None:
    found = audit([entry()], rows(), HEARD)
    assert (numbers(found), found.is_whole) == ((0, 0, 0, 0), True)
    assert (found.sets, found.requests, found.notifications) == (1, 1, 1)


@pytest.mark.parametrize(
    ("ledger", "held", "heard", "expected"),
    [
        ([entry()], rows(notifications={}), HEARD, (1, 0, 0, 0)),
        ([entry()], rows(requests={}), HEARD, (1, 0, 0, 0)),
        ([entry()], rows(requests={7: {"101": ("ERROR", None)}}), HEARD, (1, 0, 0, 0)),
        ([entry()], rows(sets=[]), HEARD, (0, 1, 0, 0)),
        ([entry()], rows(sets=[SetRow(7, 100, "open", "a")]), HEARD, (0, 1, 0, 0)),
        (
            [entry()],
            rows(sets=[SetRow(7, 100, "collected", "a"), SetRow(8, None, "unknown", "b")]),
            HEARD,
            (0, 1, 0, 0),
        ),
        (
            [entry()],
            rows(sets=[SetRow(7, 100, "collected", "a"), SetRow(8, None, "stuck", "b")]),
            HEARD,
            (0, 1, 0, 1),
        ),
        ([entry()], rows(), [Heard("a", "999")], (1, 0, 0, 0)),
        ([entry()], rows(), [Heard("a", None)], (0, 1, 0, 0)),
        ([entry()], rows(), [*HEARD, Heard("b", "100")], (1, 1, 0, 0)),
        ([entry(), entry(id="200", notification_attempts=[])], rows(), HEARD, (0, 1, 1, 0)),
    ],
)
def test_everything_that_is_wrong_is_found(
    ledger: list[dict[str, Any]], held: Rows, heard: list[Heard], expected: tuple[int, ...]
) -> None:
    assert numbers(audit(ledger, held, heard)) == expected


def test_a_notification_that_was_not_answered_2xx_may_be_missing() -> None:
    unanswered = entry(notification_attempts=[{"uri": URI, "status": 503}])
    assert audit([unanswered], rows(notifications={}), HEARD).is_whole


def test_what_the_databases_hold_is_read_past_all_code_of_ours(house: House) -> None:
    house.create_open([ad("one"), ad("will fail")])
    house.notify()
    house.work()
    url = house.parts.settings.database_url.get_secret_value()
    held = read_rows(url)
    assert audit(house.sandbox.ledger(), held, []).is_whole
    assert held.notifications == {(1, 1): 1}
    with pytest.raises(click.ClickException, match="holds sets"):
        refuse_used(url)


def test_an_empty_database_may_be_used(tmp_path: Path) -> None:
    refuse_used(f"sqlite:///{tmp_path / 'none.db'}")
    sqlite3.connect(tmp_path / "empty.db").close()
    refuse_used(f"sqlite:///{tmp_path / 'empty.db'}")


def test_a_quiet_drill_is_no_proof() -> None:
    enough = Counter(
        {
            f"{'create' if rule['method'] == 'POST' else 'read'} {rule['kind']}": 5
            for rule in TROUBLES
        }
    )
    assert unmet_floors(enough, None, minutes=5) == []
    assert len(unmet_floors(Counter(), None, minutes=5)) == len(enough)
    assert len(unmet_floors(enough, Counter(), minutes=5)) == 5
    assert unmet_floors(enough, None, minutes=6) != []
