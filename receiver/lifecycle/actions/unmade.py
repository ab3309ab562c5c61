"""Which failed requests made no ad, where Facebook's error does not say: the ads are read.

An ad that is there and that no request of the set is known for may be that of a failed one. So a
request counts as unmade only if its ad set was read to the last page, some time after the set was
complete, and holds no ad of its name but those that are known. That time is counted on our clock,
and on Facebook's as well: from when it changed the set last to the date of what it answers. A clock
of ours that jumps proves nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.graph import ads
from receiver.graph.ads import AdsPage
from receiver.graph.client import Answered
from receiver.graph.errors import Advice, CallFailed, GraphError
from receiver.graph.score import READ_POINTS
from receiver.graph.wire import read_time
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import keep_wait, note_usage
from receiver.store.models import RequestSet

_AD_SETS_MOST = 20
_PAGES_MOST = 20


@dataclass(frozen=True)
class Doubtful:
    """A failed request that may have made an ad: of this name, in this ad set."""

    request_id: int
    ad_set_id: int | None
    name: str


def find(
    tools: Tools, row: RequestSet, doubtful: Sequence[Doubtful], *, known_ads: Collection[int]
) -> set[int]:
    """Return those of some failed requests of a set that made no ad.

    ``known_ads`` are those that requests of it made. Raises NoPoints, CannotOpen, DatabaseAway, and
    CallFailed where Facebook asks to wait, or for a person: then nothing may be sent either.
    """
    settle = timedelta(seconds=tools.pace.settle_seconds)
    changed_at = read_time(row.updated_time)
    if row.completed_at is None or changed_at is None or tools.now() - row.completed_at < settle:
        return set()
    unmade: set[int] = set()
    ad_set_ids = {one.ad_set_id for one in doubtful if one.ad_set_id is not None}
    for ad_set_id in sorted(ad_set_ids)[:_AD_SETS_MOST]:
        names = _names(tools, row.account_id, ad_set_id, not_before=changed_at + settle)
        if names is not None:
            unknown = [name for ad_id, name in names.items() if ad_id not in known_ads]
            of_ad_set = [one for one in doubtful if one.ad_set_id == ad_set_id]
            unmade |= {one.request_id for one in of_ad_set if _is_none_of(one.name, unknown)}
    return unmade


def _is_none_of(name: str, unknown: Sequence[str]) -> bool:
    """Tell whether no ad can be the one of a name: one without a name may be any."""
    wanted, taken = _comparable(name), {_comparable(one) for one in unknown}
    return bool(wanted) and wanted not in taken and "" not in taken


def _comparable(name: str) -> str:
    """A name as it is compared: Facebook may trim it, and write its letters in another form."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _names(
    tools: Tools, account_id: int, ad_set_id: int, *, not_before: datetime
) -> dict[int, str] | None:
    """Return the names of all ads of an ad set; None where that proves nothing.

    They could not all be read, or Facebook answered before a moment of its own clock.
    """
    names: dict[int, str] = {}
    after: str | None = None
    for _ in range(_PAGES_MOST):
        answered = _read_page(tools, account_id, ad_set_id, after=after)
        if answered is None or answered.value.unreadable:
            return None
        if answered.date is None or answered.date < not_before:
            return None
        names |= answered.value.names
        if answered.value.after is None:
            return names
        after = answered.value.after
    return None


def _read_page(
    tools: Tools, account_id: int, ad_set_id: int, *, after: str | None
) -> Answered[AdsPage] | None:
    """Read a page of an ad set's ads; None where Facebook does not show it."""
    reserve(tools, account_id, cost=READ_POINTS, purpose=Purpose.COLLECT)
    try:
        answered = ads.read_page(
            tools.client, credential_of(tools, account_id), ad_set_id, after=after
        )
    except CallFailed as error:
        keep_wait(tools, account_id, error)
        if isinstance(error, GraphError) and error.advice in (Advice.WAIT, Advice.ASK_A_PERSON):
            raise
        return None
    note_usage(tools, account_id, answered.usage)
    return answered
