"""Whether the broker answers: asked seldom, and waited for by nobody for long."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from receiver.broker.connection import BrokerAway
from receiver.web.context import waiting_messages

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class BrokerState:
    """``waiting_messages`` is how many no worker has taken yet; None where it does not answer."""

    waiting_messages: int | None

    @property
    def answers(self) -> bool:
        return self.waiting_messages is not None


def broker_state() -> BrokerState | None:
    """Return how it stands with the broker, or None where none is set. It raises nothing."""
    reading = waiting_messages()
    if reading is None:
        return None
    try:
        return BrokerState(reading.get(timeout_seconds=_PATIENCE_SECONDS))
    except BrokerAway as away:
        log.warning("The broker is away", reason=str(away))
    except TimeoutError:
        log.warning("The broker did not answer in time")
    return BrokerState(None)
