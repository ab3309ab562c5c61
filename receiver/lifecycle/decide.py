"""What a person decides of an intent without an outcome: this set is it, or give it up."""

from __future__ import annotations

from receiver.graph.errors import GraphError
from receiver.graph.wire import SetReading
from receiver.lifecycle.evidence import attempt_in_uri
from receiver.lifecycle.tools import Tools, credential_of
from receiver.store import intents, repeats, reports
from receiver.store.intents import Attempt, Opening
from receiver.store.models import RequestSet


class CannotDecide(Exception):
    """What a person decided cannot be; the message says why."""


def adopt(tools: Tools, request_set_id: int, *, facebook_id: int) -> None:
    """Open an intent under an id that a person says is its set's; it is due at once.

    Facebook has to show the set, and no other intent may be named by it or hold it.
    Raises CannotDecide, CallFailed, CannotOpen, DatabaseAway.
    """
    row = _find(tools, request_set_id)
    if row.facebook_id is not None:
        raise CannotDecide(f"Set {request_set_id} is {row.state}: it has the id {row.facebook_id}.")
    _check(tools, row, _read(tools, row, facebook_id))
    now = tools.now()
    with tools.database.writing() as session:
        holder = reports.holder_of(session, facebook_id)
        if holder is not None:
            raise CannotDecide(f"Set {holder} has the id {facebook_id} already.")
        opening = intents.open_set(
            session,
            Attempt(row.id, number=row.attempt),
            facebook_id=facebook_id,
            first_look_at=now,
            now=now,
        )
        if opening is not Opening.OPEN:
            raise CannotDecide(f"Set {request_set_id} was opened meanwhile.")


def abandon(tools: Tools, request_set_id: int, *, reason: str) -> None:
    """Give up an intent without an outcome: it is never sent again.

    Should Facebook notify of it all the same, it is opened. Raises CannotDecide, DatabaseAway.
    """
    row = _find(tools, request_set_id)
    with tools.database.writing() as session:
        if repeats.abandon(session, request_set_id, reason=reason, now=tools.now()):
            return
    if row.state == intents.SUBMITTING:
        raise CannotDecide(f"Set {request_set_id} may be on its way: try again in two minutes.")
    raise CannotDecide(f"Set {request_set_id} is {row.state}: its outcome is known.")


def _find(tools: Tools, request_set_id: int) -> RequestSet:
    with tools.database.reading() as session:
        row = reports.find_row(session, request_set_id)
    if row is None:
        raise CannotDecide(f"There is no set {request_set_id}.")
    return row


def _read(tools: Tools, row: RequestSet, facebook_id: int) -> SetReading:
    try:
        return tools.client.read_set(credential_of(tools, row.account_id), facebook_id).value
    except GraphError as error:
        raise CannotDecide(f"Facebook does not show {facebook_id}: {error}") from error


def _check(tools: Tools, row: RequestSet, reading: SetReading) -> None:
    named = attempt_in_uri(tools.keys, reading)
    if named is not None and named.request_set_id != row.id:
        raise CannotDecide(f"{reading.id} is the set of {named.request_set_id}, by its URI.")
    if reading.total_count not in (None, row.spec_count):
        raise CannotDecide(
            f"{reading.id} has {reading.total_count} requests, and {row.spec_count} were asked for."
        )
