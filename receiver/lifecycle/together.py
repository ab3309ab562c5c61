"""Write what became of several claimed sets in one transaction, each under its own lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from receiver.lifecycle import plan
from receiver.lifecycle.put_off import Tried, keep_lost, put_unforeseen_off
from receiver.lifecycle.tools import Tools
from receiver.store import claims
from receiver.store.database import DatabaseAway, Session

StepT = TypeVar("StepT", bound=Tried)
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def write_together(
    tools: Tools,
    steps: Sequence[StepT],
    write: Callable[[Session, Sequence[StepT], datetime], list[ResultT]],
) -> list[ResultT]:
    """Let ``write`` write the steps whose leases hold, and return what it returns.

    A set whose lease is lost writes nothing, and the others do. A transaction that fails is split
    until the set that is to blame stands alone, which is put off. Raises DatabaseAway.
    """
    if not steps:
        return []
    try:
        held, results = _write(tools, steps, write)
    except DatabaseAway:
        raise
    except Exception as error:  # noqa: BLE001  # a set that nobody foresaw must not stop the others
        if len(steps) == 1:
            put_unforeseen_off(tools, steps[0], error)
            return []
        middle = len(steps) // 2
        return write_together(tools, steps[:middle], write) + write_together(
            tools, steps[middle:], write
        )
    for step in steps:
        if step.claim.request_set_id not in held:
            keep_lost(tools, step)
    return results


def _write(
    tools: Tools,
    steps: Sequence[StepT],
    write: Callable[[Session, Sequence[StepT], datetime], list[ResultT]],
) -> tuple[set[int], list[ResultT]]:
    now = tools.now()
    lease_until = plan.lease_until(tools.pace, now=now)
    with tools.database.writing() as session:
        # The leases are checked in the transaction that writes: whoever lost one while Facebook
        # was slow writes nothing.
        held = claims.hold_each(session, [step.claim for step in steps], lease_until=lease_until)
        kept = [step for step in steps if step.claim.request_set_id in held]
        return held, write(session, kept, now) if kept else []


def parts(
    items: Sequence[ItemT], *, rows: Callable[[ItemT], int], most_rows: int, most: int
) -> Iterator[list[ItemT]]:
    """Yield items in parts of ``most`` with ``most_rows`` at the most; one may have more alone."""
    part: list[ItemT] = []
    left = most_rows
    for item in items:
        if part and (len(part) == most or rows(item) > left):
            yield part
            part, left = [], most_rows
        part.append(item)
        left -= rows(item)
    if part:
        yield part
