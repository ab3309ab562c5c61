"""The rows of an export, a page of SQL at a time: no transaction stays open between two pages.

A page may be empty, where nothing that was looked through meets the filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from receiver.graph.errors import find_row
from receiver.lifecycle.exports.lineage import Lineage, Place
from receiver.store import lineage
from receiver.store.database import Database
from receiver.store.lists import paging, request_sets, requests
from receiver.store.lists.paging import Listing
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter

_PAGE_ROWS = 1000

Pages = Iterator[list[dict[str, Any]]]

SET_COLUMNS = (
    "id",
    "facebook_id",
    "account_id",
    "edge",
    "name",
    "state",
    "state_reason",
    "verdict",
    "learned_by",
    "spec_count",
    "total_count",
    "success_count",
    "error_count",
    "canceled_count",
    "parent_id",
    "created_at",
    "opened_at",
    "completed_at",
    "collected_at",
)
REQUEST_COLUMNS = (
    "request_set_id",
    "account_id",
    "row_key",
    "spec_index",
    "id",
    "scope_object_id",
    "status",
    "created_object_id",
    "error_code",
    "error_message",
    "error_meaning",
    "sends_again",
    "sent_again_in",
    "read_at",
)
"""Who made it and where it stood, what it is, how it ended, and what it has to do with others.

``row_key`` is what its caller calls it, ``spec_index`` where it stood in ``ad_specs`` (from 0),
``sends_again`` the failed request that it was made for, ``sent_again_in`` the set that sends it.
"""


def sets(database: Database, wanted: SetFilter) -> Pages:
    """Yield the sets that meet some filters, the first made first. Raises DatabaseAway."""
    listing = request_sets.listing(wanted, is_descending=False)
    for page in _pages(database, listing):
        yield [{name: row[name] for name in SET_COLUMNS} for row in page]


def requests_of(database: Database, wanted: RequestFilter) -> Pages:
    """Yield the requests that meet some filters, by Facebook's ids. Raises DatabaseAway."""
    known = Lineage(database)
    for page in _pages(database, requests.listing(wanted, is_descending=False)):
        with database.reading() as session:
            live = lineage.live(session, [row["id"] for row in page])
        places = known.of_page(page)
        yield [_request(row, places[row["id"]], sent_again_in=live.get(row["id"])) for row in page]


def _request(row: dict[str, Any], place: Place, *, sent_again_in: int | None) -> dict[str, Any]:
    error = None if row["error_code"] is None else find_row(row["error_code"], None)
    told = {
        **row,
        "row_key": place.row_key,
        "spec_index": place.spec_index,
        "error_meaning": None if error is None else error.meaning,
        "sends_again": place.sends_again,
        "sent_again_in": sent_again_in,
    }
    return {name: told[name] for name in REQUEST_COLUMNS}


def _pages(database: Database, listing: Listing) -> Pages:
    after = None
    while True:
        with database.reading() as session:
            page = paging.read_page(session, listing, after=after, limit=_PAGE_ROWS)
        yield page.rows
        after = page.next_key
        if after is None:
            return
