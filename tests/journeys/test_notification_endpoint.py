"""The notification endpoint behind gunicorn: what strangers and slow senders may do to it."""

from __future__ import annotations

import contextlib
import socket
import time
from urllib.parse import urlsplit

import pytest

from receiver.store.models import Notification
from tests.support.house import SECRET_KEY
from tests.support.processes import PACE, Customer, Installation, call, eventually
from tests.support.sockets import connect, read_all

DEADLINE_SECONDS = float(PACE["notification_body_deadline_seconds"])
SLACK_SECONDS = 3.0


def head(url: str, *headers: str) -> bytes:
    """The beginning of a notification, as it goes over the wire."""
    lines = [f"POST {urlsplit(url).path} HTTP/1.1", "Host: receiver", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def fresh_uri(customer: Customer) -> str:
    """The notification URL of a set that Facebook has not worked off."""
    customer.expect(progress={"kind": "by_hand"})
    customer.create_open()
    return customer.notification_uri()


def kept(customer: Customer) -> list[tuple[bytes, str | None]]:
    return [(row.body, row.body_cut) for row in customer.rows(Notification)]


def test_a_forged_token_is_not_found_and_leaves_nothing(customer: Customer) -> None:
    uri = fresh_uri(customer)
    forged = uri[:-1] + ("A" if uri[-1] != "A" else "B")

    answers = {call(method, forged).status_code for method in ("GET", "POST", "PUT", "HEAD")}

    assert answers == {404}
    assert kept(customer) == []


def test_a_reader_is_told_that_all_is_well(customer: Customer) -> None:
    uri = fresh_uri(customer)

    assert [call(method, uri).status_code for method in ("GET", "HEAD")] == [200, 200]

    assert kept(customer) == []


def test_a_body_beyond_the_limit_is_cut_and_marked(customer: Customer) -> None:
    uri = fresh_uri(customer)

    # The second is beyond what a caller of the API may send.
    for size_bytes in (100_000, 11 * 1024 * 1024):
        with connect(uri) as sock:
            sock.sendall(head(uri, f"Content-Length: {size_bytes}") + b"x" * 100_000)
            sock.shutdown(socket.SHUT_WR)
            assert read_all(sock).startswith(b"HTTP/1.1 200 ")

    assert kept(customer) == [(b"x" * 65_536, "size")] * 2


@pytest.mark.parametrize(
    ("header", "piece"),
    [("Content-Length: 5000", b"x"), ("Transfer-Encoding: chunked", b"1\r\nx\r\n")],
    ids=["length", "chunked"],
)
def test_a_body_that_drips_ends_with_the_deadline(
    customer: Customer, header: str, piece: bytes
) -> None:
    uri = fresh_uri(customer)
    began = time.monotonic()
    with connect(uri) as sock:
        sock.sendall(head(uri, header))
        sock.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() - began < DEADLINE_SECONDS + SLACK_SECONDS:
            with contextlib.suppress(TimeoutError):
                sock.sendall(piece)
                answer = sock.recv(4096)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert time.monotonic() - began >= DEADLINE_SECONDS
    ((body, cut),) = kept(customer)
    assert (body.strip(b"x"), cut) == (b"", "deadline")
    assert len(body) > 2


def test_a_sender_that_waits_for_100_continue_hears_it(customer: Customer) -> None:
    uri = fresh_uri(customer)
    with connect(uri) as sock:
        sock.sendall(head(uri, "Content-Length: 5", "Expect: 100-continue"))
        assert sock.recv(4096).startswith(b"HTTP/1.1 100 Continue\r\n")
        sock.sendall(b"id=12")
        assert read_all(sock).startswith(b"HTTP/1.1 200 ")

    assert kept(customer) == [(b"id=12", None)]


def test_a_body_in_chunks_is_put_together(customer: Customer) -> None:
    uri = fresh_uri(customer)

    answer = call("POST", uri, data=iter([b"id=", b"1", b"2"]))

    assert answer.status_code == 200
    assert kept(customer) == [(b"id=12", None)]


def test_what_came_before_a_sender_hung_up_is_kept(customer: Customer) -> None:
    uri = fresh_uri(customer)

    with connect(uri) as sock:
        sock.sendall(head(uri, "Content-Length: 100") + b"id=12")

    eventually(lambda: kept(customer), what="a notification")
    assert [body for body, _ in kept(customer)] == [b"id=12"]
    assert call("POST", uri).status_code == 200


def test_chunks_that_are_none_end_the_body(customer: Customer) -> None:
    uri = fresh_uri(customer)

    with connect(uri) as sock:
        sock.sendall(head(uri, "Transfer-Encoding: chunked") + b"2\r\nid\r\nnonsense\r\n")
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [body for body, _ in kept(customer)] == [b"id"]


def test_no_log_shows_a_token_or_a_key(customer: Customer) -> None:
    uri = fresh_uri(customer)
    call("POST", uri, data=b"id=12")
    call("GET", f"{uri}?id=12&access_token={customer.key}", headers={"Referer": uri})
    set_id = customer.ledger()[-1]["id"]
    read = call("GET", f"{customer.installation.url}/{set_id}?access_token={customer.key}")
    assert read.status_code == 200
    # One that ends in an error is logged in full: its path, and gunicorn's own words.
    with connect(uri) as sock:
        sock.sendall(head(uri).replace(b" HTTP/1.1", b" HTTP/7.7"))
        read_all(sock)

    expected = {
        "POST /notifications/*** ",
        "GET /notifications/***?id=12&access_token=*** ",
        f"GET /{set_id}?access_token=*** ",
    }
    log = customer.installation.fleet.log("web")
    # gunicorn writes the line after the answer.
    eventually(
        lambda: all(line in log.read_text() for line in expected), what=f"the lines {expected}"
    )
    for secret in (uri.rpartition("/")[2], customer.key, SECRET_KEY):
        assert secret not in log.read_text()


def test_a_sender_names_no_address_where_no_proxy_is_trusted(customer: Customer) -> None:
    uri = fresh_uri(customer)

    call("POST", uri, headers={"X-Forwarded-For": "203.0.113.9"})

    assert [row.remote_address for row in customer.rows(Notification)] == ["127.0.0.1"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_behind_a_trusted_proxy_the_address_is_the_one_that_it_saw(
    installation: Installation, own_customer: Customer
) -> None:
    installation.set(trusted_proxies=1)
    installation.start_web()
    uri = fresh_uri(own_customer)

    call("POST", uri, headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})

    assert [row.remote_address for row in own_customer.rows(Notification)] == ["203.0.113.9"]


def test_without_a_database_a_notification_gets_503_and_a_stranger_404(
    installation: Installation,
) -> None:
    installation.set(database_url=out_of_reach(installation.database_url))
    installation.start_web()
    token = installation.parts.keys.sign_token(intent=1, attempt=1)
    uri = f"{installation.url}/notifications/{token}"

    assert [call(method, uri).status_code for method in ("POST", "GET")] == [503, 200]

    assert [call(method, uri + "x").status_code for method in ("POST", "GET")] == [404, 404]
    assert token not in installation.log("web")


def out_of_reach(database_url: str) -> str:
    """The URL of a database of the same kind that is not there."""
    if database_url.startswith("sqlite"):
        return database_url.replace("receiver.db", "nowhere/receiver.db")
    return f"{database_url}_that_is_gone"
