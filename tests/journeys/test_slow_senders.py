"""Senders that drip their bytes keep nobody out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests.support.processes import Customer, call
from tests.support.sockets import connect, read_all

DRIPPING = 64

# The database has no part in it.
pytestmark = [
    pytest.mark.drill,
    pytest.mark.parametrize("customer", ["sqlite"], indirect=True),
]


@contextmanager
def dripping(url: str, beginning: bytes, *, count: int = DRIPPING) -> Iterator[list[socket.socket]]:
    """Let so many connections send a byte each half second."""
    ends = threading.Event()
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(url)) for _ in range(count)]
        for sock in sockets:
            sock.sendall(beginning)

        def drip() -> None:
            while not ends.wait(0.5):
                for sock in sockets:
                    with suppress(OSError):
                        sock.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield sockets
        finally:
            ends.set()
            thread.join()


def seconds_of_a_notification(customer: Customer) -> float:
    began = time.monotonic()
    assert call("POST", customer.notification_uri(), data=b"id=1").status_code == 200
    return time.monotonic() - began


def heads(customer: Customer) -> dict[str, bytes]:
    path = urlsplit(customer.notification_uri()).path
    return {
        "a request line": b"POST /notifications/",
        "headers": f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Slow: ".encode(),
    }


@pytest.mark.parametrize("what", ["a request line", "headers"])
def test_heads_that_drip_over_64_connections_keep_nobody_out(customer: Customer, what: str) -> None:
    customer.create_open()
    with dripping(customer.installation.url, heads(customer)[what]):
        time.sleep(1)
        for _ in range(5):
            assert seconds_of_a_notification(customer) < 2


def test_a_head_that_drips_is_cut_off_in_time(customer: Customer) -> None:
    customer.create_open()
    began = time.monotonic()
    with dripping(customer.installation.url, heads(customer)["headers"], count=1) as (sock,):
        sock.settimeout(30)
        assert read_all(sock) == b""
    assert 9 < time.monotonic() - began < 20


def test_bodies_that_drip_hold_their_threads_no_longer_than_their_deadline(
    customer: Customer,
) -> None:
    """Only whoever knows a notification's URL can do this: all others are answered at once."""
    customer.create_open()
    path = urlsplit(customer.notification_uri()).path
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode()
    with dripping(customer.installation.url, head):
        time.sleep(0.5)
        # Two rounds of the deadline of this test's receiver, one second, and some for the machine.
        assert seconds_of_a_notification(customer) < 8


@pytest.mark.parametrize("path", ["/admin/sign-in", "/admin/plans", "/admin/api/plans"])
def test_forms_that_drip_keep_nobody_out(customer: Customer, path: str) -> None:
    customer.create_open()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode()
    with dripping(customer.installation.url, head):
        time.sleep(0.5)
        for _ in range(3):
            assert seconds_of_a_notification(customer) < 2


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_head_in_pieces_is_served_once_it_is_whole(customer: Customer, pieces: int) -> None:
    customer.create_open()
    path = urlsplit(customer.notification_uri()).path
    request = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nid=1"
    ).encode()
    size = -(-len(request) // pieces)
    with connect(customer.installation.url) as sock:
        for start in range(0, len(request), size):
            sock.sendall(request[start : start + size])
            time.sleep(0.1)
        assert read_all(sock).startswith(b"HTTP/1.1 200 ")


def test_kept_connections_and_requests_sent_ahead_are_served(customer: Customer) -> None:
    request = b"GET /nothing-here HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /nothing-here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(customer.installation.url) as sock:
        sock.sendall(request)
        time.sleep(0.3)
        sock.sendall(request + request + last)
        assert read_all(sock).count(b"HTTP/1.1 ") == 4


def test_a_head_without_an_end_is_cut_off(customer: Customer) -> None:
    with connect(customer.installation.url) as sock, suppress(ConnectionError):
        for _ in range(1000):
            sock.sendall(b"y" * 8000)
            time.sleep(0.001)
        raise AssertionError("It was read on and on")


@pytest.mark.parametrize("ahead", ["GET /no", "GET /nothing HTTP/1.1\r\nX-Slow: "])
def test_requests_sent_ahead_in_part_keep_nobody_out(customer: Customer, ahead: str) -> None:
    customer.create_open()
    whole = "GET /nothing-here HTTP/1.1\r\nHost: x\r\n\r\n"
    with dripping(customer.installation.url, (whole + ahead).encode()):
        time.sleep(1)
        for _ in range(5):
            assert seconds_of_a_notification(customer) < 2


def test_a_request_sent_ahead_in_part_is_served_once_it_is_whole(customer: Customer) -> None:
    request = b"GET /nothing-here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(customer.installation.url) as sock:
        sock.sendall(request.replace(b"Connection: close\r\n", b"") + request[:20])
        time.sleep(0.3)
        sock.sendall(request[20:30])
        time.sleep(0.3)
        sock.sendall(request[30:])
        assert read_all(sock).count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("what", ["a request line", "headers"])
def test_a_head_whose_sender_has_closed_its_side_is_not_waited_for(
    customer: Customer, what: str
) -> None:
    customer.create_open()
    began = time.monotonic()
    with connect(customer.installation.url) as sock:
        sock.sendall(heads(customer)[what])
        time.sleep(0.2)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b""
    assert time.monotonic() - began < 5


def test_a_whole_request_whose_sender_has_closed_its_side_is_served(customer: Customer) -> None:
    with connect(customer.installation.url) as sock:
        sock.sendall(b"GET /nothing-here HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock).startswith(b"HTTP/1.1 400 ")


def test_senders_that_leave_their_connections_open_keep_nobody_out(customer: Customer) -> None:
    customer.create_open()
    request = b"GET /nothing-here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(customer.installation.url)).sendall(request)
        for _ in range(5):
            assert seconds_of_a_notification(customer) < 2


@pytest.mark.parametrize("rest", [b"", b"more than was asked for", b"y" * 500_000])
def test_a_connection_that_is_over_is_closed_after_its_answer(
    customer: Customer, rest: bytes
) -> None:
    request = b"GET /nothing-here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    began = time.monotonic()
    with connect(customer.installation.url) as sock:
        sock.sendall(request)
        assert read_all(sock).startswith(b"HTTP/1.1 400 ")
        with suppress(ConnectionError):
            sock.sendall(rest)
            while True:
                sock.sendall(b"z")
                time.sleep(0.1)
    assert time.monotonic() - began < 6
