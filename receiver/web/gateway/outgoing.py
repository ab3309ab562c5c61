"""A call to Facebook on the way: its slot, its credential, and what its answer says of limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace

import structlog

from receiver.graph.client import Credential
from receiver.graph.passing import Body, PassedAnswer, PassedCall
from receiver.graph.rewriting import Rewriting
from receiver.lifecycle.tools import unseal
from receiver.secret_forms import hide_tokens
from receiver.store import accounts
from receiver.store.database import DatabaseAway
from receiver.store.keys import Caller
from receiver.web.context import outgoing_slots, parts
from receiver.web.gateway import faults, limits
from receiver.web.slots import NoSlot

log = structlog.get_logger(__name__)


def credential_of(holder: Caller, *, account_id: int | None) -> Credential:
    """Return the credential of a key, to act on an account or on none.

    Raises CannotOpen, DatabaseAway.
    """
    with parts().database.reading() as session:
        sealed = accounts.find_credential(session, holder.credential_id)
    return unseal(parts().keys, sealed, account_id=account_id)


_holds_slot: ContextVar[bool] = ContextVar("holds a slot", default=False)


@contextmanager
def slot(account_id: int | None, holder: Caller) -> Iterator[None]:
    """Hold the right to wait for Facebook. Raises Fault where too many do.

    Calls that belong to no account share what one account may take. One slot is enough for all
    that a call does, on other threads too: it stands for the web thread that waits.
    """
    if _holds_slot.get():
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(outgoing_slots().slot(account_id or -holder.credential_id))
        except NoSlot:
            raise faults.too_busy() from None
        reset = _holds_slot.set(True)
        try:
            yield
        finally:
            _holds_slot.reset(reset)


def send(
    call: PassedCall,
    holder: Caller,
    *,
    account_id: int | None,
    key: str | None = None,
    deadline_seconds: float | None = None,
) -> PassedAnswer:
    """Pass a call on while a slot is free, and keep what its answer says of limits.

    What comes back has our host for Facebook's, and ``key`` for the token, or neither of them.
    Raises Fault, NotSent, NoAnswer, UnreadableAnswer, CannotOpen, DatabaseAway.
    """
    credential = credential_of(holder, account_id=account_id)
    with slot(account_id, holder):
        answer = parts().tools.client.pass_on(credential, call, deadline_seconds=deadline_seconds)
    answer = replace(answer, body=hide_tokens(answer.body))
    if answer.stream is not None and call.is_read:
        answer = replace(answer, stream=_held(answer.stream, account_id, holder))
    # What is kept is shown to holders of other keys too: neither token nor key may stand in it.
    note(_rewriting(credential, key=None).answer(answer), holder, account_id=account_id)
    return _rewriting(credential, key=key).answer(answer)


class _HeldBody:
    """A body that holds a slot until it is closed: its reader's thread waits for Facebook too."""

    def __init__(self, body: Body, held: ExitStack) -> None:
        self._body = body
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        with self._held:
            self._body.close()


def _held(body: Body, account_id: int | None, holder: Caller) -> Body:
    """Hold a slot for a body that is only read. Raises Fault where too many calls wait."""
    held = ExitStack()
    try:
        held.enter_context(outgoing_slots().slot(account_id or -holder.credential_id))
    except NoSlot:
        body.close()
        raise faults.too_busy() from None
    return _HeldBody(body, held)


def _rewriting(credential: Credential, *, key: str | None) -> Rewriting:
    settings = parts().settings
    secrets = (credential.app_secret, credential.proof)
    return Rewriting(
        graph_url=settings.graph_url,
        public_url=settings.public_url,
        token=credential.token,
        key=key,
        secrets=tuple(secret for secret in secrets if secret is not None),
    )


def note(answer: PassedAnswer, holder: Caller, *, account_id: int | None) -> None:
    """Keep the wait that an answer asks for. A database that is away must not hide the answer."""
    error = limits.error_in(answer.http_status, answer.headers, answer.body, usage=answer.usage)
    try:
        limits.note(account_id, holder, error=error, usage=answer.usage)
    except DatabaseAway as away:
        log.warning("A wait could not be kept", reason=str(away))
