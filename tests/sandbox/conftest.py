from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sandbox import (
    GraphCaller,
    Listener,
    SandboxControl,
    listening,
    running_sandbox,
)


@pytest.fixture
def sandbox() -> Iterator[SandboxControl]:
    with running_sandbox() as control:
        yield control


@pytest.fixture
def graph(sandbox: SandboxControl) -> Iterator[GraphCaller]:
    caller = GraphCaller(sandbox.url)
    with caller.session:
        yield caller


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running
