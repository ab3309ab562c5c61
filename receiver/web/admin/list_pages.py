"""Read one page of a list as its document, for whoever asks: a key's holder or a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from receiver.store.database import Database
from receiver.store.lists import paging
from receiver.store.lists.paging import Listing
from receiver.web.admin.cursors import Asked, read_cursor, write_cursor
from receiver.web.admin.documents import Page
from receiver.web.admin.parameters import PageQuery

PageT = TypeVar("PageT", bound=Page)
Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Makes a document's fields of a row's columns."""


def read(
    database: Database,
    listing: Listing,
    query: PageQuery,
    *,
    document: type[PageT],
    shape: Shape = dict,
) -> PageT:
    """Read the page that a query asks for. Raises BadCursor, DatabaseAway."""
    asked = Asked(document.__name__, sort=query.sort, filters=query.filters())
    after = None if query.cursor is None else read_cursor(query.cursor, asked)
    with database.reading() as session:
        page = paging.read_page(session, listing, after=after, limit=query.limit)
        counted = paging.count(session, listing) if query.count else None
    return document.model_validate(
        {
            "data": [shape(row) for row in page.rows],
            "next_cursor": page.next_key and write_cursor(page.next_key, asked),
            "is_partial": page.is_partial,
            "count": counted and vars(counted),
        }
    )
