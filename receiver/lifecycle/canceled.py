"""What was canceled of a set that sends failures again may be sent again in another one."""

from __future__ import annotations

import json

from receiver.lifecycle import spec_matching
from receiver.store import lineage
from receiver.store.database import Session


def release(session: Session, request_set_id: int) -> None:
    """Let go of the failures that a set was to send again, and whose requests were canceled.

    Those of which no spec can be told stay held: they may be another's.
    """
    if not lineage.parents_of(session, request_set_id):
        return
    canceled = lineage.canceled_requests(session, request_set_id)
    if not canceled:
        return
    specs = json.loads(lineage.specs_of(session, request_set_id))
    matched = spec_matching.match(specs, lineage.inputs_of(session, request_set_id))
    indexes = [matched[one] for one in canceled if one in matched]
    lineage.release_specs(session, request_set_id, indexes)
