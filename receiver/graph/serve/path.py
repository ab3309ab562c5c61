"""Paths of Graph calls: a version perhaps, then a thing and perhaps an edge of it."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}")


def split_path(path: str) -> tuple[str | None, list[str]]:
    """Return a path's version, None for one without, and its other segments.

    Doubled and trailing slashes, which SDKs produce, make no segments.
    """
    segments = [segment for segment in path.split("/") if segment]
    if segments and _VERSION.fullmatch(segments[0]):
        return segments[0], segments[1:]
    return None, segments
