"""The actions that ask Facebook: cancel a set, and tell it where we are now."""

from __future__ import annotations

from receiver.graph.score import WRITE_POINTS
from receiver.lifecycle import change
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import intents
from receiver.store.models import RequestSet

_AT_WORK = (intents.OPEN, intents.COMPLETED)


def cancel(tools: Tools, row: RequestSet) -> Done:
    """Cancel what is not processed yet of a set.

    Raises Refused, NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    if row.state != intents.OPEN or row.facebook_id is None:
        raise Refused(f"Set {row.id} is {row.state}: only an open set can be canceled.")
    change.cancel(tools, row, request_id=None)
    return Done(f"What was not processed yet of set {row.id} is canceled.")


def repoint(tools: Tools, row: RequestSet) -> Done:
    """Tell Facebook a set's ``notification_uri`` under the present public URL and signing key.

    Raises Refused, NoPoints, CallFailed, CannotOpen, DatabaseAway. Done again, it changes nothing.
    """
    if row.state not in _AT_WORK or row.facebook_id is None:
        raise Refused(f"Set {row.id} is {row.state}: its notification is no longer awaited.")
    reserve(tools, row.account_id, cost=WRITE_POINTS, purpose=Purpose.POLL)
    token = tools.keys.sign_token(intent=row.id, attempt=row.attempt)
    answered = tools.client.tell_uri(
        credential_of(tools, row.account_id),
        row.facebook_id,
        notification_uri=change.notification_uri(tools, token),
        secrets=(token,),
    )
    note_usage(tools, row.account_id, answered.usage)
    with tools.database.writing() as session:
        intents.know_uri(session, row.id)
        intents.note_signing_key(session, row.id, row.attempt, key_id=tools.keys.newest_id)
    return Done(f"Facebook notifies of set {row.id} at {tools.public_url}.")
