"""What an examination found, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from receiver.logs import scrub


class State(StrEnum):
    """How it stands with what was examined."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of a report. ``advice`` says what to do, and is empty where there is nothing."""

    check: str
    state: State
    found: str
    advice: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done; what could not be examined is shown elsewhere."""
        return self.state in (State.OK, State.SKIPPED)

    def as_json(self) -> dict[str, str]:
        """Return it without any secret, whoever's words it repeats."""
        texts = {"check": self.check, "found": self.found, "advice": self.advice}
        return {"state": self.state.value} | {name: scrub(text) for name, text in texts.items()}


@dataclass(frozen=True)
class Step:
    """One part of an examination: what it is about, and what makes its findings."""

    title: str
    examine: Callable[[], list[Finding]]


def well(check: str, found: str) -> Finding:
    return Finding(check, State.OK, found)


def skipped(check: str, found: str) -> Finding:
    return Finding(check, State.SKIPPED, found)


def warning(check: str, found: str, *, advice: str) -> Finding:
    return Finding(check, State.WARNING, found, advice)


def failed(check: str, found: str, *, advice: str) -> Finding:
    return Finding(check, State.FAILED, found, advice)
