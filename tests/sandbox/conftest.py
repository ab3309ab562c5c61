from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sandbox import Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running
