"""Which spec of a set each of its requests was made of (pure).

Facebook does not number requests after their specs, and shows a spec normalised: ids as texts,
defaults added (the facts, section 2). So a spec is that of a request whose input holds all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Leaves = frozenset[tuple[str, str]]


def match(specs: Sequence[Any], inputs: Mapping[int, bytes | None]) -> dict[int, int]:
    """Return the index of each request's spec, for the requests that have one.

    ``inputs`` are those of the requests by their ids. Of several specs that a request's input
    holds, the one that says most is its own; of equal ones, each is taken once, in order.
    """
    wanted = [frozenset(_leaves(spec)) for spec in specs]
    free = _by_name(specs)
    matched: dict[int, int] = {}
    for request_id in sorted(inputs):
        shown = _shown(inputs[request_id])
        candidates = free.get(_name(shown), [])
        held = frozenset(_leaves(shown))
        fitting = [index for index in candidates if wanted[index] <= held]
        if fitting:
            best = max(fitting, key=lambda index: (len(wanted[index]), -index))
            matched[request_id] = best
            candidates.remove(best)
    return matched


def _by_name(specs: Sequence[Any]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = {}
    for index, spec in enumerate(specs):
        by_name.setdefault(_name(spec), []).append(index)
    return by_name


def _name(spec: Any) -> str:
    return str(spec.get("name")) if isinstance(spec, dict) else ""


def _shown(written: bytes | None) -> Any:
    """Take the spec out of a request's input, which may hold more than that."""
    value = None if written is None else json.loads(written)
    if isinstance(value, dict) and isinstance(value.get("adgroup_spec"), dict):
        return value["adgroup_spec"]
    return value


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a spec with where it stands; numbers and the texts of them are alike."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{index}")
    elif isinstance(value, bool) or value is None:
        yield path, json.dumps(value)
    else:
        yield path, str(value)
