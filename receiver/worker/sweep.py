"""What goes on beside Celery: accounts are found that have work due, and workers woken for them.

A message may be lost, and most of what becomes due does so by the clock, which sends none. Any
number of machines may sweep: one message too many finds nothing to do.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from receiver.broker.connection import MOST_MESSAGES, Broker, BrokerAway
from receiver.lifecycle.tools import Tools
from receiver.metrics import WAKES
from receiver.store import due

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 1.0

PATIENCE = timedelta(seconds=5)
"""How long Celery has for what is due, before the loop beside it takes it."""


class Sweep:
    """Wakes workers for what is due, as far as the queue is not full of it already.

    An account waits there once for each sweep, not once a second: what comes later would wait for
    all of it. Should its message be lost meanwhile, the loop takes its steps.
    """

    def __init__(self, tools: Tools, broker: Broker) -> None:
        self._tools = tools
        self._broker = broker
        self._is_away = False
        self._sent: set[int] = set()

    def wake_due(self) -> bool:
        """Send a message for each account that has work due. Raises DatabaseAway.

        Returns False: there is nothing more to do before the next interval.
        """
        now = self._tools.now()
        with self._tools.database.reading() as session:
            account_ids = due.accounts(session, now=now, most=MOST_MESSAGES)
        try:
            self._send(account_ids)
        except BrokerAway as away:
            if not self._is_away:
                log.warning("The broker is away: the sweep does the work", reason=str(away))
            self._is_away = True
        else:
            self._is_away = False
        return False

    def _send(self, account_ids: list[int]) -> None:
        """Send those that were not sent yet; and all again once fewer wait than have work due.

        What is longest due comes first, as far as the queue has room.
        """
        waiting = self._broker.count_waiting()
        self._sent &= set() if waiting < len(account_ids) else set(account_ids)
        unsent = [account_id for account_id in account_ids if account_id not in self._sent]
        for account_id in unsent[: max(0, MOST_MESSAGES - waiting)]:
            self._broker.send(account_id)
            self._sent.add(account_id)
            WAKES.labels("sent").inc()
