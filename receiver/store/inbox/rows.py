"""The rows of notifications, and the statements that write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

COUNT_REPEATS = (
    "UPDATE notification SET repeats = repeats + {}, applied_at = NULL WHERE id = "
    "(SELECT max(id) FROM notification WHERE request_set_id = {} AND attempt = {})"
)
"""Counts repetitions on the newest row of a token."""


def write_by_token(
    rows: Sequence[NewNotification],
    *,
    insert: Callable[[Mapping[Token, NewNotification]], set[Token]],
    count_repeats: Callable[[Token, int], None],
) -> None:
    """Write rows in rounds, no two of a token by one statement: it would not see them.

    ``insert`` returns the tokens whose rows it took. All that another token brings is counted at
    once: one that is sent again and again would hold up all others with a statement for each.
    """
    while rows:
        firsts: dict[Token, NewNotification] = {}
        for row in rows:
            firsts.setdefault(row.token, row)
        full = firsts.keys() - insert(firsts)
        brought = Counter(row.token for row in rows if row.token in full)
        for token, count in brought.items():
            count_repeats(token, count)
        rows = [row for row in rows if row.token not in full and firsts[row.token] is not row]
