"""What a person decides of an intent without an outcome: this set is it, or give it up."""

from __future__ import annotations

from receiver.graph.errors import GraphError
from receiver.graph.score import READ_POINTS
from receiver.graph.wire import SetReading
from receiver.lifecycle.evidence import attempt_named, may_be_made_since
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import intents, repeats, reports
from receiver.store.database import Session
from receiver.store.intents import Attempt, Opening
from receiver.store.models import RequestSet


class CannotDecide(Exception):
    """What a person decided cannot be; the message says why."""


def adopt(tools: Tools, request_set_id: int, *, facebook_id: int) -> None:
    """Open an intent under an id that a person says is its set's; it is due at once.

    Facebook has to show the set as one of the intent's account, and no other intent may be named by
    it or hold it. Of one that does not name this intent either, the true one is looked for later.
    Raises CannotDecide, NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    row = _find(tools, request_set_id)
    _require_undecided(row)
    reading = _read(tools, row, facebook_id)
    named = attempt_named(tools.keys, reading)
    _check(row, reading, named)
    now, newest = tools.now(), Attempt(row.id, number=row.attempt)
    with tools.database.writing() as session:
        if not repeats.lock_as_read(session, newest, state=row.state):
            raise CannotDecide(f"Set {row.id} went on meanwhile.")
        opening = intents.open_set(
            session,
            named or newest,
            facebook_id=facebook_id,
            first_look_at=now,
            now=now,
        )
        if opening is not Opening.OPEN:
            raise CannotDecide(_why_taken(session, row, facebook_id))
        if named is None:
            repeats.keep_looking(session, row.id, now=now)


def abandon(tools: Tools, request_set_id: int, *, reason: str) -> None:
    """Give up an intent without an outcome: it is never sent again.

    Should Facebook notify of it all the same, it is opened. Raises CannotDecide, DatabaseAway.
    """
    row = _find(tools, request_set_id)
    with tools.database.writing() as session:
        if repeats.abandon(session, request_set_id, reason=reason, now=tools.now()):
            return
    if row.state == intents.SUBMITTING:
        raise CannotDecide(_on_its_way(row))
    raise CannotDecide(f"Set {request_set_id} is {row.state}: its outcome is known.")


def _find(tools: Tools, request_set_id: int) -> RequestSet:
    with tools.database.reading() as session:
        row = reports.find_row(session, request_set_id)
    if row is None:
        raise CannotDecide(f"There is no set {request_set_id}.")
    return row


def _require_undecided(row: RequestSet) -> None:
    if row.facebook_id is not None:
        raise CannotDecide(f"Set {row.id} is {row.state}: it has the id {row.facebook_id}.")
    if row.state == intents.SUBMITTING:
        raise CannotDecide(_on_its_way(row))


def _on_its_way(row: RequestSet) -> str:
    return f"Set {row.id} may be on its way: try again in two minutes."


def _read(tools: Tools, row: RequestSet, facebook_id: int) -> SetReading:
    reserve(tools, row.account_id, cost=READ_POINTS, purpose=Purpose.COLLECT)
    try:
        answered = tools.client.read_set(credential_of(tools, row.account_id), facebook_id)
    except GraphError as error:
        if not error.is_final:
            raise
        raise CannotDecide(f"Facebook does not show {facebook_id}: {error}") from error
    note_usage(tools, row.account_id, answered.usage)
    return answered.value


def _check(row: RequestSet, reading: SetReading, named: Attempt | None) -> None:
    """Raise CannotDecide where a set cannot be that of an intent; ``named`` is what it names.

    Its owner is told first: nothing is said of what belongs to another account.
    """
    is_named = named is not None and named.request_set_id == row.id
    if reading.owner_id is None and not is_named:
        raise CannotDecide(f"Facebook does not show which account {reading.id} belongs to.")
    if reading.owner_id not in (None, row.account_id):
        raise CannotDecide(f"{reading.id} does not belong to act_{row.account_id}.")
    if named is not None and not is_named:
        raise CannotDecide(
            f"{reading.id} is the set of {named.request_set_id}, by its URI or its name."
        )
    if reading.total_count not in (None, row.spec_count):
        raise CannotDecide(
            f"{reading.id} has {reading.total_count} requests, and {row.spec_count} were asked for."
        )
    if not is_named:
        _check_without_name(row, reading)


def _check_without_name(row: RequestSet, reading: SetReading) -> None:
    if row.state == intents.REJECTED and row.abandoned_at is None:
        raise CannotDecide(
            f"Set {row.id} is rejected, and {reading.id} does not say that it is its set."
        )
    if not may_be_made_since(reading, row.created_at):
        raise CannotDecide(f"{reading.id} was made before set {row.id} was sent.")


def _why_taken(session: Session, row: RequestSet, facebook_id: int) -> str:
    """Say who has an id; of what belongs to another account, no more than that."""
    holder = reports.find_set(session, [row.account_id], facebook_id=facebook_id)
    return f"{'Another set' if holder is None else f'Set {holder.id}'} has the id {facebook_id}."
