"""What was canceled of a set that sends failures again may be sent again in another one."""

from __future__ import annotations

import json
from collections.abc import Collection

from receiver.lifecycle import spec_matching
from receiver.store import lineage
from receiver.store.database import Session


def release(session: Session, request_set_ids: Collection[int]) -> None:
    """Let go of the failures that sets were to send again, and whose requests were canceled.

    Those of which no spec can be told stay held: they may be another's.
    """
    for request_set_id in lineage.sending_again(session, request_set_ids):
        _release(session, request_set_id)


def _release(session: Session, request_set_id: int) -> None:
    canceled = lineage.canceled_requests(session, request_set_id)
    if not canceled:
        return
    specs = json.loads(lineage.specs_of(session, request_set_id))
    matched = spec_matching.match(specs, lineage.inputs_of(session, request_set_id))
    indexes = [matched[one] for one in canceled if one in matched]
    lineage.release_specs(session, request_set_id, indexes)
