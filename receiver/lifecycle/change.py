"""Change a set that Facebook has: tell it our URI, give it a name, cancel what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from receiver.graph.client import Credential
from receiver.graph.errors import CallFailed
from receiver.graph.score import WRITE_POINTS
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import keep_wait, note_usage
from receiver.store import intents
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet

log = structlog.get_logger(__name__)


def notification_uri(tools: Tools, token: str) -> str:
    """Return the URL that Facebook notifies of the attempt that a token names."""
    return f"{tools.public_url}/notifications/{token}"


def tell_uri(
    tools: Tools, credential: Credential, attempt: Attempt, *, account_id: int, facebook_id: int
) -> bool:
    """Tell Facebook our URI of a set whose create took none. Returns whether it knows it now.

    What goes wrong is only logged: the set is looked at without a notification too, and told again.
    """
    token = tools.keys.sign_token(intent=attempt.request_set_id, attempt=attempt.number)
    try:
        answered = tools.client.tell_uri(
            credential,
            facebook_id,
            notification_uri=notification_uri(tools, token),
            secrets=(token,),
        )
    except CallFailed as error:
        keep_wait(tools, account_id, error)
        log.warning(
            "Facebook does not know a set's notification_uri yet",
            request_set_id=attempt.request_set_id,
            reason=str(error),
            fbtrace_id=error.fbtrace_id,
        )
        return False
    note_usage(tools, account_id, answered.usage)
    with tools.database.writing() as session:
        intents.know_uri(session, attempt.request_set_id)
    return True


def rename(tools: Tools, request_set: RequestSet, *, name: str) -> None:
    """Give a set another name, at Facebook with our tag behind it, and here.

    Raises NoPoints, CallFailed, CannotOpen, DatabaseAway. Called again, it changes nothing more.
    """
    reserve(tools, request_set.account_id, cost=WRITE_POINTS, purpose=Purpose.CREATE)
    token = tools.keys.sign_token(intent=request_set.id, attempt=request_set.attempt)
    tag = tools.keys.tag(token)
    with _keeping_wait(tools, request_set.account_id):
        answered = tools.client.rename_set(
            credential_of(tools, request_set.account_id),
            _facebook_id(request_set),
            name=name + tag,
            secrets=(tag.strip(),),
        )
    note_usage(tools, request_set.account_id, answered.usage)
    with tools.database.writing() as session:
        intents.rename(session, request_set.id, name=name)


def cancel(tools: Tools, request_set: RequestSet, *, request_id: int | None) -> None:
    """Cancel what is not processed yet of a set, or one request of it, and make the set due.

    Raises NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    reserve(tools, request_set.account_id, cost=WRITE_POINTS, purpose=Purpose.CREATE)
    object_id = _facebook_id(request_set) if request_id is None else request_id
    try:
        with _keeping_wait(tools, request_set.account_id):
            answered = tools.client.cancel(credential_of(tools, request_set.account_id), object_id)
        note_usage(tools, request_set.account_id, answered.usage)
    finally:
        # Whatever the answer was, or was not: something may have changed.
        with tools.database.writing() as session:
            intents.make_due(session, request_set.id, now=tools.now())
        tools.wake(request_set.account_id)


@contextmanager
def _keeping_wait(tools: Tools, account_id: int) -> Iterator[None]:
    """Keep what a refusal in the block says of the account's limits, and asks to wait."""
    try:
        yield
    except CallFailed as error:
        keep_wait(tools, account_id, error)
        raise


def _facebook_id(request_set: RequestSet) -> int:
    if request_set.facebook_id is None:
        raise ValueError("A set without Facebook's id cannot be changed.")
    return request_set.facebook_id
