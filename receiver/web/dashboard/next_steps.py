"""What a person has to do next, by the numbers that the overview shows (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from receiver.web.admin.documents import Account, Integrity
from receiver.web.dashboard import words

_LATE_LOOK_SECONDS = 120
_TOO_MANY_LOST = 0.1
_ENOUGH_SETS = 10
_DOUBLED_SHOWN = 5


@dataclass(frozen=True)
class Step:
    """Something to do: what it is about, what to do, and the page that helps.

    That page is an endpoint with its parameters; without one there is none.
    """

    tone: str
    what: str
    do: str
    label: str = ""
    endpoint: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_of_one_set(self) -> bool:
        """Whether the page is that of one set, and not a list."""
        return self.endpoint == "dashboard.request_set"


def summary(integrity: Integrity) -> str:
    """Say the two numbers that must be zero in a sentence."""
    if integrity.missing == integrity.doubled == 0:
        return "Nothing is missing, nothing is doubled"
    missing, doubled = words.capped(integrity.missing), words.capped(integrity.doubled)
    return f"{missing} missing, {doubled} doubled"


def steps(
    integrity: Integrity,
    accounts: Sequence[Account],
    *,
    oldest_due: float | None,
    has_worker: bool,
    has_broker: bool,
) -> list[Step]:
    """Return what has to be done, the worst first; ``oldest_due`` is in seconds.

    ``has_broker`` is False only where one is set and does not answer.
    """
    return [
        *_doubled(integrity),
        *_missing(integrity),
        *_without_worker(has_worker=has_worker),
        *_stuck(integrity),
        *_waiting(oldest_due),
        *_without_broker(has_broker=has_broker),
        *_parked(accounts),
        *_late(integrity),
        *_blocked(accounts),
        *_lost(accounts),
    ]


def _doubled(integrity: Integrity) -> Iterator[Step]:
    for row in integrity.rows["doubled"][:_DOUBLED_SHOWN]:
        yield Step(
            "danger",
            f"Set {row['id']} is doubled.",
            f"Cancel or delete at Facebook what is too much: {', '.join(row['found_sets'])}.",
            "Show it",
            "dashboard.request_set",
            {"number": row["id"]},
        )


def _missing(integrity: Integrity) -> Iterator[Step]:
    if integrity.missing:
        yield Step(
            "danger",
            f"{words.counted_to_cap(integrity.missing, 'set')} missing.",
            "Each says on its page what it waits for.",
            "Show them",
            "dashboard.request_sets",
            {"late": "true"},
        )


def _without_worker(*, has_worker: bool) -> Iterator[Step]:
    if not has_worker:
        yield Step(
            "danger",
            "No worker is alive.",
            "Notifications are kept, and nothing is collected: start 'receiver worker', or read "
            "its log.",
        )


def _without_broker(*, has_broker: bool) -> Iterator[Step]:
    if not has_broker:
        yield Step(
            "warning",
            "The broker does not answer.",
            "Nothing is lost: the workers find what is due by themselves, some seconds later. See "
            "that it runs, and what 'receiver doctor' says of it.",
        )


def _stuck(integrity: Integrity) -> Iterator[Step]:
    if integrity.stuck:
        yield Step(
            "danger",
            f"{words.counted_to_cap(integrity.stuck, 'set')} stuck.",
            "Look at Facebook whether it is there; then adopt it, or give it up.",
            "Show them",
            "dashboard.request_sets",
            {"state": "stuck"},
        )


def _waiting(oldest_due: float | None) -> Iterator[Step]:
    if oldest_due is not None and oldest_due > _LATE_LOOK_SECONDS:
        yield Step(
            "danger",
            f"A set has waited {words.duration(oldest_due)} to be looked at.",
            "See whether a worker runs: 'receiver doctor' tells.",
        )


def _parked(accounts: Sequence[Account]) -> Iterator[Step]:
    for account in accounts:
        if account.health == "parked":
            yield Step(
                "danger",
                f"act_{account.account_id} is parked.",
                account.reason or "",
                "Ask again",
                "dashboard.accounts",
            )


def _blocked(accounts: Sequence[Account]) -> Iterator[Step]:
    for account in accounts:
        if account.health == "waiting":
            yield Step(
                "warning",
                f"act_{account.account_id} has to wait.",
                f"{account.reason or ''} Its sets go on by themselves after that.".lstrip(),
                "Show it",
                "dashboard.accounts",
            )


def _late(integrity: Integrity) -> Iterator[Step]:
    if integrity.late:
        yield Step(
            "warning",
            f"{words.counted_to_cap(integrity.late, 'set')} late.",
            "Facebook is asked until every result is here: see whether the account waits.",
            "Show them",
            "dashboard.request_sets",
            {"late": "true"},
        )


def _lost(accounts: Sequence[Account]) -> Iterator[Step]:
    """Name the accounts whose notifications do not come: nothing is lost, and all comes later."""
    shares = [
        f"{100 * one.loss_rate:.0f} % of act_{one.account_id}"
        for one in accounts
        if one.loss_rate > _TOO_MANY_LOST and one.sets_learned_from >= _ENOUGH_SETS
    ]
    if shares:
        yield Step(
            "warning",
            "Some notifications do not come.",
            f"Of the newest, {', '.join(shares)}; their results were asked for. See that "
            "Facebook reaches the public URL from outside, and what 'receiver doctor' finds there.",
            "Show them",
            "dashboard.request_sets",
            {"verdict": "lost,failed"},
        )
