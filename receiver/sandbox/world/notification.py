"""What Facebook knows of a set's notification: its status, its result, the attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

NOT_SENT = "NOT_SENT"
SENDING = "SENDING"
SENT = "SENT"


@dataclass(frozen=True)
class Attempt:
    """One HTTP call to a notification URI; ``status`` is the answer's, or a short error word."""

    time: datetime
    uri: str
    status: str
    response: str


@dataclass
class Notification:
    """What is known of a set's notification. ``result`` is absent until it was attempted."""

    status: str = NOT_SENT
    result: dict[str, str] | None = None
    attempts: list[Attempt] = field(default_factory=list)

    def finish(self, *, status: str, response: str) -> None:
        """Note the end of an attempt. There is no status for a failed one: it is SENT as well."""
        self.status = SENT
        self.result = {"status": status, "response": response}
