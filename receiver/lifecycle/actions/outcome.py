"""How an action ends."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """The action cannot be done to what it was asked for; the message says why, and what can."""


@dataclass(frozen=True)
class Done:
    """What was done, in words; ``request_set_id`` is a set that came of it."""

    note: str
    request_set_id: int | None = None
