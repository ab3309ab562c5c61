"""Read a Graph path (pure): an optional version, a node, an optional edge."""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.graph.serve import split_path

_ACCOUNT = re.compile(r"act_([1-9][0-9]{0,18})")
_OBJECT = re.compile(r"[1-9][0-9]{0,18}")
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Target:
    """What a path names. Exactly one of ``account_id`` and ``object_id`` is set."""

    account_id: int | None
    object_id: int | None
    node: str
    edge: str | None


def parse_path(path: str) -> Target | None:
    """Return what a path names, or None for one that no Graph server knows.

    Any version or none is taken.
    """
    _, segments = split_path(path)
    if len(segments) not in (1, 2):
        return None
    node, edge = segments[0], segments[1] if segments[1:] else None
    account = _ACCOUNT.fullmatch(node)
    if account:
        return _target(int(account[1]), is_account=True, node=node, edge=edge)
    if _OBJECT.fullmatch(node):
        return _target(int(node), is_account=False, node=node, edge=edge)
    return None


def _target(number: int, *, is_account: bool, node: str, edge: str | None) -> Target | None:
    if number > _MAX_ID:
        return None
    account_id, object_id = (number, None) if is_account else (None, number)
    return Target(account_id=account_id, object_id=object_id, node=node, edge=edge)
