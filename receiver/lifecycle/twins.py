"""A create that is asked for again is the create that was asked for before, not a second one.

Most doubled ads come from a retry: the answer was lost, so the program sends the same again.
"""

from __future__ import annotations

import time

from receiver.lifecycle.tools import Tools
from receiver.store import twins
from receiver.store.intents import NewIntent
from receiver.store.twins import Outcome

_PAUSE_SECONDS = 0.1


def find_earlier(tools: Tools, intent: NewIntent) -> int | None:
    """Return the intent that a create asks for again; None for a new one.

    The create's key names it from now on. Raises KeyReused, DatabaseAway.
    """
    with tools.database.reading() as session:
        earlier = twins.find_earlier(session, intent)
    if earlier is not None and intent.idempotency_key is not None:
        with tools.database.writing() as session:
            twins.lock_account(session, intent.account_id)
            twins.keep_key(session, intent, earlier)
    return earlier


def await_outcome(tools: Tools, request_set_id: int, *, seconds: float) -> Outcome:
    """Return how an intent stands, as soon as that is decided or so many seconds have passed.

    Whoever submits it, or the worker that looks for it, writes the outcome. Raises DatabaseAway.
    """
    ends = tools.monotonic() + seconds
    while True:
        with tools.database.reading() as session:
            outcome = twins.outcome(session, request_set_id)
        if outcome.is_known or tools.monotonic() >= ends:
            return outcome
        time.sleep(_PAUSE_SECONDS)
