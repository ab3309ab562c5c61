"""A process is killed between every two effects: whatever was done, the next one ends it well."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from receiver.graph.client import GraphClient
from receiver.lifecycle.submit import OutcomeUnknown, submit
from receiver.store import intents
from receiver.store.intents import NewIntent
from receiver.store.models import Request, RequestSet
from tests.support.databases import fresh_database_url
from tests.support.house import ACCOUNT, House, ad, open_house

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}
MOST_EFFECTS = 200


class Killed(BaseException):
    """SIGKILL, as far as a test in one process can have it: nothing of the code catches it."""


class Effects:
    """Counts the commits and the calls to Facebook, and kills whoever does the chosen one."""

    def __init__(self, *, kill_at: int) -> None:
        self.done = 0
        self._kill_at = kill_at

    def count(self) -> None:
        self.done += 1
        if self.done == self._kill_at:
            raise Killed


@contextmanager
def counting(house: House, *, kill_at: int) -> Iterator[Effects]:
    """Let every commit and every call be an effect: before and behind each is a fault point."""
    effects = Effects(kill_at=kill_at)
    database = house.parts.database
    writing, send = database.writing, GraphClient._send

    @contextmanager
    def counted_writing() -> Iterator[Any]:
        effects.count()
        with writing() as session:
            yield session
        effects.count()

    def counted_send(*arguments: Any, **named: Any) -> Any:
        effects.count()
        answer = send(*arguments, **named)
        effects.count()
        return answer

    with (
        mock.patch.object(database, "writing", counted_writing),
        mock.patch.object(GraphClient, "_send", counted_send),
    ):
        yield effects


def live(house: House, *, kind: str | None, kill_at: int) -> int:
    """Create a set and a witness, and let time pass; return how many effects that had."""
    with counting(house, kill_at=kill_at) as effects:
        if kind is not None:
            house.sandbox.trouble(kind, **CREATE)
        with suppress(Killed, OutcomeUnknown):
            submit(house.parts.tools, intent("the set", ads=2))
        house.let_time_pass(1)
        # Where the first one was killed before it asked Facebook, this one is in trouble.
        with suppress(Killed, OutcomeUnknown):
            submit(house.parts.tools, intent("the witness"))
        for _ in range(10):
            house.let_time_pass(400)
            with suppress(Killed):
                house.work()
    return effects.done


def intent(name: str, *, ads: int = 1) -> NewIntent:
    specs = [ad("will fail" if number else "fine") for number in range(ads)]
    return NewIntent(
        account_id=ACCOUNT,
        api_key_id=None,
        name=name,
        ad_specs=json.dumps(specs).encode(),
        spec_count=ads,
        notification_uri=None,
        notification_mode="OFF",
    )


def assert_well(house: House) -> None:
    made = Counter(house.sandbox.set_names())
    assert set(made.values()) <= {1}, made
    rows = house.rows(RequestSet)
    assert {row.state for row in rows} <= {intents.COLLECTED, intents.UNKNOWN}
    assert len([row for row in rows if row.state == intents.COLLECTED]) == len(made)
    ids = {int(entry["id"]) for entry in house.sandbox.ledger()}
    assert {row.facebook_id for row in rows if row.facebook_id is not None} == ids
    real = {one["id"] for entry in house.sandbox.ledger() for one in entry["requests"]}
    assert {str(row.id) for row in house.rows(Request)} == real
    # Whatever had no outcome in the end has no witness; it is asked for for ever.
    assert all(row.look_at is not None for row in rows if row.state == intents.UNKNOWN)


KINDS = [None, "commit_then_drop", "reset"]


@pytest.mark.drill
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_some_effects_neither_loses_nor_doubles(tmp_path: Path, kind: str | None) -> None:
    kill_at_each(tmp_path, "sqlite", kind, stride=11)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_kill_between_any_two_effects_neither_loses_nor_doubles(
    tmp_path: Path, backend: str, kind: str | None
) -> None:
    kill_at_each(tmp_path, backend, kind, stride=1)


def kill_at_each(tmp_path: Path, backend: str, kind: str | None, *, stride: int) -> None:
    with fresh_database_url(backend, tmp_path) as url, open_house(url) as house:
        effects = live(house, kind=kind, kill_at=0)
        assert_well(house)
        assert 10 < effects < MOST_EFFECTS
    for kill_at in range(1, effects + 1, stride):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        with fresh_database_url(backend, folder) as url, open_house(url) as house:
            live(house, kind=kind, kill_at=kill_at)
            assert_well(house)
