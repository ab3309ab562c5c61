"""What ``async_requests`` shows of a set beside its fields, and how the official SDK filters it.

Facebook's page filters with ``is_completed``; the SDK with ``status`` and ``type``, which it types
as numbers (the facts, section 2): the order of its words is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

from receiver.graph.serve.parameters import BadParameter
from receiver.graph.vocabulary import AD_SETS_EDGE, BATCHES_EDGE, CREATIVES_EDGE

_Word = TypeVar("_Word", bound=IntEnum)


class ListedStatus(IntEnum):
    ERROR = 0
    EXECUTING = 1
    FINISHED = 2
    INITIALIZED = 3


class ListedType(IntEnum):
    ASYNC_ADGROUP_CREATION = 0
    BATCH_API = 1
    DRAFTS = 2


LISTED_TYPES: Mapping[str, ListedType] = {
    AD_SETS_EDGE: ListedType.ASYNC_ADGROUP_CREATION,
    CREATIVES_EDGE: ListedType.ASYNC_ADGROUP_CREATION,
    BATCHES_EDGE: ListedType.BATCH_API,
}
"""The type of a set by the edge that it was created on."""


def listed_status(
    *, total_count: int, initial_count: int, error_count: int, is_completed: bool
) -> ListedStatus:
    """Return a set's status in this list (undocumented): ERROR is one where nothing succeeded."""
    if initial_count == total_count:
        return ListedStatus.INITIALIZED
    if not is_completed:
        return ListedStatus.EXECUTING
    return ListedStatus.ERROR if error_count == total_count else ListedStatus.FINISHED


def parse_listed_statuses(parameters: Mapping[str, Any]) -> tuple[ListedStatus, ...]:
    """Return the statuses that ``status`` admits: the one it names, or all. Raises BadParameter."""
    return _choice(parameters, "status", ListedStatus)


def parse_listed_types(parameters: Mapping[str, Any]) -> tuple[ListedType, ...]:
    """Return the types that ``type`` admits: the one it names, or all. Raises BadParameter."""
    return _choice(parameters, "type", ListedType)


def _choice(parameters: Mapping[str, Any], name: str, words: type[_Word]) -> tuple[_Word, ...]:
    value = parameters.get(name)
    if value in (None, ""):
        return tuple(words)
    named = tuple(word for word in words if str(value).upper() in (word.name, str(int(word))))
    if not named:
        allowed = ", ".join(word.name for word in words)
        raise BadParameter(name, f"Param {name} must be one of {{{allowed}}}.")
    return named
