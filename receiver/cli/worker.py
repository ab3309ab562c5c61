"""receiver worker: the process that looks, collects and applies hints."""

from __future__ import annotations

import signal
from types import FrameType

import click
import structlog

from receiver.cli.common import opened_parts
from receiver.logs import configure_logging
from receiver.worker.loop import Loop

log = structlog.get_logger(__name__)


@click.command()
def worker() -> None:
    """Run the worker until SIGTERM or SIGINT, which end it between two steps."""
    with opened_parts(check_secrets=True) as parts:
        settings = parts.settings
        configure_logging(settings.log_level)
        loop = Loop(
            parts.tools,
            threads=settings.worker_threads,
            interval_seconds=settings.hint_interval_seconds,
        )

        def stop(_signal: int, _frame: FrameType | None) -> None:
            loop.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        log.info("The worker runs", threads=settings.worker_threads)
        loop.run()
        log.info("The worker ended")
