"""A web worker's search for garbage is seldom, and spares what stays."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from receiver import garbage


class Knot:
    """Something that refers to itself: only a search finds that nobody needs it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def searches(objects: int) -> int:
    """How often a search is begun while so many objects that stay are made."""
    begun: list[int] = []

    def note(phase: str, details: dict[str, int]) -> None:
        if phase == "start":
            begun.append(details["generation"])

    gc.callbacks.append(note)
    try:
        kept = [[] for _ in range(objects)]  # type: ignore[var-annotated]  # they stay empty
    finally:
        gc.callbacks.remove(note)
    assert len(kept) == objects
    return len(begun)


def test_a_page_full_of_objects_begins_no_search() -> None:
    assert searches(20_000) > 0

    garbage.search_seldom()

    assert searches(20_000) == 0


def test_what_is_there_at_the_start_is_never_searched_again() -> None:
    stays = Knot()

    garbage.search_seldom()

    assert not any(one is stays for one in gc.get_objects())


def test_garbage_that_refers_to_itself_is_found_in_the_end() -> None:
    garbage.search_seldom()
    knot = weakref.ref(Knot())

    found = searches(200_000)

    assert 0 < found < 10
    assert knot() is None
