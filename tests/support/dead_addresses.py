"""Addresses at which nobody helps: refused, swallowed, or taken and never answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from receiver.cli.processes import free_port

DEAD = ("refused", "swallowed", "silent")


@contextmanager
def dead_port(kind: str) -> Iterator[int]:
    """Yield a port of this machine at which a connection is of no use."""
    if kind == "refused":
        yield free_port()
        return
    with ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0 if kind == "swallowed" else 50)
        if kind == "swallowed":
            # Once its queue is full, the kernel lets the next connection wait for ever.
            for _ in range(3):
                waiting = held.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
