"""When a process that goes on looks for garbage: seldom, and not among what is there to stay."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000
"""So many more objects than before are worth a search; a page makes fewer, and leaves none.

With Python's own 700, requests are searched while they run, and what they hold at that moment
counts as old. So the search of everything, kept statements among it, came every second or so under
load, and kept each thread of the worker waiting for a tenth of a second. Most garbage needs no
search at all: only what refers to itself does.
"""


def search_seldom() -> None:
    """Leave what the application is made of out of the search for garbage, and search seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
