"""curl for real: an example of the page goes through bash and curl as a user would paste it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.page import COMMANDS, corrected, filled
from tests.support.programs import required_program

_TIMEOUT_SECONDS = 60

# What a user's curl does anyway, but for the headers, which go to a file so that the command
# itself stays as it is printed.
_CURL_CONFIGURATION = """\
silent
show-error
noproxy = "*"
max-time = 30
dump-header = "headers"
"""


@dataclass(frozen=True)
class Answer:
    """What curl got. ``headers`` have names in lower case; ``shown`` is all that curl printed."""

    status: int
    headers: Mapping[str, str]
    text: str
    shown: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Entry:
    """One operation's answer in a batch. ``body`` is JSON, read; None for null."""

    code: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Shell:
    """A shell whose user has the sandbox at ``url`` in mind, and their files in ``folder``."""

    url: str
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / ".curlrc").write_text(_CURL_CONFIGURATION)

    def paste(
        self, example: str, filling: Mapping[str, str] | None = None, *, as_printed: bool = False
    ) -> Answer:
        """Run an example of the page with its ids, token and host filled in.

        With ``as_printed`` its misprints stay, but for a URL that is broken over two lines.
        """
        command = COMMANDS[example] if as_printed else corrected(example)
        return self.run(filled(command, filling or {}, url=self.url))

    def run(self, script: str) -> Answer:
        """Run a script that ends in a curl. Fails the test where curl got no answer."""
        required_program("curl")
        done = subprocess.run(
            [required_program("bash"), "-c", script],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        return _read_answer((self.folder / "headers").read_bytes().decode(), shown=done.stdout)


def _read_answer(head: str, *, shown: str) -> Answer:
    # A body may have been announced first (100 Continue): the last head is the answer's.
    *_, last = re.split(r"\r?\n\r?\n", head.strip())
    first_line, *lines = last.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    # With -i, curl prints the heads before the body; universal newlines have eaten their CRs.
    text = shown.removeprefix(head.replace("\r\n", "\n"))
    return Answer(int(first_line.split()[1]), headers, text=text, shown=shown)


def entries(answer: Answer) -> list[Entry | None]:
    """Return the entries of a batch that was taken as a whole: HTTP 200 and a JSON array."""
    assert answer.status == 200, answer.text
    return [None if entry is None else _read_entry(entry) for entry in answer.json]


def _read_entry(entry: dict[str, Any]) -> Entry:
    headers = {header["name"]: header["value"] for header in entry["headers"]}
    body = entry["body"]
    return Entry(entry["code"], headers, body=None if body is None else json.loads(body))
