"""The rows of notifications, and the statements that write them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

ROWS_PER_TOKEN = 20


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
    def token(self) -> tuple[int, int]:
        """What the URL's token names."""
        return self.request_set_id, self.attempt


COLUMNS = ", ".join(NewNotification._fields)
INSERT = f"INSERT INTO notification ({COLUMNS}, repeats) SELECT {{values}}, 0"
IS_FREE = (
    "(SELECT count(*) FROM notification AS kept "  # noqa: S608  # a number of our own
    f"WHERE kept.request_set_id = {{0}} AND kept.attempt = {{1}}) < {ROWS_PER_TOKEN}"
)
COUNT_REPEAT = (
    "UPDATE notification SET repeats = repeats + 1, applied_at = NULL WHERE id = "
    "(SELECT max(id) FROM notification WHERE request_set_id = {0} AND attempt = {1})"
)
