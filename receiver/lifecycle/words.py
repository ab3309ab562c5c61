"""States, verdicts and advice in words for people (pure)."""

from __future__ import annotations

from datetime import datetime

from receiver.graph.errors import OUTCOME_UNKNOWN_CODES, Advice, advice
from receiver.lifecycle import verdict
from receiver.store import intents

STATES = {
    intents.SUBMITTING: "It is on its way to Facebook, or its sender ended on the way.",
    intents.UNKNOWN: "Facebook was asked to create it. What became of that is being found out: "
    "do not send it again.",
    intents.REJECTED: "There is no such set: Facebook refused it, or nothing was sent.",
    intents.OPEN: "Facebook has it and works on it.",
    intents.COMPLETED: "Facebook is done with it; its results are being collected.",
    intents.COLLECTED: "Every result is here.",
    intents.STUCK: "It cannot be found out what became of it: a person has to look.",
}

_ABANDONED = "A person gave it up: it is never sent again."


def state_in_words(state: str, *, abandoned_at: datetime | None) -> str:
    """Say what the state of a set means, and of a rejected one, who rejected it.

    A set that was given up may be opened all the same, once Facebook proves to have it.
    """
    if state == intents.REJECTED and abandoned_at is not None:
        return _ABANDONED
    # A newer version beside this one may know more states.
    return STATES.get(state, state)


VERDICTS = {
    verdict.PENDING: "It is not known yet what becomes of Facebook's notification.",
    verdict.DELIVERED: "Facebook's notification came.",
    verdict.FAILED: "Facebook's notification failed; the results were looked for.",
    verdict.LOST: "Facebook says that it notified us, and nothing came; the results were looked "
    "for.",
    verdict.NONE: "Facebook was not asked for a notification.",
}

ADVICE = {
    Advice.RETRY: "It often passes: send these ads again.",
    Advice.WAIT: "Send these ads again later.",
    Advice.ASK_A_PERSON: "A person has to act first: see what it says of the token or permission.",
    Advice.NEVER_REPEAT: "Sent again as they are they fail again: change the ads.",
}

_OUTCOME_UNKNOWN = (
    "Facebook itself does not know whether the ad was made: look at the ads there before you send "
    "it again."
)


def advice_on(code: int | None, subcode: int | None = None) -> str:
    """Say what to do about a request that failed with an error."""
    if code in OUTCOME_UNKNOWN_CODES:
        return _OUTCOME_UNKNOWN
    return ADVICE[advice(code, subcode, is_transient=False, http_status=400)]
