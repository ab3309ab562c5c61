"""Which failed requests made no ad, where Facebook's error does not say: the ads are read.

An ad that is there and that no request of the set is known for may be that of a failed one. So a
request counts as unmade only if its ad set was read to the last page, some time after the set was
complete, and holds no ad of its name but those that are known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from receiver.graph import ads
from receiver.graph.errors import CallFailed
from receiver.graph.score import READ_POINTS
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
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

    ``known_ads`` are those that requests of it made. Raises NoPoints, CannotOpen, DatabaseAway.
    """
    settle = timedelta(seconds=tools.pace.settle_seconds)
    if row.completed_at is None or tools.now() - row.completed_at < settle:
        return set()
    unmade: set[int] = set()
    ad_set_ids = {one.ad_set_id for one in doubtful if one.ad_set_id is not None}
    for ad_set_id in sorted(ad_set_ids)[:_AD_SETS_MOST]:
        names = _names(tools, row.account_id, ad_set_id)
        if names is not None:
            taken = {name for ad_id, name in names.items() if ad_id not in known_ads}
            of_ad_set = [one for one in doubtful if one.ad_set_id == ad_set_id]
            unmade |= {one.request_id for one in of_ad_set if one.name and one.name not in taken}
    return unmade


def _names(tools: Tools, account_id: int, ad_set_id: int) -> dict[int, str] | None:
    """Return the names of all ads of an ad set; None where they could not all be read."""
    names: dict[int, str] = {}
    after: str | None = None
    for _ in range(_PAGES_MOST):
        reserve(tools, account_id, cost=READ_POINTS, purpose=Purpose.COLLECT)
        try:
            answered = ads.read_page(
                tools.client, credential_of(tools, account_id), ad_set_id, after=after
            )
        except CallFailed:
            return None
        note_usage(tools, account_id, answered.usage)
        if answered.value.unreadable:
            return None
        names |= answered.value.names
        if answered.value.after is None:
            return names
        after = answered.value.after
    return None
