"""Keep the waits that Facebook asks for, on refusals and on answers that succeed alike."""

from __future__ import annotations

from receiver.graph.usage import Usage
from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools
from receiver.store import waits


def note_usage(tools: Tools, account_id: int, usage: Usage) -> None:
    """Keep the wait that an answer's usage headers ask for. Raises DatabaseAway."""
    wait = plan.wait_for(usage, now=tools.now())
    if wait is not None:
        with tools.database.writing() as session:
            waits.wait(session, account_id, wait)
