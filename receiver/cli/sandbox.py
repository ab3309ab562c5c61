"""``receiver sandbox``: the stateful Graph, as a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65_535), required=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--app-secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check every call's appsecret_proof with the secret in this file.",
)
def sandbox(port: int, host: str, app_secret_file: Path | None) -> None:
    """Run a Graph server to develop and rehearse against, until stopped."""
    secret = None if app_secret_file is None else app_secret_file.read_text().strip()
    if secret == "":
        raise click.BadParameter("the file is empty", param_hint="--app-secret-file")
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the threads start, which inherit that: only sigwait sees these signals.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    try:
        with serving(Sandbox(app_secret=secret), host=host, port=port) as server:
            click.echo(f"Sandbox listening on {server.url}")
            signal.sigwait(stop_signals)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
