"""One call to a caller's ``notification_uri``, within a deadline, to an address that was checked.

A host's name is resolved once, and the connection goes to exactly an address that passed: a name
that leads elsewhere the second time (DNS rebinding) gains nothing. No redirect is followed, no
proxy of the environment is used, and little of the answer is read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import connection

from receiver import __version__
from receiver.deadline import socket_deadlines
from receiver.delivery.addresses import is_public

_ANSWER_BYTES = 4096
_FORM = "application/x-www-form-urlencoded"
_FAILURES = (HTTPError, OSError, ValueError)
_SHORTEST_SECRET = 8
"""What is shorter may be any word, and hides nothing worth it."""

_query_under_way: ContextVar[str] = ContextVar("the query of the URI that is called", default="")


def _hide_query(record: logging.LogRecord) -> bool:
    query = _query_under_way.get()
    if query:
        record.msg, record.args = record.getMessage().replace(query, "(hidden)"), ()
    return True


# urllib3 logs the URLs of its calls, and a caller's query may hold a secret of theirs.
logging.getLogger("urllib3.connectionpool").addFilter(_hide_query)


class AddressRefused(OSError):
    """A host's name leads to an address that is not public."""


@dataclass(frozen=True)
class Reply:
    """How an attempt ended: the HTTP status, or a word for why there is none."""

    http_status: int | None
    error: str | None
    response: str

    @property
    def is_success(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status <= 299  # noqa: PLR2004  # any 2xx


class Sender:
    """Sends messages to callers; one serves many threads."""

    def __init__(self, *, timeout_seconds: float, allow_private_addresses: bool) -> None:
        self.timeout_seconds = timeout_seconds
        self.allow_private_addresses = allow_private_addresses

    def post(self, uri: str, *, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post a form to a URI, exactly as it is given. It raises nothing."""
        ends = time.monotonic() + self.timeout_seconds
        with contextlib.ExitStack() as held:
            query = _query_under_way.set(urlsplit(uri).query)
            held.callback(_query_under_way.reset, query)
            try:
                return self._post(uri, body=body, headers=headers, ends=ends, held=held)
            except _FAILURES as error:
                return Reply(None, error=_word(error, ends=ends), response="")

    def _post(
        self,
        uri: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        ends: float,
        held: contextlib.ExitStack,
    ) -> Reply:
        pool = held.enter_context(self._pool(uri, watch=_watching(ends, held)))
        response = pool.urlopen(
            "POST",
            _target(uri),
            body=body,
            headers={"User-Agent": f"receiver/{__version__}", "Content-Type": _FORM, **headers},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        with contextlib.closing(response):
            text = response.read(_ANSWER_BYTES).decode("utf-8", "replace")
        if time.monotonic() >= ends:
            return Reply(None, error="timeout", response="")
        shown = _without_secrets(text, uri).replace("\0", "\N{REPLACEMENT CHARACTER}")
        return Reply(response.status, error=None, response=shown)

    def _pool(
        self, uri: str, *, watch: Callable[[socket.socket], None]
    ) -> urllib3.HTTPConnectionPool:
        parts = urlsplit(uri)
        settings: dict[str, Any] = {
            "host": parts.hostname or "",
            "port": parts.port,
            "timeout": urllib3.Timeout(self.timeout_seconds),
            "watch": watch,
            "allow_private_addresses": self.allow_private_addresses,
        }
        if parts.scheme == "http":
            return _Pool(**settings)
        return _TLSPool(**settings, cert_reqs=ssl.CERT_REQUIRED, ca_certs=DEFAULT_CA_BUNDLE_PATH)


def _watching(ends: float, held: contextlib.ExitStack) -> Callable[[socket.socket], None]:
    """Cut every socket off at the end of the attempt, also of a peer that drips single bytes."""

    def watch(sock: socket.socket) -> None:
        duplicate = held.enter_context(socket.socket(fileno=os.dup(sock.fileno())))
        seconds = max(0.0, ends - time.monotonic())
        held.enter_context(socket_deadlines.guard(duplicate, seconds=seconds))

    return watch


class _CheckedConnection(HTTPConnection):
    """A connection to an address that was checked, under the host's own name."""

    def __init__(
        self,
        *args: Any,
        watch: Callable[[socket.socket], None],
        allow_private_addresses: bool,
        **arguments: Any,
    ) -> None:
        super().__init__(*args, **arguments)
        self._watch = watch
        self._allow_private_addresses = allow_private_addresses

    def _new_conn(self) -> socket.socket:
        address = self._checked_address()
        sock = connection.create_connection((address, self.port), self.timeout)
        self._watch(sock)
        return sock

    def _checked_address(self) -> str:
        """Resolve the host once. Raises AddressRefused where any of its addresses is private."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        if not self._allow_private_addresses and not all(map(is_public, addresses)):
            raise AddressRefused("The host has an address that is not public")
        return addresses[0]


class _CheckedTLSConnection(_CheckedConnection, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTLSConnection


def _without_secrets(text: str, uri: str) -> str:
    """Take out of an answer what may be a secret in its URI: some repeat what they were sent."""
    parts = urlsplit(uri)
    values = [value for _, value in parse_qsl(parts.query)]
    for secret in (parts.query, *values, parts.password or ""):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "(hidden)")
    return text


def _target(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _word(error: BaseException, *, ends: float) -> str:
    """One word for why no answer came. The error's own text is not used: it shows the URI."""
    if time.monotonic() >= ends:
        return "timeout"
    chain: list[BaseException] = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    for kind, word in _WORDS:
        if any(isinstance(each, kind) for each in chain):
            return word
    return "connection_failed"


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (AddressRefused, "address_refused"),
    (socket.gaierror, "name_not_resolved"),
    (ConnectionRefusedError, "connection_refused"),
    (ssl.SSLError, "tls_failed"),
    (TimeoutError, "timeout"),
    (urllib3.exceptions.TimeoutError, "timeout"),
    (urllib3.exceptions.LocationValueError, "invalid_uri"),
)
