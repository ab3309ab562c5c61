"""The machine that a benchmark ran on, as far as figures depend on it."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import postgresql
from benchmarks.postgresql import NoPostgreSQL

_BUSY_LOAD_PER_CORE = 0.25
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Machine:
    """What it is, what runs on it, and how busy it was before; ``memory_mib`` None for unknown."""

    date: str
    commit: str
    cores: int
    cpu: str
    memory_mib: int | None
    system: str
    python: str
    sqlite: str
    postgresql: str | None
    load_average: float

    @property
    def is_busy(self) -> bool:
        """Whether so much ran already that no absolute figure of this run means anything."""
        return self.load_average > _BUSY_LOAD_PER_CORE * self.cores

    def __str__(self) -> str:
        memory = "" if self.memory_mib is None else f", {self.memory_mib / 1024:.0f} GiB"
        return (
            f"{self.cores} cores ({self.cpu}){memory}, {self.system}, Python {self.python}, "
            f"SQLite {self.sqlite}, PostgreSQL {self.postgresql or 'none'}; "
            f"commit {self.commit}, {self.date}, load {self.load_average:.2f} before the start"
        )


def this_machine() -> Machine:
    """Look at this machine."""
    return Machine(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        commit=_commit(),
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu_model(_read("/proc/cpuinfo")) or platform.machine(),
        memory_mib=memory_mib(_read("/proc/meminfo")),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        postgresql=_postgresql(),
        load_average=os.getloadavg()[0],
    )


def cpu_model(cpuinfo: str) -> str | None:
    """Read the processor's name out of ``/proc/cpuinfo``."""
    found = re.search(r"^model name\s*: *(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else None


def memory_mib(meminfo: str) -> int | None:
    """Read how much memory there is out of ``/proc/meminfo``."""
    found = re.search(r"^MemTotal: *([0-9]+) kB", meminfo, re.MULTILINE)
    return int(found[1]) // 1024 if found else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _commit() -> str:
    """Return the short name of the commit that is measured, with ``+`` where files differ."""
    try:
        return _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # the arguments are our own
        ["git", *arguments],  # noqa: S607  # whichever git the developer uses
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _postgresql() -> str | None:
    try:
        return postgresql.version()
    except NoPostgreSQL:
        return None
