"""Send the sets of a file one after the other: wait where Facebook asks to, join what was made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from receiver.cli.interruption import Interrupted, Interruption
from receiver.cli.set import sent_before
from receiver.cli.set.splitting import Part, Split
from receiver.cli.spec_files import BadFile
from receiver.crypto import CannotOpen
from receiver.graph.errors import Advice, GraphError, NotSent
from receiver.lifecycle import plan, twins
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.submit import AskedBefore, OutcomeUnknown, Rejected, submit
from receiver.lifecycle.tools import Tools
from receiver.store import intents, progress, waits
from receiver.store.database import DatabaseAway
from receiver.store.intents import NewIntent
from receiver.store.progress import SetProgress
from receiver.store.twins import KeyReused

NOT_SENT = "not_sent"
"""The state of a set that nobody tried to send: SQL knows nothing of it."""

_PAUSES_SECONDS = (2.0, 10.0)
"""After how long a refusal that passes by itself is tried again: twice, and then it stands."""


@dataclass(frozen=True)
class Result:
    """What became of one set; ``is_joined`` is one that was made when it was asked for before."""

    part: Part
    state: str
    request_set_id: int | None = None
    facebook_id: int | None = None
    reason: str | None = None
    is_joined: bool = False
    progress: SetProgress | None = None

    @property
    def is_unresolved(self) -> bool:
        """Whether nobody knows whether Facebook has it: it is being found out."""
        return self.state in intents.WITHOUT_OUTCOME

    @property
    def is_lost(self) -> bool:
        """Whether there is no such set."""
        return self.state in (intents.REJECTED, NOT_SENT)


@dataclass(frozen=True)
class Report:
    """What became of every set of a file, and why the sending ended before the last of them."""

    results: list[Result] = field(default_factory=list)
    stopped_by: str | None = None
    is_interrupted: bool = False

    @property
    def numbers(self) -> list[int]:
        """Our own numbers of the sets that were made or may have been."""
        return [
            one.request_set_id
            for one in self.results
            if one.request_set_id is not None and not one.is_lost
        ]

    @property
    def is_whole(self) -> bool:
        """Whether every set was tried."""
        return all(one.state != NOT_SENT for one in self.results)


class View(Protocol):
    """Whoever shows a person how the sending comes along."""

    def show(self, result: Result) -> None:
        """A set has come to its end here."""

    def wait(self, reason: str, until: datetime | None) -> None:
        """Nothing is sent until then, and why; None: it goes on."""


class _Stopped(Exception):
    """Nothing more can be sent; the message says why."""


def send_all(
    tools: Tools,
    asked: Iterable[tuple[Part, NewIntent]],
    split: Split,
    *,
    view: View,
    interruption: Interruption,
) -> Report:
    """Create the sets of a file at Facebook, in their order.

    What was asked for before under the same key is joined; what is refused for good, or whose
    outcome is not known, does not keep the others from being sent. The sending ends early where
    none of the others could fare better, and when it is interrupted: never during a call.
    """
    sender = _Sender(tools, view, interruption)
    results: list[Result] = []
    report = Report()
    try:
        for part, intent in asked:
            results.append(sender.send(part, intent))
            view.show(results[-1])
            sender.raise_if_stopped()
    except (Interrupted, KeyboardInterrupt):
        report = replace(report, is_interrupted=True)
        results += sender.under_way()
    except (_Stopped, BadFile, CannotOpen, DatabaseAway) as stopped:
        report = replace(report, stopped_by=str(stopped))
    unsent = [Result(part, NOT_SENT) for part in split.parts[len(results) :]]
    return replace(report, results=results + unsent)


class _Sender:
    def __init__(self, tools: Tools, view: View, interruption: Interruption) -> None:
        self._tools = tools
        self._view = view
        self._interruption = interruption
        self._sending: tuple[Part, NewIntent] | None = None
        self._stop_reason: str | None = None

    def raise_if_stopped(self) -> None:
        """Raise _Stopped where the last refusal would meet every other set too."""
        if self._stop_reason is not None:
            raise _Stopped(self._stop_reason)

    def under_way(self) -> list[Result]:
        """Return what is known of the set whose call was torn apart, if it was written down."""
        if self._sending is None:
            return []
        part, intent = self._sending
        with suppress(Exception):
            number = twins.find_earlier(self._tools, intent)
            return [] if number is None else [self._join(part, number, is_joined=False)]
        return []

    def send(self, part: Part, intent: NewIntent) -> Result:
        """Create one set, as often as it takes. Raises Interrupted, _Stopped, DatabaseAway."""
        pauses = iter(_PAUSES_SECONDS)
        while True:
            self._interruption.check()
            found = self._find(intent)
            if found is not None:
                return self._join(part, found)
            self._await_turn(intent.account_id)
            try:
                return self._submit(part, intent)
            except NoPoints as full:
                self._pause(str(full), until=full.resume_at)
            except Rejected as refusal:
                pause_seconds = self._pause_after(refusal, pauses=pauses)
                if pause_seconds is None:
                    return self._refused(part, refusal)
                self._interruption.sleep(pause_seconds)

    def _find(self, intent: NewIntent) -> int | None:
        try:
            return twins.find_earlier(self._tools, intent)
        except KeyReused as reused:
            raise _Stopped(sent_before.in_words(reused.request_set_id)) from reused

    def _submit(self, part: Part, intent: NewIntent) -> Result:
        """Send one set once. Raises NoPoints and Rejected."""
        self._sending = (part, intent)
        try:
            done = submit(self._tools, intent)
        except AskedBefore as before:
            result = self._join(part, before.request_set_id)
        except KeyReused as reused:
            raise _Stopped(sent_before.in_words(reused.request_set_id)) from reused
        except OutcomeUnknown as unknown:
            result = Result(part, intents.UNKNOWN, unknown.request_set_id, reason=unknown.reason)
        else:
            result = Result(part, intents.OPEN, done.request_set_id, done.facebook_id)
        self._sending = None
        return result

    def _join(self, part: Part, number: int, *, is_joined: bool = True) -> Result:
        outcome = twins.await_outcome(self._tools, number, seconds=0)
        return Result(
            part,
            outcome.state,
            number,
            outcome.facebook_id,
            reason=outcome.state_reason,
            is_joined=is_joined,
        )

    def _await_turn(self, account_id: int) -> None:
        """Wait as long as Facebook asked to. Raises _Stopped where only a person ends the wait."""
        while True:
            now = self._tools.now()
            with self._tools.database.reading() as session:
                wait = waits.of_account(session, account_id, now=now)
            if wait is None:
                return
            if wait.parked_reason is not None:
                raise _Stopped(wait.parked_reason)
            self._pause("Facebook asked to wait.", until=wait.resume_at)

    def _pause(self, reason: str, *, until: datetime) -> None:
        self._view.wait(reason, until)
        while (left := (until - self._tools.now()).total_seconds()) > 0:
            self._interruption.sleep(left)
        self._view.wait("", None)

    def _pause_after(self, refusal: Rejected, *, pauses: Iterable[float]) -> float | None:
        """Return after how many seconds a refused set is sent again; None for never.

        Facebook has nothing of it, so it is the first of its kind again.
        """
        self._sending = None
        cause = refusal.cause
        wait = plan.wait_after(cause, now=self._tools.now())
        if wait is not None and wait.parked_reason is None:
            self._pause(str(cause), until=wait.resume_at)
            return 0.0
        if _passes(cause):
            return next(iter(pauses), None)
        return None

    def _refused(self, part: Part, refusal: Rejected) -> Result:
        reason = str(refusal.cause)
        if isinstance(refusal.cause, NotSent):
            self._stop_reason = f"Facebook cannot be reached: {reason}"
        elif isinstance(refusal.cause, GraphError) and refusal.cause.advice is Advice.ASK_A_PERSON:
            self._stop_reason = f"A person has to act first: {reason}"
        return Result(part, intents.REJECTED, refusal.request_set_id, reason=reason)


def _passes(cause: Exception) -> bool:
    """Tell whether a refusal may pass by itself within seconds."""
    is_short = isinstance(cause, GraphError) and cause.advice is Advice.RETRY
    return is_short or isinstance(cause, NotSent)


def refreshed(tools: Tools, report: Report) -> Report:
    """Return the report with what SQL knows by now; as it is where the database is away."""
    numbers = [one.request_set_id for one in report.results if one.request_set_id is not None]
    try:
        with tools.database.reading() as session:
            known = {one.id: one for one in progress.of_sets(session, numbers)}
    except DatabaseAway:
        return report
    return with_progress(report, known.values())


def with_progress(report: Report, rows: Iterable[SetProgress]) -> Report:
    """Return the report with how far its sets are."""
    known = {row.id: row for row in rows}
    results = [
        _moved_on(one, known[one.request_set_id]) if one.request_set_id in known else one
        for one in report.results
    ]
    return replace(report, results=results)


def _moved_on(result: Result, row: SetProgress) -> Result:
    return replace(
        result,
        state=row.state,
        facebook_id=row.facebook_id,
        reason=row.state_reason or (result.reason if row.state == result.state else None),
        progress=row,
    )
