from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount

from tests.conformance.curl import Shell
from tests.conformance.page import ACCOUNT, ad_spec
from tests.support.databases import fresh_database_url
from tests.support.gateway import QUIET, running_gateway
from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sdk import Callbacks, sdk_api
from tests.support.sdk_objects import Family, create_family

IMAGE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
    "////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
"""A JPEG of one pixel."""


ACCOUNTS = (1, 2, 123456, 600335, 12345678, 19643108, 71597454, 187687683)
"""The accounts of the page's examples and of the tests."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what calls a host twice: against the sandbox, and against a receiver in front of it."""
    if "host_kind" in metafunc.fixturenames:
        is_sandbox_only = metafunc.definition.get_closest_marker("sandbox_only") is not None
        kinds = ["sandbox"] if is_sandbox_only else ["sandbox", "receiver"]
        metafunc.parametrize("host_kind", kinds)


@pytest.fixture
def host(host_kind: str, sandbox: SandboxControl, tmp_path: Path) -> Iterator[str]:
    """The URL that a client of Facebook calls instead."""
    with running_host(host_kind, sandbox, tmp_path) as url:
        yield url


@contextmanager
def running_host(kind: str, sandbox: SandboxControl, folder: Path) -> Iterator[str]:
    """Give the sandbox's own URL, or that of a receiver in front of it."""
    if kind == "sandbox":
        yield sandbox.url
        return
    with (
        fresh_database_url("sqlite", folder) as database_url,
        running_gateway(
            sandbox,
            database_url=database_url,
            account_ids=ACCOUNTS,
            read_ttl_seconds=0,
            delivery_allow_private_addresses=True,
            # Facebook tries once.
            delivery_retry_seconds=(),
            **QUIET,
        ) as gateway,
    ):
        yield gateway.url


@pytest.fixture
def graph(host: str) -> Iterator[GraphCaller]:
    """Plain Graph calls to the host."""
    caller = GraphCaller(host)
    with caller.session:
        yield caller


@pytest.fixture
def shell(host: str, tmp_path: Path) -> Shell:
    """A shell in a folder that holds the page's ``test1.jpg``."""
    (tmp_path / "test1.jpg").write_bytes(IMAGE)
    return Shell(host, tmp_path)


@pytest.fixture
def open_set_id(sandbox: SandboxControl, graph: GraphCaller) -> str:
    """A set of three that is worked off by hand, as all later ones of its account are."""
    sandbox.configure(ACCOUNT, progress={"kind": "by_hand"})
    return graph.create(ACCOUNT, [ad_spec(name) for name in ("one", "two", "three")])


@pytest.fixture
def api(host: str) -> Iterator[Any]:
    """The official Python SDK, pointed at the host."""
    with sdk_api(host) as api:
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
