"""The rows of notifications, and the statements that write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

ROWS_PER_TOKEN = 20

Token = tuple[int, int]
"""An intent and its attempt, which a URL's token names."""


class NewNotification(NamedTuple):
    """One HTTP call on a notification URL, as it came. The fields are columns of its table."""

    request_set_id: int
    attempt: int
    received_at: datetime
    method: str
    remote_address: str
    query: str
    headers: str
    body: bytes
    body_cut: str | None

    @property
    def token(self) -> Token:
        """What the URL's token names."""
        return self.request_set_id, self.attempt


COLUMNS = ", ".join(NewNotification._fields)
INSERT = (
    f"INSERT INTO notification ({COLUMNS}, repeats) SELECT {COLUMNS}, 0 FROM {{new}} "  # noqa: S608  # texts of our own
    "WHERE (SELECT count(*) FROM notification AS kept WHERE kept.request_set_id = "
    f"new.request_set_id AND kept.attempt = new.attempt) < {ROWS_PER_TOKEN} "
    "RETURNING request_set_id, attempt"
)
"""Inserts those of ``new`` whose token may fill a row yet, and returns their tokens."""

COUNT_REPEAT = (
    "UPDATE notification SET repeats = repeats + 1, applied_at = NULL WHERE id = "
    "(SELECT max(id) FROM notification WHERE request_set_id = {} AND attempt = {})"
)
"""Counts a repetition on the newest row of a token."""


def of_different_tokens(
    rows: Sequence[NewNotification],
) -> Iterator[dict[Token, NewNotification]]:
    """Part rows so that no two of a token are written by one statement: it would not see them."""
    while rows:
        firsts: dict[Token, NewNotification] = {}
        for row in rows:
            firsts.setdefault(row.token, row)
        yield firsts
        rows = [row for row in rows if firsts[row.token] is not row]
