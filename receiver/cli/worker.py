"""receiver worker: the process that looks, collects and applies hints."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import click
import structlog

from receiver.cli.common import opened_parts
from receiver.logs import configure_logging
from receiver.settings import Settings, secret_values
from receiver.worker import metrics_server
from receiver.worker.loop import Loop

log = structlog.get_logger(__name__)


@click.command()
def worker() -> None:
    """Run the worker until SIGTERM or SIGINT, which end it between two steps."""
    with opened_parts(check_secrets=True) as parts:
        settings = parts.settings
        configure_logging(settings.log_level, secrets=secret_values(settings))
        loop = Loop(
            parts.tools,
            threads=settings.worker_threads,
            interval_seconds=settings.hint_interval_seconds,
        )

        def stop(_signal: int, _frame: FrameType | None) -> None:
            loop.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        with _metrics_served(settings):
            log.info("The worker runs", threads=settings.worker_threads)
            loop.run()
        log.info("The worker ended")


@contextmanager
def _metrics_served(settings: Settings) -> Iterator[None]:
    """Serve this process's metrics for the block, if that is wanted."""
    if not settings.worker_metrics_port:
        yield
        return
    token = settings.metrics_token
    with ExitStack() as served:
        try:
            served.enter_context(
                metrics_server.serving(
                    settings.worker_metrics_port,
                    token=None if token is None else token.get_secret_value(),
                )
            )
        except OSError as error:
            raise click.ClickException(
                f"The worker's metrics cannot be served on port {settings.worker_metrics_port} "
                f"({error.strerror}): give each worker of a machine a RECEIVER_WORKER_METRICS_PORT "
                "of its own."
            ) from error
        yield
