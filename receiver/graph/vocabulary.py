"""The words of the Graph API: nodes, their fields, statuses, modes and limits.

Sources: Facebook's page "Asynchronous and Batch Requests" (tables of the request set and of the
request) and the official SDK's ``AdAsyncRequestSet`` and ``AdAsyncRequest`` classes.
"""

from __future__ import annotations

from dataclasses import dataclass

API_VERSION = "v21.0"
"""The version that the page is written for."""

MAX_ADS_PER_SET = 1000
"""No number is documented for ad request sets; the page's Batch API number is assumed."""

AD_SETS_EDGE = "asyncadrequestsets"
CREATIVES_EDGE = "asyncadcreatives"
BATCHES_EDGE = "async_batch_requests"
CREATE_EDGES = (AD_SETS_EDGE, CREATIVES_EDGE, BATCHES_EDGE)
"""The edges of an account on which a request set is created."""

ALL_SETS_EDGE = "async_requests"
"""The edge of an account that lists its sets whatever edge they were created on."""

SCOPE_EDGE = "asyncadrequests"
"""The edge of an ad set or a campaign that lists the requests for its ads."""

DEFAULT_PAGE_LIMIT = 25
MAX_PAGE_LIMIT = 500


@dataclass(frozen=True)
class Node:
    """A Graph node type: its name, and its fields by whether an answer shows them unasked."""

    name: str
    default_fields: tuple[str, ...]
    other_fields: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.default_fields + self.other_fields


REQUEST_SET = Node(
    "AdAsyncRequestSet",
    default_fields=("id", "owner_id", "name", "is_completed"),
    other_fields=(
        "total_count",
        "initial_count",
        "in_progress_count",
        "success_count",
        "error_count",
        "canceled_count",
        "notification_uri",
        "notification_mode",
        "notification_result",
        "notification_status",
        "created_time",
        "updated_time",
    ),
)

REQUEST = Node(
    "AdAsyncRequest",
    default_fields=("id", "scope_object_id", "status"),
    other_fields=(
        "result",
        "input",
        "async_request_set",
        "type",
        "created_time",
        "updated_time",
    ),
)

LISTED_SET = Node(
    "AsyncRequest",
    default_fields=REQUEST_SET.default_fields,
    other_fields=(*REQUEST_SET.other_fields, "result", "status", "type"),
)
"""A set as ``async_requests`` lists it: the page shows a set's fields, the SDK asks for others."""

COUNT_FIELDS = (
    "initial_count",
    "in_progress_count",
    "success_count",
    "error_count",
    "canceled_count",
)
"""The five counters of a set; together they make its ``total_count``."""

MODE_OFF = "OFF"
MODE_ON_COMPLETE = "ON_COMPLETE"
_MODES = {"0": MODE_OFF, "OFF": MODE_OFF, "1": MODE_ON_COMPLETE, "ON_COMPLETE": MODE_ON_COMPLETE}


def notification_mode(value: object) -> str | None:
    """Return the mode's word for a word or its number (``0``/``1``), or None for an unknown one.

    The reference of the edge speaks of 0 and 1, the SDK of OFF and ON_COMPLETE.
    """
    return _MODES.get(str(value).strip().upper())


_WAITING = ("INITIAL", "PENDING_DEPENDENCY")
_FINAL_PREFIXES = ("ERROR", "CANCELED", "USER_CANCELED")


def is_final(status: str) -> bool:
    """Tell whether a request with this status will never change again.

    The set of statuses is open. SUCCESS and whatever begins with ERROR, CANCELED or USER_CANCELED
    is final; a word that nobody has seen before is not.
    """
    word = status.upper()
    return word == "SUCCESS" or word.startswith(_FINAL_PREFIXES)


def is_known(status: str) -> bool:
    """Tell whether a status is one of those that are documented or were seen."""
    return is_final(status) or status.upper() in (*_WAITING, "IN_PROGRESS")


def count_field(status: str) -> str:
    """Name the counter of the set that a request with this status belongs to."""
    word = status.upper()
    if word == "SUCCESS":
        return "success_count"
    if word.startswith("ERROR"):
        return "error_count"
    if word.startswith(("CANCELED", "USER_CANCELED")):
        return "canceled_count"
    return "initial_count" if word in _WAITING else "in_progress_count"
