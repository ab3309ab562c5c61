"""Pages of a list whose members keep their places: cursors stay good while the list grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. ``first`` and ``last`` are places for cursors, None for an empty page."""

    members: list[T]
    first: int | None
    last: int | None
    has_previous: bool
    has_next: bool


def take_page(
    members: Sequence[T],
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    newest_first: bool = False,
    keep: Callable[[T], bool] = lambda _: True,
) -> Page[T]:
    """Return the members kept that stand next to a cursor, in the order of the list.

    A place is a member's number in order of age, from 1; ``after`` wins over ``before``.
    """
    step = -1 if newest_first else 1

    def walk(place: int, direction: int) -> Iterator[int]:
        """Yield the places of kept members, from beyond ``place`` on."""
        place += direction
        while 1 <= place <= len(members):
            if keep(members[place - 1]):
                yield place
            place += direction

    beginning = len(members) + 1 if newest_first else 0
    if before is not None and after is None:
        start = min(before, len(members) + 1)
        places = list(islice(walk(start, -step), limit))[::-1]
    else:
        start = beginning if after is None else min(after, len(members) + 1)
        places = list(islice(walk(start, step), limit))
    if not places:
        return Page([], None, None, has_previous=False, has_next=False)
    return Page(
        members=[members[place - 1] for place in places],
        first=places[0],
        last=places[-1],
        has_previous=any(True for _ in walk(places[0], -step)),
        has_next=any(True for _ in walk(places[-1], step)),
    )
