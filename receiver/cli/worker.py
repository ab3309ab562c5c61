"""receiver worker: the process that looks, collects and applies hints."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import click

from receiver.settings import Settings, load_settings


@click.command()
def worker() -> None:
    """Run the worker until SIGTERM or SIGINT, which end it between two steps."""
    with _counting_together(load_settings()):
        # It imports the library that counts, which looks at once for where to.
        from receiver.cli.worker_process import run  # noqa: PLC0415

        run()


@contextmanager
def _counting_together(settings: Settings) -> Iterator[None]:
    """Let the processes of one worker count into files, as those of gunicorn do."""
    if settings.broker_url is None or not settings.worker_metrics_port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="receiver-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
