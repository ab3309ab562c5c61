"""``receiver sandbox``: the stateful Graph, as a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from receiver.sandbox.control.validation import Unreadable, read_model
from receiver.sandbox.preset import Preset
from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65_535), required=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--app-secret-file",
    type=_FILE,
    help="Check every call's appsecret_proof with the secret in this file.",
)
@click.option("--strict", is_flag=True, help="Take only accounts, ids and tokens made there.")
@click.option(
    "--trouble",
    type=_FILE,
    help="Begin with the behaviour, troubles, latency and tokens in this JSON file.",
)
def sandbox(
    *, port: int, host: str, app_secret_file: Path | None, strict: bool, trouble: Path | None
) -> None:
    """Run a Graph server to develop and rehearse against, until stopped."""
    running = Sandbox(
        app_secret=_read_secret(app_secret_file),
        is_strict=strict,
        preset=_read_preset(trouble),
    )
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the threads start, which inherit that: only sigwait sees these signals.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    try:
        with serving(running, host=host, port=port) as server:
            click.echo(f"Sandbox listening on {server.url}")
            signal.sigwait(stop_signals)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _read_secret(file: Path | None) -> str | None:
    secret = None if file is None else file.read_text().strip()
    if secret == "":
        raise click.BadParameter("the file is empty", param_hint="--app-secret-file")
    return secret


def _read_preset(file: Path | None) -> Preset | None:
    if file is None:
        return None
    try:
        return read_model(file.read_bytes(), Preset)
    except Unreadable as error:
        raise click.BadParameter(
            f"{file}: {error}. Correct it there: its keys are those of the sandbox's control API.",
            param_hint="--trouble",
        ) from error
