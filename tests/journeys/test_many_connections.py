"""More connections than gunicorn may hold: whoever has something to say is heard."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

import pytest

from tests.support.processes import Customer, Installation, call
from tests.support.sockets import connect

# The database has no part in it.
pytestmark = [
    pytest.mark.drill,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET /no", b"GET /nothing-here HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["silent", "a piece", "kept alive"],
)
def test_idle_connections_keep_nobody_out(
    installation: Installation, own_customer: Customer, beginning: bytes
) -> None:
    installation.start_web("--worker-connections", "40")
    own_customer.create_open()
    with ExitStack() as stack:
        for _ in range(100):
            with suppress(ConnectionError):
                stack.enter_context(connect(installation.url)).sendall(beginning)
        for _ in range(5):
            began = time.monotonic()
            answer = call("POST", own_customer.notification_uri(), data=b"id=1")
            assert (answer.status_code, time.monotonic() - began < 5) == (200, True)
