"""Bodies that are cut, late or never sent, behind gunicorn: nothing is made of a piece of one."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.house import ad
from tests.support.processes import Customer, Installation, call, eventually
from tests.support.sockets import connect, read_all

pytestmark = pytest.mark.drill

FORM = "application/x-www-form-urlencoded"


def create_head(customer: Customer, *headers: str) -> bytes:
    """The beginning of a create, as it goes over the wire."""
    lines = [
        f"POST /v21.0/act_{customer.account}/asyncadrequestsets HTTP/1.1",
        "Host: receiver",
        f"Authorization: Bearer {customer.key}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def body_and_length(*, content_type: str) -> tuple[bytes, int]:
    """A create that stays readable when its end is cut off, and how long it says it is."""
    parameters = {"name": "A set", "ad_specs": json.dumps([ad("one"), ad("two")])}
    text = urlencode(parameters) if content_type == FORM else json.dumps(parameters)
    body = text.encode()
    return body, len(body) + 100


@pytest.mark.parametrize("content_type", [FORM, "application/json"])
def test_a_create_whose_body_is_cut_off_makes_nothing(
    customer: Customer, content_type: str
) -> None:
    body, length = body_and_length(content_type=content_type)
    head = create_head(customer, f"Content-Type: {content_type}", f"Content-Length: {length}")

    with connect(customer.installation.url) as sock:
        sock.sendall(head + body)
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"The body ended before its end" in answer
    assert (customer.sets(), customer.ledger()) == ([], [])


def test_a_create_whose_body_is_late_makes_nothing(customer: Customer) -> None:
    body, length = body_and_length(content_type=FORM)
    head = create_head(customer, f"Content-Type: {FORM}", f"Content-Length: {length}")

    with connect(customer.installation.url) as sock:
        sock.sendall(head + body)
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert (customer.sets(), customer.ledger()) == ([], [])


def test_a_create_in_broken_chunks_makes_nothing(customer: Customer) -> None:
    body, _ = body_and_length(content_type=FORM)
    head = create_head(customer, f"Content-Type: {FORM}", "Transfer-Encoding: chunked")

    with connect(customer.installation.url) as sock:
        sock.sendall(head + f"{len(body):x}\r\n".encode() + body + b"\r\nnonsense\r\n")
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (customer.sets(), customer.ledger()) == ([], [])


def test_a_create_in_chunks_is_taken(customer: Customer) -> None:
    body, _ = body_and_length(content_type=FORM)

    answer = customer.call(
        "POST",
        f"/act_{customer.account}/asyncadrequestsets",
        data=iter([body[:50], body[50:]]),
        headers={"Content-Type": FORM},
    )

    assert answer.status_code == 200, answer.text
    assert len(customer.ledger()) == 1


def test_a_body_far_over_the_limit_hears_so(customer: Customer) -> None:
    answer = customer.create(padding="x" * (30 * 1024 * 1024))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, 100)
    assert customer.sets() == []


def test_strangers_who_announce_bodies_and_send_none_keep_nobody_out(customer: Customer) -> None:
    customer.expect(progress={"kind": "by_hand"})
    customer.create_open()
    uri = customer.notification_uri()
    path = urlsplit(uri).path[:-4] + "AAAA"
    forged = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(connect(uri)).sendall(forged)
        began = time.monotonic()
        assert call("POST", uri, data=b"id=1").status_code == 200
        took_seconds = time.monotonic() - began

    # Each of 64 strangers would hold one of 32 threads for five seconds.
    assert took_seconds < 8


def test_the_rest_of_a_body_is_never_taken_for_a_request(customer: Customer) -> None:
    """It arrives just when the server gives the body up, and looks like requests."""
    url = customer.installation.url
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    head = b"POST /notifications/forged HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n"

    def smuggle(number: int) -> bytes:
        with connect(url) as sock:
            sock.sendall(head)
            time.sleep(0.24 + 0.001 * number)
            with contextlib.suppress(OSError):
                sock.sendall(smuggled)
            return read_all(sock)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(smuggle, range(40)))

    assert {answer.count(b"HTTP/1.1 ") for answer in answers} <= {0, 1}
    assert any(answer.startswith(b"HTTP/1.1 404 ") for answer in answers)


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/admin/sign-in", FORM, b"key=none&csrf_token=none"),
        ("/admin/api/plans", "application/json", b'{"action": "look", "filters": {}}'),
    ],
    ids=["a form", "JSON"],
)
def test_a_connection_goes_on_after_a_body_that_was_read(
    customer: Customer, path: str, content_type: str, body: bytes
) -> None:
    address = urlsplit(customer.installation.url)
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {customer.key}"}
    connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
    with contextlib.closing(connection):
        for _ in range(5):
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (201, 400)
            assert connection.sock is not None, "it was closed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_creates_that_wait_for_facebook_keep_nobody_else_out(
    installation: Installation, own_customer: Customer
) -> None:
    installation.set(web_threads=8)
    installation.start_web()
    own_customer.create_open()
    uri = own_customer.notification_uri()
    own_customer.sandbox.trouble(
        "hold", method="POST", account=own_customer.account, count=2, effect="before"
    )
    with ThreadPoolExecutor(2) as pool:
        # Two that are alike would be one create.
        waiting = [pool.submit(own_customer.create, name=f"Set {n}") for n in range(2)]
        eventually(
            lambda: sum(one["trouble"] == "hold" for one in own_customer.calls()) == 2,
            what="two creates that wait",
        )
        refused = own_customer.create()
        assert (refused.status_code, refused.json()["error"]["is_transient"]) == (503, True)
        assert call("POST", uri, data=b"id=1").status_code == 200
        own_customer.sandbox.release()
        assert [one.result().status_code for one in waiting] == [200, 200]

    assert len(own_customer.sets()) == len(own_customer.ledger()) == 3
