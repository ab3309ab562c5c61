"""What ``receiver worker`` runs: the loop, and with a broker Celery beside it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import click
import structlog

from receiver import garbage
from receiver.assembly import Parts
from receiver.broker.connection import Broker
from receiver.cli.common import opened_parts
from receiver.logs import configure_logging
from receiver.settings import Settings, secret_values
from receiver.worker import celery_process, metrics_server, sweep
from receiver.worker.celery_process import CeleryProcess
from receiver.worker.loop import Duty, Loop

log = structlog.get_logger(__name__)


def run() -> None:
    """Work until SIGTERM or SIGINT."""
    with opened_parts(check_secrets=True) as parts:
        settings = parts.settings
        configure_logging(settings.log_level, secrets=secret_values(settings))
        with _metrics_served(settings):
            if parts.broker is None:
                _work(_loop(parts), settings)
            else:
                _work_beside_celery(parts, parts.broker)
        log.info("The worker ended")


def _loop(parts: Parts) -> Loop:
    settings = parts.settings
    return Loop(
        parts.tools,
        threads=settings.worker_threads,
        interval_seconds=settings.hint_interval_seconds,
    )


def _work(loop: Loop, settings: Settings, celery: CeleryProcess | None = None) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        loop.stop()
        if celery is not None:
            celery.end()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # An answer with thousands of requests would start a search of everything, each time.
    garbage.search_seldom()
    log.info("The worker runs", threads=settings.worker_threads)
    loop.run()


def _work_beside_celery(parts: Parts, broker: Broker) -> None:
    """Let Celery take the steps; the loop finds work for it, and takes what it leaves."""
    from receiver.worker.celery import run as run_celery  # noqa: PLC0415  # an extra

    settings = parts.settings
    celery = CeleryProcess(settings, run=run_celery)
    found = sweep.Sweep(parts.tools, broker)
    loop = Loop(
        parts.tools,
        threads=max(1, settings.worker_threads // 4),
        interval_seconds=settings.hint_interval_seconds,
        due_for=sweep.PATIENCE,
        duties=[
            Duty("celery", celery.keep_alive, celery_process.INTERVAL_SECONDS),
            Duty("sweep", found.wake_due, sweep.INTERVAL_SECONDS),
        ],
    )
    _work(loop, settings, celery)
    celery.join()


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
