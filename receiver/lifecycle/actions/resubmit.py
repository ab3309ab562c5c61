"""Send only the failed requests of a set again, as a new set that knows where it comes from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.graph.errors import OUTCOME_UNKNOWN_CODES
from receiver.graph.json_values import read_text
from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.lifecycle import spec_matching
from receiver.lifecycle.actions import unmade
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.actions.unmade import Doubtful
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, submit
from receiver.lifecycle.tools import Tools
from receiver.store import intents, lineage
from receiver.store.intents import NewIntent
from receiver.store.lineage import AlreadySentAgain, NotFailed
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
    free = [one for one in failed if one.id not in live]
    known = [one for one in free if not _is_doubtful(one) or one.id in unmade_ids]
    chosen = [(one.id, matched[one.id]) for one in known if one.id in matched]
    return Again(
        chosen,
        unknown=len(free) - len(known),
        sent=len(failed) - len(free),
        unmatched=len(known) - len(chosen),
    )


def _is_doubtful(request: Request) -> bool:
    return request.error_code in OUTCOME_UNKNOWN_CODES


def resubmit(tools: Tools, row: RequestSet) -> Done:
    """Send a collected set's failed requests again.

    Raises Refused, NoPoints, CallFailed, DatabaseAway, CannotOpen.
    """
    if row.state != intents.COLLECTED:
        raise Refused(f"Set {row.id} is {row.state}: what failed is known once it is collected.")
    if row.edge != AD_SETS_EDGE:
        raise Refused(f"Set {row.id} is no set of ads: its operations may depend on each other.")
    parent = _read_parent(tools, row)
    made_none = unmade.find(tools, row, _doubtful(parent), known_ads=parent.known_ads)
    again = choose(parent.failed, live=parent.live, unmade_ids=made_none, matched=parent.matched)
    if not again.chosen:
        raise Refused(
            f"Nothing of set {row.id} can be sent again"
            + (f": {again.left_out()}." if again.left_out() else ": nothing of it failed.")
        )
    note = f"{len(again.chosen)} requests of set {row.id} are sent again"
    left_out = f"; {again.left_out()}" if again.left_out() else ""
    try:
        submitted = submit(tools, _intent(tools, row, again, parent.specs))
    except (AlreadySentAgain, NotFailed) as error:
        raise Refused(str(error)) from error
    except Rejected as rejected:
        if not rejected.cause.is_final:
            # It passes: its requests are free again, and whoever asked may ask once more.
            raise rejected.cause from rejected
        raise Refused(f"Facebook took none of them: {rejected}") from rejected
    except OutcomeUnknown as unknown:
        note = f"{note} as set {unknown.request_set_id}, whose outcome is being found out"
        return Done(f"{note}{left_out}.", request_set_id=unknown.request_set_id)
    note = f"{note} as set {submitted.request_set_id}"
    return Done(f"{note}{left_out}.", request_set_id=submitted.request_set_id)


@dataclass(frozen=True)
class _Parent:
    """What SQL knows of a set whose failures are to be sent again.

    ``live`` are the failed ones that stand in another live set already; ``matched`` is the index of
    each request's spec; ``known_ads`` are the ads that its requests made.
    """

    failed: Sequence[Request]
    live: Collection[int]
    specs: Sequence[Any]
    matched: Mapping[int, int]
    known_ads: Collection[int]


def _read_parent(tools: Tools, row: RequestSet) -> _Parent:
    with tools.database.reading() as session:
        failed = lineage.failed_requests(session, row.id)
        specs: list[Any] = json.loads(lineage.specs_of(session, row.id))
        return _Parent(
            failed,
            live=lineage.live(session, [one.id for one in failed]),
            specs=specs,
            matched=spec_matching.match(specs, lineage.inputs_of(session, row.id)),
            known_ads=lineage.made_by(session, row.id),
        )


def _doubtful(parent: _Parent) -> list[Doubtful]:
    """Return the failures of which only the ads at Facebook tell whether they made one."""
    return [
        Doubtful(
            one.id,
            one.scope_object_id,
            name=_name(parent.specs, parent.matched.get(one.id)),
        )
        for one in parent.failed
        if _is_doubtful(one) and one.id not in parent.live
    ]


def _name(specs: Sequence[Any], index: int | None) -> str:
    spec = specs[index] if index is not None else None
    return (read_text(spec.get("name")) or "") if isinstance(spec, dict) else ""


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
