"""Environments of peers: what they need must not get into the project's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_TIMEOUT_SECONDS = 300


class NotInstalled(Exception):
    """A peer cannot be installed on this machine; the text says why."""


def environment_of(peer: str) -> Path:
    """Return the folder of a peer's virtual environment, made on first use.

    It holds what ``peers/<peer>/requirements.txt`` names, and is made anew when that changes.
    Raises NotInstalled.
    """
    wanted = Path(__file__).parent / peer / "requirements.txt"
    folder = _REPOSITORY / "build" / "peers" / peer
    installed = folder / "installed.txt"
    if not (installed.is_file() and installed.read_text() == wanted.read_text()):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, "--requirement", str(wanted)])
        shutil.copyfile(wanted, installed)
    return folder


def _run(command: list[str]) -> None:
    # The project's own constraints are not the peers'.
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    try:
        subprocess.run(  # noqa: S603  # the arguments are our own
            command,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [str(error)]
        raise NotInstalled(said[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"it took longer than {_TIMEOUT_SECONDS} seconds") from error
