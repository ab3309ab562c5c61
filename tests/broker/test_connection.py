from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from receiver.broker import connection
from receiver.broker.connection import TASK, Broker, BrokerAway, make_app
from tests.support.brokers import own_broker, taken, woken
from tests.support.certificates import self_signed, server_context
from tests.support.dead_addresses import DEAD, dead_port
from tests.support.loops import wait_until


def test_a_message_says_that_an_account_has_work_due_and_nothing_else(broker_url: str) -> None:
    with closing(Broker(broker_url)) as broker:
        assert broker.count_waiting() == 0
        broker.send(71597454)
        assert broker.count_waiting() == 1
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    assert taken(broker_url) == [(TASK, [[71597454], {}, nothing])]


def test_a_broker_has_room_until_so_many_wait(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_MESSAGES", 2)
    with closing(Broker(broker_url)) as broker:
        rooms = []
        for account_id in range(1, 4):
            rooms.append(broker.has_room())
            broker.send(account_id)
    assert rooms == [True, True, False]


def test_a_connection_that_died_meanwhile_is_made_anew(tmp_path: Path) -> None:
    with own_broker("redis", tmp_path) as redis, closing(Broker(redis.url)) as broker:
        broker.send(1)
        redis.kill()
        with pytest.raises(BrokerAway):
            broker.send(2)
        redis.start()
        broker.send(3)
        redis.kill()
        redis.start()
        broker.send(4)
        assert woken(redis.url)[-1] == 4


@pytest.mark.parametrize("kind", DEAD)
@pytest.mark.parametrize("scheme", ["redis", "amqp", "rediss", "amqps"])
def test_a_dead_address_is_given_up_in_a_moment(kind: str, scheme: str) -> None:
    with dead_port(kind) as port:
        url = f"{scheme}://user:a-password-of-nobody@127.0.0.1:{port}/0"
        with closing(Broker(url)) as broker:
            began = time.monotonic()
            with pytest.raises(BrokerAway) as caught:
                broker.send(1)
            took_seconds = time.monotonic() - began
    assert took_seconds < 4
    assert str(caught.value)
    assert "a-password-of-nobody" not in str(caught.value)


@contextmanager
def tls_server(pem: Path) -> Iterator[tuple[int, list[bool]]]:
    """Yield the port of a server that only shakes hands, and whether its peers finished each."""
    finished: list[bool] = []
    context = server_context(pem)

    def serve(listening: socket.socket) -> None:
        # It ends when its socket is closed.
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                peer.settimeout(5)
                try:
                    context.wrap_socket(peer, server_side=True).close()
                except OSError:
                    finished.append(False)
                    peer.close()
                else:
                    finished.append(True)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield listening.getsockname()[1], finished
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_a_broker_whose_certificate_nobody_vouches_for_is_told_nothing(
    scheme: str, tmp_path: Path
) -> None:
    with tls_server(self_signed(tmp_path)) as (port, finished):
        with (
            closing(Broker(f"{scheme}://user:word@127.0.0.1:{port}/0")) as broker,
            pytest.raises(BrokerAway, match="certificate verify failed"),
        ):
            broker.send(1)
        wait_until(lambda: len(finished) > 0)
    assert set(finished) == {False}


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_an_authority_that_the_machine_trusts_vouches_for_a_broker(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with tls_server(pem) as (port, finished):
        with (
            closing(Broker(f"{scheme}://user:word@127.0.0.1:{port}/0")) as broker,
            pytest.raises(BrokerAway),
        ):
            broker.send(1)
        wait_until(lambda: len(finished) > 0)
    assert set(finished) == {True}


def test_variables_of_celerys_own_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
        monkeypatch.setenv(name, "redis://elsewhere/0")
    app = make_app("redis://here/0")
    assert app.connection_for_read().hostname == "here"
    assert app.connection_for_write().hostname == "here"
