"""Wake workers without waiting: a hand-over to a thread that does."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Protocol

import structlog

from receiver.broker.connection import BrokerAway
from receiver.metrics import WAKES

log = structlog.get_logger(__name__)

MOST_WAITING = 1000
_PAUSE_SECONDS = 1.0


class Sender(Protocol):
    """What a wake is sent with."""

    def send(self, account_id: int) -> None:
        """Tell the workers that an account has work due. Raises BrokerAway."""

    def has_room(self) -> bool:
        """Tell whether one message more is worth sending. Raises BrokerAway."""

    def close(self) -> None:
        """Close the connection."""


class Waker:
    """Hands accounts to a thread that sends them, which the first one starts.

    An account that waits to be sent waits once. Where the broker is away or full, or the thread
    cannot keep up, wakes are dropped: a sweep finds the work a moment later.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._changed = threading.Condition()
        self._waiting: dict[int, None] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_away = False

    def wake(self, account_id: int) -> None:
        """Hand an account over. It takes microseconds, and raises nothing."""
        with self._changed:
            if self._is_closed or account_id in self._waiting:
                return
            if len(self._waiting) >= MOST_WAITING:
                WAKES.labels("dropped").inc()
                return
            self._waiting[account_id] = None
            self._changed.notify()
            if self._thread is None:
                # Where no thread can be started, the next wake tries again.
                with suppress(RuntimeError):
                    self._thread = self._start()

    def _start(self) -> threading.Thread:
        # It must not keep a process from its end.
        thread = threading.Thread(target=self._run, name="waker", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Take nothing more, and give what still waits a moment to be sent."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_PAUSE_SECONDS)

    def _run(self) -> None:
        while (account_id := self._next()) is not None:
            try:
                has_room = self._sender.has_room()
                if has_room:
                    self._sender.send(account_id)
            except BrokerAway as away:
                self._drop(str(away))
            else:
                WAKES.labels("sent" if has_room else "dropped").inc()
                self._note_answer()
        self._sender.close()

    def _next(self) -> int | None:
        """Return what has waited for longest, or None once nothing more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            account_id = next(iter(self._waiting), None)
            if account_id is not None:
                del self._waiting[account_id]
            return account_id

    def _note_answer(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("The broker answers again")

    def _drop(self, reason: str) -> None:
        """Drop what waits, and leave the broker alone for a moment."""
        with self._changed:
            WAKES.labels("dropped").inc(1 + len(self._waiting))
            self._waiting.clear()
            if not self._is_away:
                self._is_away = True
                log.warning(
                    "The broker is away: workers find their work by sweeping", reason=reason
                )
            self._changed.wait_for(lambda: self._is_closed, timeout=_PAUSE_SECONDS)
