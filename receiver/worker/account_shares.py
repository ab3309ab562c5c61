"""At most so many processes of one worker work for one account: the others would wait for it.

A process holds its place by a lock on a byte of a file that all of them share. The kernel lets go
of it when the process ends, however it ends: nobody has to count, and nothing has to be mended.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_ACCOUNTS = 2**40
"""Ad accounts that differ by a multiple of this share their places, which costs them some pace."""


class AccountShares:
    """Make it before the fork: the processes share the file."""

    def __init__(self, *, most: int) -> None:
        """``most`` is how many processes may work for one account."""
        self._most = most
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()

    def close(self) -> None:
        """Close the file, and let go of every place of this process."""
        self._file.close()

    @contextmanager
    def place(self, account_id: int) -> Iterator[bool]:
        """Hold a place of an account for the block; yields False where all of them are taken."""
        first = account_id % _ACCOUNTS * self._most
        place = next(filter(self._take, range(first, first + self._most)), None)
        try:
            yield place is not None
        finally:
            if place is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _take(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        return True
