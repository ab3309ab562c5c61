"""How much one call asks of Facebook about an account: less after an answer that was too much.

It stands in no database: a process that begins anew asks for all at once, and learns again.
"""

from __future__ import annotations

from collections.abc import Sequence

from receiver.graph.errors import is_too_much_for_a_call

_FULL = 8


class CallSizes:
    """What one process has learned of each account: which part of the most a call may ask for.

    Each answer that was too much halves it, down to an eighth, and each other one adds an eighth:
    so an account whose calls are answered up to some size seldom goes beyond it.
    """

    def __init__(self) -> None:
        self._eighths: dict[int, int] = {}

    def share(self, account_id: int, *, most: int) -> int:
        """Return how many of ``most`` a call may ask for, at least one."""
        return max(1, most * self._eighths.get(account_id, _FULL) // _FULL)

    def learn(self, account_id: int, answers: Sequence[object]) -> bool:
        """Learn from what a call answered for each of its operations.

        Returns whether the next call asks for less. One of a single operation says nothing.
        """
        if len(answers) < 2:  # noqa: PLR2004  # a single one
            return False
        eighths = learned = self._eighths.get(account_id, _FULL)
        if any(map(is_too_much_for_a_call, answers)):
            learned = max(1, eighths // 2)
        elif not all(isinstance(one, Exception) for one in answers):
            learned = min(_FULL, eighths + 1)
        self._eighths[account_id] = learned
        return learned < eighths
