"""Send only the failed requests of a set again, as a new set that knows where it comes from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.graph.errors import OUTCOME_UNKNOWN_CODES
from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.lifecycle import spec_matching
from receiver.lifecycle.actions import unmade
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.actions.unmade import Doubtful
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, submit
from receiver.lifecycle.tools import Tools
from receiver.store import intents, lineage
from receiver.store.intents import NewIntent
from receiver.store.lineage import AlreadySentAgain
from receiver.store.models import Request, RequestSet


@dataclass(frozen=True)
class Again:
    """What of a set may be sent again: each request with its spec's index; and what may not.

    ``unknown`` are failures whose outcome nobody knows; ``sent`` stand in a live set
    already; ``unmatched`` are those of which no spec is known.
    """

    chosen: Sequence[tuple[int, int]]
    unknown: int
    sent: int
    unmatched: int

    def left_out(self) -> str:
        """Say what is not sent again, and why; nothing where nothing is left out."""
        reasons = (
            (self.unknown, "may have been made all the same: look at the ads at Facebook first"),
            (self.sent, "are being sent again already"),
            (self.unmatched, "do not show which spec they were made of"),
        )
        return "; ".join(f"{count} {reason}" for count, reason in reasons if count)


def choose(
    failed: Sequence[Request],
    *,
    live: Collection[int],
    unmade_ids: Collection[int],
    matched: Mapping[int, int],
) -> Again:
    """Choose what may be sent again (pure). ``unmade_ids`` are proved to have made no ad."""
    unknown = [one for one in failed if _is_doubtful(one) and one.id not in unmade_ids]
    sent = [one for one in failed if one.id in live and one not in unknown]
    left = [one for one in failed if one not in unknown and one not in sent]
    chosen = [(one.id, matched[one.id]) for one in left if one.id in matched]
    return Again(chosen, unknown=len(unknown), sent=len(sent), unmatched=len(left) - len(chosen))


def _is_doubtful(request: Request) -> bool:
    return request.error_code in OUTCOME_UNKNOWN_CODES


def resubmit(tools: Tools, row: RequestSet) -> Done:
    """Send a collected set's failed requests again.

    Raises Refused, NoPoints, DatabaseAway, CannotOpen.
    """
    if row.state != intents.COLLECTED:
        raise Refused(f"Set {row.id} is {row.state}: what failed is known once it is collected.")
    if row.edge != AD_SETS_EDGE:
        raise Refused(f"Set {row.id} is no set of ads: its operations may depend on each other.")
    again, specs = _read(tools, row)
    if not again.chosen:
        raise Refused(
            f"Nothing of set {row.id} can be sent again"
            + (f": {again.left_out()}." if again.left_out() else ": nothing of it failed.")
        )
    note = f"{len(again.chosen)} requests of set {row.id} are sent again"
    left_out = f"; {again.left_out()}" if again.left_out() else ""
    try:
        submitted = submit(tools, _intent(tools, row, again, specs))
    except AlreadySentAgain as error:
        raise Refused(str(error)) from error
    except Rejected as rejected:
        raise Refused(f"Facebook took none of them: {rejected}") from rejected
    except OutcomeUnknown as unknown:
        note = f"{note} as set {unknown.request_set_id}, whose outcome is being found out"
        return Done(f"{note}{left_out}.", request_set_id=unknown.request_set_id)
    note = f"{note} as set {submitted.request_set_id}"
    return Done(f"{note}{left_out}.", request_set_id=submitted.request_set_id)


def _read(tools: Tools, row: RequestSet) -> tuple[Again, list[Any]]:
    with tools.database.reading() as session:
        failed = lineage.failed_requests(session, row.id)
        live = lineage.live(session, [one.id for one in failed])
        specs: list[Any] = json.loads(lineage.specs_of(session, row.id))
        matched = spec_matching.match(specs, lineage.inputs_of(session, row.id))
        known_ads = lineage.made_by(session, row.id)
    doubtful = [
        Doubtful(one.id, one.scope_object_id, name=_name(specs, matched.get(one.id)))
        for one in failed
        if _is_doubtful(one) and one.id not in live
    ]
    made_none = unmade.find(tools, row, doubtful, known_ads=known_ads)
    return choose(failed, live=live, unmade_ids=made_none, matched=matched), specs


def _name(specs: Sequence[Any], index: int | None) -> str:
    spec = specs[index] if index is not None else None
    return str(spec.get("name") or "") if isinstance(spec, dict) else ""


def _intent(tools: Tools, row: RequestSet, again: Again, specs: Sequence[Any]) -> NewIntent:
    chosen = [specs[index] for _, index in again.chosen]
    with tools.database.reading() as session:
        keys = json.loads(lineage.row_keys_of(session, row.id) or b"null")
    return NewIntent(
        account_id=row.account_id,
        api_key_id=row.api_key_id,
        edge=row.edge,
        name=row.name,
        ad_specs=json.dumps(chosen).encode("ascii"),
        spec_count=len(chosen),
        notification_uri=row.caller_notification_uri,
        notification_mode=row.caller_notification_mode,
        parent_id=row.id,
        resubmits=tuple(request_id for request_id, _ in again.chosen),
        row_keys=keys and json.dumps([keys[index] for _, index in again.chosen]).encode("ascii"),
    )
