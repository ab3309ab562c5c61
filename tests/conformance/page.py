"""The page's examples: as printed, filled in as a user would, and corrected where they must be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EXAMPLES_TEXT = (Path(__file__).parent / "examples.md").read_text(encoding="utf-8")

_SECTION = re.compile(
    r"^## (?P<name>\S+)\n\n```sh\n(?P<command>.*?)\n```\n"
    r"(?:\n```(?:json|http)\n(?P<answer>.*?)\n```\n)?",
    re.MULTILINE | re.DOTALL,
)
_SECTIONS = {section["name"]: section for section in _SECTION.finditer(EXAMPLES_TEXT)}

COMMANDS: Mapping[str, str] = {name: section["command"] for name, section in _SECTIONS.items()}
"""Every example by its name, in the page's order, as printed."""

CORRECTIONS: Mapping[str, Mapping[str, str]] = {
    "one-request": {"/<REQUEST_SET_ID>/requests": "/<REQUEST_ID>"},
    "update-ads": {
        '"relative_url": <API_VERSION>/v6004251716039"': (
            '"relative_url": "<API_VERSION>/6004251716039"'
        )
    },
    "async-batch": {'requests>"\\\n': 'requests>" \\\n'},
    "async-batch-example": {'\\ -F "access_token': '\\\n-F "access_token', "\\ ": "\\\n"},
    "async-batch-status": {"–": "-"},  # noqa: RUF001  # the page prints an en dash
    "async-batch-requests": {"–": "-"},  # noqa: RUF001  # the page prints an en dash
    "account-async-requests": {"–": "-"},  # noqa: RUF001  # the page prints an en dash
    "batch-etags": {'-i "curl -F': "-i -F", 'facebook.com"': "facebook.com"},
}
"""What README.md says of each example: the print, and what stands for it in the tests."""

_HOSTS = ("https://graph.facebook.com", "https://graph.beta.facebook.com")
_PLACEHOLDER = re.compile(r"<[A-Za-z_ ]+>")

ACCOUNT = "71597454"
AD_SET = "6008248529789"


def ad_spec(name: str, *, adset_id: str = AD_SET) -> dict[str, Any]:
    """Return what an ad is made from."""
    return {"name": name, "adset_id": adset_id, "creative": {"creative_id": "6008248529001"}}


def corrected(name: str) -> str:
    """Return an example with its misprints corrected."""
    text = COMMANDS[name]
    for printed, replacement in CORRECTIONS.get(name, {}).items():
        text = _replace(text, printed, replacement)
    return text


def filled(command: str, filling: Mapping[str, str], *, url: str) -> str:
    """Return a command with host, token, version and ``filling`` in place.

    ``filling`` maps the page's placeholders and ids to those of the test. A URL that is broken
    over two lines is joined, or no shell could pass it on.
    """
    for printed, replacement in filling.items():
        command = _replace(command, printed, replacement)
    standard = {"<ACCESS_TOKEN>": "token", "<API_VERSION>": "v21.0", "v21.0\n/": "v21.0/"}
    for printed, replacement in {**standard, **dict.fromkeys(_HOSTS, url)}.items():
        command = command.replace(printed, replacement)
    command = re.sub("access_token=_+", "access_token=token", command)
    assert not _PLACEHOLDER.search(command), f"Something is not filled in: {command}"
    return command


def _replace(text: str, printed: str, replacement: str) -> str:
    assert printed in text, f"{printed!r} is not in {text}"
    return text.replace(printed, replacement)


def printed_answer(name: str) -> str:
    """Return the answer that the page prints below an example."""
    return str(_SECTIONS[name]["answer"])


def printed_json(name: str) -> Any:
    """Return a printed answer, read without the commas that the page leaves behind in lists."""
    return json.loads(re.sub(r",(\s*\])", r"\1", printed_answer(name)))


def printed_header_names(name: str) -> set[str]:
    """Return the headers of a printed answer, in lower case."""
    return {found.lower() for found in re.findall(r"([A-Z][\w-]*): ", printed_answer(name))}


def shape(value: Any, *, key: str = "") -> Any:
    """Return what an answer looks like: its keys, its types, one member for a list.

    An id is a string, although the page prints some as numbers (the facts, section 1).
    """
    if isinstance(value, dict):
        return {name: shape(member, key=name) for name, member in value.items()}
    if isinstance(value, list):
        shapes = [shape(member, key=key) for member in value]
        assert all(one == shapes[0] for one in shapes)
        return shapes[:1]
    return "str" if key == "id" or key.endswith("_id") else type(value).__name__
