from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount

from tests.conformance.curl import Shell
from tests.conformance.page import ACCOUNT, ad_spec
from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sdk import Callbacks, sdk_api
from tests.support.sdk_objects import Family, create_family

IMAGE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
    "////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
"""A JPEG of one pixel."""


@pytest.fixture
def shell(sandbox: SandboxControl, tmp_path: Path) -> Shell:
    """A shell in a folder that holds the page's ``test1.jpg``."""
    (tmp_path / "test1.jpg").write_bytes(IMAGE)
    return Shell(sandbox.url, tmp_path)


@pytest.fixture
def open_set_id(sandbox: SandboxControl, graph: GraphCaller) -> str:
    """A set of three that is worked off by hand, as all later ones of its account are."""
    sandbox.configure(ACCOUNT, progress={"kind": "by_hand"})
    return graph.create(ACCOUNT, [ad_spec(name) for name in ("one", "two", "three")])


@pytest.fixture
def api(sandbox: SandboxControl) -> Iterator[Any]:
    """The official Python SDK, pointed at the sandbox."""
    with sdk_api(sandbox.url) as api:
        yield api


@pytest.fixture
def account(api: Any) -> Any:
    """The AdAccount of the SDK that has the id 1."""
    return AdAccount("act_1", api=api)


@pytest.fixture
def family(account: Any) -> Family:
    return create_family(account)


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file for the SDK to upload."""
    path = tmp_path / "picture.jpg"
    path.write_bytes(IMAGE)
    return path
