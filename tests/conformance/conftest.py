from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.curl import Shell
from tests.support.sandbox import GraphCaller, SandboxControl, running_sandbox
from tests.support.sdk import sdk_api

IMAGE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
    "////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
"""A JPEG of one pixel."""


@pytest.fixture
def sandbox() -> Iterator[SandboxControl]:
    with running_sandbox() as control:
        yield control


@pytest.fixture
def shell(sandbox: SandboxControl, tmp_path: Path) -> Shell:
    """A shell in a folder that holds the page's ``test1.jpg``."""
    (tmp_path / "test1.jpg").write_bytes(IMAGE)
    return Shell(sandbox.url, tmp_path)


@pytest.fixture
def graph(sandbox: SandboxControl) -> Iterator[GraphCaller]:
    """What prepares an example, and looks at what it did."""
    caller = GraphCaller(sandbox.url)
    with caller.session:
        yield caller


@pytest.fixture
def api(sandbox: SandboxControl) -> Iterator[Any]:
    """The official Python SDK, pointed at the sandbox."""
    with sdk_api(sandbox.url) as api:
        yield api


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file for the SDK to upload."""
    path = tmp_path / "picture.jpg"
    path.write_bytes(IMAGE)
    return path
