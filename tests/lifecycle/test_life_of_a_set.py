"""The life of sets under everything that can happen to them, in any order."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from receiver.cli.demo.compare import StoredSet, compare
from receiver.lifecycle import step
from receiver.store import intents
from receiver.store.models import Account, Request, RequestSet
from tests.support.databases import fresh_database_url, require_postgres
from tests.support.house import ACCOUNT, House, ad, open_house

THROTTLED = 17
REFUSED = 400
CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}

_AFTER_OPEN = {intents.OPEN, intents.COMPLETED, intents.COLLECTED}
ALLOWED = {
    intents.SUBMITTING: {intents.SUBMITTING, intents.UNKNOWN, intents.REJECTED, *_AFTER_OPEN},
    intents.UNKNOWN: {intents.UNKNOWN, *_AFTER_OPEN},
    intents.REJECTED: {intents.REJECTED},
    intents.OPEN: _AFTER_OPEN,
    intents.COMPLETED: {intents.COMPLETED, intents.COLLECTED},
    intents.COLLECTED: {intents.COLLECTED},
}
"""Where a set may be after some work, by where it was before."""


@dataclass
class Made:
    """What the model knows of a set: whether Facebook has it, and what its caller heard."""

    exists: bool
    heard: int
    is_complete: bool = False


class LifeOfSets(RuleBasedStateMachine):
    """Callers, Facebook, strangers, workers and crashes around one receiver."""

    backend: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.stack.enter_context(fresh_database_url(self.backend, folder))
        self.house: House = self.stack.enter_context(open_house(url))
        self.house.sandbox.configure(
            f"act_{ACCOUNT}", progress={"kind": "by_hand"}, notification={"kind": "never"}
        )
        self.made: list[Made] = []
        self.states: dict[int, str] = {}

    @rule(ads=st.integers(1, 3), fails=st.booleans())
    def create(self, *, ads: int, fails: bool) -> None:
        self._create(ads, fails=fails, exists=True, heard=200)

    @rule(ads=st.integers(1, 3), kind=st.sampled_from(["commit_then_drop", "cut", "no_id"]))
    def create_and_lose_the_answer(self, ads: int, kind: str) -> None:
        self._create(ads, trouble={"kind": kind}, exists=True, heard=409)

    @rule(kind=st.sampled_from(["reset", "http_error"]))
    def create_in_vain(self, kind: str) -> None:
        self._create(1, trouble={"kind": kind}, exists=False, heard=409)

    @rule()
    def create_and_be_refused(self) -> None:
        self._create(1, trouble={"kind": "graph_error", "code": 100}, exists=False, heard=REFUSED)

    def _create(
        self,
        ads: int,
        *,
        exists: bool,
        heard: int,
        fails: bool = False,
        trouble: dict[str, Any] | None = None,
    ) -> None:
        name = "will fail" if fails else "fine"
        specs = [ad(f"{name} {number}") for number in range(ads)]
        if self._account_waits():
            # Refused before anything is written or sent: there is no set to follow.
            assert self.house.create(specs).get_json()["error"]["code"] == THROTTLED
            return
        if trouble is not None:
            self.house.sandbox.trouble(**trouble, **CREATE)
        assert self.house.create(specs).status_code == heard
        self.made.append(Made(exists=exists, heard=heard))

    def _account_waits(self) -> bool:
        (account,) = self.house.rows(Account)
        return account.resume_at is not None and account.resume_at > self.house.clock()

    @precondition(lambda self: self.existing())
    @rule(data=st.data())
    def notify(self, data: st.DataObject) -> None:
        """Facebook, or a stranger who knows the URL, posts whatever; complete or not."""
        assert self.house.notify(data.draw(st.sampled_from(self.existing()))).status_code == 200

    @precondition(lambda self: self.existing())
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        self.house.sandbox.complete(data.draw(st.sampled_from(self.existing())))

    @precondition(lambda self: self.existing())
    @rule(data=st.data())
    def progress(self, data: st.DataObject) -> None:
        self.house.sandbox.advance(data.draw(st.sampled_from(self.existing())), requests=1)

    @rule(
        code=st.sampled_from([THROTTLED, 100, 190]),
        path=st.sampled_from(["^[0-9]+$", "/requests$"]),
    )
    def let_a_read_fail(self, code: int, path: str) -> None:
        self.house.sandbox.trouble("graph_error", code=code, method="GET", path=path)

    @rule(seconds=st.sampled_from([1, 15, 61, 130, 1000]))
    def let_time_pass(self, seconds: int) -> None:
        self.house.clock.move(seconds)

    @rule()
    def work(self) -> None:
        self.house.work()

    @rule()
    def apply_hints(self) -> None:
        step.apply_hints(self.house.parts.tools)

    @rule()
    def crash_right_after_a_claim(self) -> None:
        step.claim_next(self.house.parts.tools)

    def existing(self) -> list[str]:
        return [entry["id"] for entry in self.house.sandbox.ledger()]

    @invariant()
    def states_move_along_the_diagram(self) -> None:
        for row in self.house.rows(RequestSet):
            assert row.state in ALLOWED[self.states.get(row.id, intents.SUBMITTING)]
            self.states[row.id] = row.state

    @invariant()
    def every_unfinished_set_is_due_some_time(self) -> None:
        for row in self.house.rows(RequestSet):
            finished = row.state in (intents.COLLECTED, intents.REJECTED)
            assert finished or row.look_at is not None

    @invariant()
    def nothing_is_doubled_and_nobody_is_told_a_lie(self) -> None:
        rows = self.house.rows(RequestSet)
        assert len(rows) == len(self.made)
        assert len(self.existing()) == sum(made.exists for made in self.made)
        for row, made in zip(rows, self.made, strict=True):
            assert made.exists or row.state in (intents.UNKNOWN, intents.REJECTED)
            assert (row.state == intents.REJECTED) == (made.heard == REFUSED)

    def teardown(self) -> None:
        try:
            self._everything_is_collected_in_the_end()
        finally:
            self.stack.close()

    def _everything_is_collected_in_the_end(self) -> None:
        for set_id in self.existing():
            self.house.sandbox.complete(set_id)
        # Each trouble takes one call, and each of them puts everything off once at the most.
        for _ in range(60):
            self.house.clock.move(1000)
            self.house.work()
            if self._found() == {intents.COLLECTED}:
                break
        self.states_move_along_the_diagram()
        self.nothing_is_doubled_and_nobody_is_told_a_lie()
        compared = compare(self.house.sandbox.ledger(), self._stored(), intent_of=self._intent_of)
        in_vain = [made for made in self.made if not made.exists and made.heard == 409]
        assert (compared.missing, compared.doubled) == (len(in_vain), 0), compared.findings

    def _found(self) -> set[str]:
        rows = zip(self.house.rows(RequestSet), self.made, strict=True)
        return {row.state for row, made in rows if made.exists} or {intents.COLLECTED}

    def _stored(self) -> list[StoredSet]:
        requests: dict[int, dict[str, tuple[str, Any]]] = {}
        for row in self.house.rows(Request):
            result = None if row.result is None else json.loads(row.result)
            requests.setdefault(row.request_set_id, {})[str(row.id)] = (row.status, result)
        return [
            StoredSet(row.id, row.facebook_id, row.state, requests.get(row.id, {}))
            for row in self.house.rows(RequestSet)
        ]

    def _intent_of(self, uri: str) -> int | None:
        token = self.house.parts.keys.token_in_uri(uri)
        return None if token is None else token.intent


class LifeOnSQLite(LifeOfSets):
    backend = "sqlite"


class LifeOnPostgreSQL(LifeOfSets):
    backend = "postgresql"


def live(machine: type[LifeOfSets], *, examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_set_lives_as_the_diagram_says_whatever_happens() -> None:
    live(LifeOnSQLite, examples=12)


def test_a_set_lives_so_on_postgresql_too() -> None:
    require_postgres()
    live(LifeOnPostgreSQL, examples=4)
