"""How much processor time processes and the whole machine took: shows whether it was full."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """Return the processor time of a process so far, as Linux counts it."""
    # The name, in parentheses, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / _TICKS


@dataclass(frozen=True)
class Times:
    """The whole machine's processor time since its start, in seconds."""

    busy: float
    idle: float

    def busy_share_since(self, before: Times) -> float:
        """Return which share of all cores was busy since then."""
        busy, idle = self.busy - before.busy, self.idle - before.idle
        return busy / (busy + idle) if busy + idle else 0.0


def of_machine() -> Times:
    """Return the machine's processor times now."""
    first = Path("/proc/stat").read_text().split("\n", 1)[0]
    # The guests' times, at the end, are within the user's already.
    user, nice, system, idle, iowait, interrupt, soft, steal = map(int, first.split()[1:9])
    busy = user + nice + system + interrupt + soft + steal
    return Times(busy / _TICKS, idle=(idle + iowait) / _TICKS)
