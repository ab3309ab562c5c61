"""What processes do that a test starts anew, with an interpreter of their own: little to import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from receiver.settings import Settings


def note(settings: Settings, event: str) -> None:
    folder = Path(settings.database_url.get_secret_value().removeprefix("sqlite:///")).parent
    with (folder / "events").open("a") as events:
        events.write(f"{event} {os.getpid()}\n")


def finish(settings: Settings) -> None:
    """Run until SIGTERM, and take a moment to finish."""
    is_over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(1))
    note(settings, "began")
    while not is_over:
        time.sleep(0.01)
    note(settings, "finished")


def never_finish(settings: Settings) -> None:
    """Run on whatever SIGTERM asks for, as a step that is slow."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # As Celery does: where a shell runs the tests in the background, it is ignored.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    note(settings, "began")
    time.sleep(60)
