"""The file that a command reads twice: as it is, or a copy of what comes only once."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from receiver.cli.spec_files import MAX_FILE_BYTES, BadFile

STANDARD_INPUT = "-"
_CHUNK_BYTES = 1024 * 1024


@contextmanager
def opened_source(name: str) -> Iterator[IO[bytes]]:
    """Open a file, or standard input for ``-``, so that it can be read more than once.

    Raises BadFile for what cannot be opened, or is too large to be kept in a temporary file.
    """
    if name == STANDARD_INPUT:
        with _copied(sys.stdin.buffer) as copy:
            yield copy
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  # closed right below
    except OSError as error:
        raise BadFile(f"{name} cannot be read: {error.strerror}.") from error
    with stream:
        if stream.seekable():
            yield stream
            return
        # What another process writes into a pipe comes once.
        with _copied(stream) as copy:
            yield copy


@contextmanager
def _copied(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile(prefix="receiver-set-") as copy:
        size = 0
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise BadFile(f"The input is larger than {MAX_FILE_BYTES} bytes: divide it.")
            copy.write(chunk)
        copy.seek(0)
        yield copy
