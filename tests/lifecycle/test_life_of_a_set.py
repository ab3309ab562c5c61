"""The life of sets under everything that can happen to them, in any order."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from receiver.store.claims import Claim
from receiver.store.models import Account, Credential, Request, RequestSet
from tests.support.databases import fresh_database_url, require_postgres
from tests.support.house import ACCOUNT, SECRET_KEY, House, ad, open_house

THROTTLED = 17
TOKEN_OVER = 190
REFUSED = 400
CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}

_AFTER_OPEN = {intents.OPEN, intents.COMPLETED, intents.COLLECTED}
ALLOWED = {
    intents.SUBMITTING: {intents.SUBMITTING, intents.UNKNOWN, intents.REJECTED, *_AFTER_OPEN},
    intents.UNKNOWN: {intents.SUBMITTING, intents.UNKNOWN, *_AFTER_OPEN},
    intents.REJECTED: {intents.REJECTED},
    intents.OPEN: _AFTER_OPEN,
    intents.COMPLETED: {intents.COMPLETED, intents.COLLECTED},
    intents.COLLECTED: {intents.COLLECTED},
}
"""Where a set may be after some work, by where it was before."""

_MOST_DAYS_JUMPED = 2
"""What was looked for for three days by our clock is left to a person: another story.

All other time that may pass, in twenty steps and until all is collected, is less than a day.
"""


@dataclass
class Made:
    """What the model knows of a set: whether Facebook made it, and what its caller heard.

    One that was not made may be sent again later, once.
    """

    exists: bool
    heard: int


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
        self.paused: list[Claim] = []
        self.held: list[Thread] = []
        self.secret_keys = [SECRET_KEY]
        self.days_jumped = 0

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
        # No two are alike: one that is would be the same create while the other has no outcome.
        title = f"set {len(self.made)}"
        if self._account_waits():
            # Refused before anything is written or sent: there is no set to follow.
            refused = self.house.create(specs, name=title)
            assert refused.get_json()["error"]["code"] in (THROTTLED, TOKEN_OVER)
            return
        if trouble is not None:
            self.house.sandbox.trouble(**trouble, **CREATE)
        assert self.house.create(specs, name=title).status_code == heard
        self.made.append(Made(exists=exists, heard=heard))

    @precondition(lambda self: not self.held and not self._account_waits())
    @rule()
    def create_and_hear_of_it_late(self) -> None:
        """Facebook has it, and its answer does not come before ``hear_the_late_answer``."""
        self.house.sandbox.trouble("hold", effect="before", **CREATE)
        before = len(self.existing())
        title = f"set {len(self.made)}"
        caller = replace(self.house, client=self.house.client.application.test_client())
        thread = Thread(target=lambda: caller.create([ad("late")], name=title))
        thread.start()
        while len(self.existing()) == before:
            sleep(0.01)
        self.held.append(thread)
        self.made.append(Made(exists=True, heard=200))

    @precondition(lambda self: self.held)
    @rule()
    def hear_the_late_answer(self) -> None:
        self.house.sandbox.release()
        self.held.pop().join()

    def _account_waits(self) -> bool:
        waits = [self.house.rows(Account)[0].resume_at, self.house.rows(Credential)[0].resume_at]
        return any(each is not None and each > self.house.clock() for each in waits)

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
        code=st.sampled_from([1, THROTTLED, 100, TOKEN_OVER]),
        path=st.sampled_from(["^[0-9]+$", "/requests$"]),
    )
    def let_a_read_fail(self, code: int, path: str) -> None:
        self.house.sandbox.trouble("graph_error", code=code, method="GET", path=path)

    @rule(seconds=st.sampled_from([1, 15, 61, 130, 1000]))
    def let_time_pass(self, seconds: int) -> None:
        self.house.let_time_pass(seconds)

    @rule(seconds=st.sampled_from([-3600, -1]))
    def let_our_clock_jump_back(self, seconds: int) -> None:
        self.house.clock.move(seconds)

    @precondition(lambda self: self.days_jumped < _MOST_DAYS_JUMPED)
    @rule()
    def let_our_clock_jump_ahead(self) -> None:
        """Facebook's does not: a proof of absence must not come of it."""
        self.days_jumped += 1
        self.house.clock.move(86_400)

    @rule()
    def replace_the_token(self) -> None:
        """One that is out of date parks its account until then."""
        self.house.replace_token()

    @rule()
    def rotate_the_keys(self) -> None:
        self.secret_keys.insert(0, f"{len(self.secret_keys):032}")
        self.house.rotate_keys(*self.secret_keys)

    @precondition(lambda self: self.known())
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        set_id = data.draw(st.sampled_from(self.known()))
        form = {"name": f"renamed {len(self.made)}", "access_token": self.house.key}
        assert self.house.client.post(f"/{set_id}", data=form).status_code in (200, REFUSED)

    @precondition(lambda self: self.known())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        set_id = data.draw(st.sampled_from(self.known()))
        headers = {"Authorization": f"Bearer {self.house.key}"}
        answer = self.house.client.delete(f"/{set_id}", headers=headers)
        assert answer.status_code in (200, REFUSED)

    def known(self) -> list[str]:
        """The ids that a caller may have heard of."""
        rows = self.house.rows(RequestSet)
        return [str(row.facebook_id) for row in rows if row.facebook_id is not None]

    @rule()
    def pause_with_a_claim(self) -> None:
        claim = step.claim_next(self.house.parts.tools)
        if claim is not None:
            self.paused.append(claim)

    @precondition(lambda self: self.paused)
    @rule()
    def wake(self) -> None:
        """Whatever became of the claim meanwhile, its holder goes on as if nothing had been."""
        step.work_on(self.house.parts.tools, self.paused.pop())

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
            before = self.states.get(row.id, intents.SUBMITTING)
            assert row.state in ALLOWED[before], f"{before} became {row.state}"
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
        made_of = Counter(
            self._intent_of(e["notification_uri"]) for e in self.house.sandbox.ledger()
        )
        for row, made in zip(rows, self.made, strict=True):
            assert made_of[row.id] == 1 if made.exists else made_of[row.id] <= 1
            if not made.exists:
                assert made_of[row.id] == 0 or row.attempt > 1
            assert made_of[row.id] or row.state not in _AFTER_OPEN
            assert (row.state == intents.REJECTED) == (made.heard == REFUSED)

    def teardown(self) -> None:
        try:
            if self.held:
                self.hear_the_late_answer()
            while self.paused:
                self.wake()
            self._everything_is_collected_in_the_end()
        finally:
            self.stack.close()

    def _everything_is_collected_in_the_end(self) -> None:
        # Each trouble takes one call, and each of them puts everything off once at the most.
        for _ in range(60):
            self.house.replace_token()
            for entry in self.house.sandbox.ledger():
                if entry["completed_time"] is None:
                    self.house.sandbox.complete(entry["id"])
            self.house.let_time_pass(1000)
            self.house.work()
            if self._found() == {intents.COLLECTED}:
                break
        self.states_move_along_the_diagram()
        self.nothing_is_doubled_and_nobody_is_told_a_lie()
        compared = compare(self.house.sandbox.ledger(), self._stored(), intent_of=self._intent_of)
        waiting = [row for row in self.house.rows(RequestSet) if row.state == intents.UNKNOWN]
        assert (compared.missing, compared.doubled) == (len(waiting), 0), compared.findings

    def _found(self) -> set[str]:
        """The states of what Facebook has by now."""
        intents_there = {
            self._intent_of(e["notification_uri"]) for e in self.house.sandbox.ledger()
        }
        rows = self.house.rows(RequestSet)
        return {row.state for row in rows if row.id in intents_there} or {intents.COLLECTED}

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
            # What fails has twenty steps at the most; to find fewer of them takes many minutes.
            phases=[Phase.generate],
        ),
    )


def test_a_set_lives_as_the_diagram_says_whatever_happens() -> None:
    live(LifeOnSQLite, examples=12)


@pytest.mark.drill
def test_a_set_lives_so_on_postgresql_too() -> None:
    require_postgres()
    live(LifeOnPostgreSQL, examples=4)
