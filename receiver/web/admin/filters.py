"""What the parameters of lists, exports and plans narrow them to (pure)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from receiver.web.admin.parameters import AccountQuery, RequestFilters, SetFilters


def accounts_of(query: AccountQuery, mine: Collection[int]) -> frozenset[int]:
    """Return the accounts that are meant: of those asked for, one's own."""
    return frozenset(mine) & set(query.account) if query.account else frozenset(mine)


def of_sets(query: SetFilters, mine: Collection[int], *, now: datetime) -> SetFilter:
    """Return what a list of sets is narrowed to."""
    return SetFilter(
        accounts_of(query, mine),
        numbers=query.request_set,
        facebook_id=query.facebook_id,
        parent_id=query.parent,
        states=query.state,
        verdicts=query.verdict,
        edges=query.kind,
        learned_by=query.learned_by,
        name=query.name,
        created=query.between(),
        completed=query.completed(),
        late_at=now if query.late else None,
        has_errors=query.with_errors,
    )


def of_requests(query: RequestFilters, mine: Collection[int]) -> RequestFilter:
    """Return what a list of requests is narrowed to."""
    return RequestFilter(
        accounts_of(query, mine),
        ids=query.id,
        request_set_id=query.request_set,
        scope_object_id=query.ad_set,
        created_object_id=query.created_object,
        statuses=query.status,
        error_codes=query.error_code,
    )
