"""One HTTP call within a hard deadline, and whether any of it may have left this machine.

``requests`` and urllib3 do the work. What they do not do stands here: a total time for the whole
call, also against a peer that drips single bytes; and the moment before which a call
that fails was surely not sent. Nothing is repeated here, and no redirect is followed.

Two things can outlast the deadline, and nothing is sent after them: the system's name resolution,
and connecting to a host with several addresses that are all silent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, HTTPError

from receiver import __version__
from receiver.deadline import Guard, socket_deadlines
from receiver.graph.answers import trace_id
from receiver.graph.errors import (
    AnswerTooLate,
    AnswerTooLong,
    CallFailed,
    NoAnswer,
    NotSent,
    UnreadableAnswer,
)
from receiver.graph.usage import Usage, parse_usage

_CHUNK_BYTES = 64 * 1024
_HEADERS = {
    # The page asks for one that never changes: an ETag may depend on it.
    "User-Agent": f"receiver/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}
_FAILURES = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""What requests, urllib3, http.client, the sockets and the encoding of parameters raise."""


@dataclass(frozen=True)
class Answer:
    """An answer; its body is decoded, its headers match in any case.

    ``stream`` stands for a body that is to be read piece by piece, and has to be closed.
    """

    http_status: int
    headers: Mapping[str, str]
    body: bytes
    usage: Usage
    stream: Stream | None = None


class Stream:
    """A body that is read piece by piece, within the deadline of its call.

    Iterating raises NoAnswer for one that breaks off, AnswerTooLong for one that is too long.
    """

    def __init__(
        self, response: requests.Response, transmission: Transmission, *, limit_bytes: int
    ) -> None:
        self._response = response
        self._transmission = transmission
        self._limit_bytes = limit_bytes
        self._guards = transmission.keep_watching()

    def __iter__(self) -> Iterator[bytes]:
        with contextlib.closing(self):
            yield from self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        seen = 0
        try:
            for chunk in self._response.raw.stream(_CHUNK_BYTES, decode_content=True):
                seen += len(chunk)
                if seen > self._limit_bytes:
                    raise AnswerTooLong(http_status=self._response.status_code)
                yield chunk
        except _FAILURES as error:
            raise self._transmission.failure(error) from None
        if self._transmission.is_cut_off:
            # The end of a stream that was cut off looks like the end of an answer.
            raise _too_late(_DEADLINE)

    def close(self) -> None:
        """Let go of the connection, read to its end or not."""
        with self._guards:
            self._response.close()


class Transmission:
    """One call on its way. Its moments are those of ``time.monotonic()``.

    ``send_before``: the call is not sent later. ``ends``: the call is cut off then.
    ``may_have_left`` turns true just before the call's first byte is handed to the system.
    """

    def __init__(self, *, send_before: float, ends: float) -> None:
        self.may_have_left = False
        self._send_before = min(send_before, ends)
        self._ends = ends
        self._guard: Guard | None = None
        self._guards = contextlib.ExitStack()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    @property
    def is_cut_off(self) -> bool:
        return self._guard is not None and self._guard.expired

    def keep_watching(self) -> contextlib.ExitStack:
        """Go on guarding the call's socket after the call, until what is returned is closed."""
        return self._guards.pop_all()

    def watch(self, sock: socket.socket) -> None:
        """Cut the socket off at the deadline; a call has only one, the first counts.

        A duplicate is guarded: TLS and http.client close or replace the object handed in here.
        """
        if self._guard is None:
            duplicate = self._guards.enter_context(socket.socket(fileno=os.dup(sock.fileno())))
            guard = socket_deadlines.guard(duplicate, seconds=self.seconds_left)
            self._guard = self._guards.enter_context(guard)

    def check_moment(self) -> None:
        """Raise NotSent when the moment to send has passed."""
        if time.monotonic() >= self._send_before:
            raise NotSent("Nothing was sent: the moment to send had passed.")

    def begin(self) -> None:
        """Note that the first byte leaves now, or raise NotSent."""
        self.check_moment()
        self.may_have_left = True

    def failure(self, error: Exception) -> CallFailed:
        """Word what went wrong. The error's own text is not used: it may show a URL."""
        cause, is_over = _root_cause(error), self.seconds_left == 0.0
        reason = _DEADLINE if is_over else _in_words(cause)
        if not self.may_have_left:
            return NotSent(f"Nothing was sent: {reason}.")
        is_late = is_over or isinstance(cause, TimeoutError)
        return _too_late(reason) if is_late else NoAnswer(_no_answer(reason))

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """Make this the transmission that the connections of this thread report to."""
        reset = _under_way.set(self)
        with self._guards:
            try:
                yield
            finally:
                _under_way.reset(reset)


_under_way: ContextVar[Transmission] = ContextVar("transmission under way")


_DEADLINE = "the deadline passed"


def _too_late(reason: str) -> AnswerTooLate:
    return AnswerTooLate(_no_answer(reason))


def _no_answer(reason: str) -> str:
    return f"Sent, and no complete answer came: {reason}."


def _root_cause(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}, {error.strerror}"
    return type(error).__name__


class _ReportingConnection(HTTPConnection):
    """A connection that reports to the transmission under way."""

    def _new_conn(self) -> socket.socket:
        # The one place between connecting and the TLS handshake, which a peer may drip as well.
        sock = super()._new_conn()
        _under_way.get().watch(sock)
        return sock

    def request(self, *args: Any, **arguments: Any) -> None:
        """Connect if need be, and only then begin to send."""
        transmission = _under_way.get()
        if self.is_closed:
            self.connect()
        transmission.watch(self.sock)
        transmission.begin()
        # A large body may take longer to send than a connection to make.
        self.timeout = transmission.seconds_left
        super().request(*args, **arguments)


class _ReportingTLSConnection(_ReportingConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _ReportingConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _ReportingTLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    """An adapter whose connections report. It repeats nothing: requests' own default."""

    def init_poolmanager(self, *args: Any, **arguments: Any) -> None:
        super().init_poolmanager(*args, **arguments)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **arguments: Any) -> urllib3.ProxyManager:
        if proxy.lower().startswith("socks"):
            # Its connections would not report, and a create's outcome could be misjudged.
            raise requests.exceptions.InvalidProxyURL("SOCKS proxies are not supported.")
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **arguments)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    """A session that follows no redirect and keeps no cookie: one serves many credentials."""

    def __init__(self) -> None:
        super().__init__()
        self.headers = CaseInsensitiveDict(_HEADERS)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for prefix in ("https://", "http://"):
            self.mount(prefix, _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  # the signature is requests'
        # Even told not to follow, requests reads a redirect's whole body to look at its target.
        return None


class Transport:
    """Sends calls, over pooled connections or each over one of its own."""

    def __init__(
        self,
        *,
        connect_timeout_seconds: float,
        read_timeout_seconds: float,
        answer_limit_bytes: int,
        stream_limit_bytes: int,
    ) -> None:
        self._stream_limit_bytes = stream_limit_bytes
        self._connect_timeout_seconds = connect_timeout_seconds
        self._read_timeout_seconds = read_timeout_seconds
        self._answer_limit_bytes = answer_limit_bytes
        self._pooled = _Session()

    def close(self) -> None:
        self._pooled.close()

    def send(
        self,
        transmission: Transmission,
        method: str,
        url: str,
        *,
        is_streamed: Callable[[Mapping[str, str]], bool] = lambda _headers: False,
        **arguments: Any,
    ) -> Answer:
        """Send a call over a pooled connection; ``arguments`` are those of requests.

        ``is_streamed`` tells from an answer's headers whether its body is read piece by piece.
        Raises NotSent, NoAnswer, UnreadableAnswer.
        """
        return self._send(
            self._pooled, transmission, method, url, is_streamed=is_streamed, **arguments
        )

    def send_on_its_own(
        self, transmission: Transmission, method: str, url: str, **arguments: Any
    ) -> Answer:
        """Send a call over a new connection, like ``send``.

        On one that was kept open, a reset would not tell whether the call was read.
        """
        with _Session() as session:
            return self._send(session, transmission, method, url, **arguments)

    def _send(
        self,
        session: requests.Session,
        transmission: Transmission,
        method: str,
        url: str,
        *,
        is_streamed: Callable[[Mapping[str, str]], bool] = lambda _headers: False,
        **arguments: Any,
    ) -> Answer:
        transmission.check_moment()
        try:
            with transmission.under_way():
                answer = self._exchange(
                    session, transmission, method, url, is_streamed=is_streamed, **arguments
                )
        except _FAILURES as error:
            failure = transmission.failure(error)
        else:
            if not transmission.is_cut_off:
                return answer
            # The end of a stream that was cut off looks like the end of an answer.
            failure = _too_late(_DEADLINE)
        # Raised out here, so that no error that knows the call's headers hangs on to it.
        raise failure

    def _exchange(
        self,
        session: requests.Session,
        transmission: Transmission,
        method: str,
        url: str,
        *,
        is_streamed: Callable[[Mapping[str, str]], bool],
        **arguments: Any,
    ) -> Answer:
        timeouts = (
            min(self._connect_timeout_seconds, transmission.seconds_left),
            min(self._read_timeout_seconds, transmission.seconds_left),
        )
        response = session.request(
            method, url, timeout=timeouts, allow_redirects=False, stream=True, **arguments
        )
        if is_streamed(response.headers):
            stream = Stream(response, transmission, limit_bytes=self._stream_limit_bytes)
            usage = parse_usage(response.headers)
            return Answer(response.status_code, response.headers, b"", usage, stream=stream)
        with response:
            return self._read(response)

    def _read(self, response: requests.Response) -> Answer:
        usage = parse_usage(response.headers)
        body = bytearray()
        failure = self._read_body(response, into=body)
        if failure is not None:
            failure.usage = usage
            failure.fbtrace_id = trace_id(response.headers)
            raise failure
        return Answer(response.status_code, response.headers, bytes(body), usage)

    def _read_body(
        self, response: requests.Response, *, into: bytearray
    ) -> UnreadableAnswer | None:
        """Read the body; return what is wrong with it, if something is."""
        http_status = response.status_code
        try:
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=True):
                into += chunk
                if len(into) > self._answer_limit_bytes:
                    return AnswerTooLong(http_status=http_status)
        except DecodeError:
            return UnreadableAnswer("The answer cannot be decoded", http_status=http_status)
        return None


_SECRETS_IN_URL = re.compile(r"(?<=appsecret_proof=)[0-9a-f]+|(?<=input_token=)[^&\s\"]+")


def _hide_secrets(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SECRETS_IN_URL.sub("…", record.getMessage()), ()
    return True


# urllib3 logs the URLs of its calls, and Graph takes the proof of a read, and the token that is
# asked about, in the URL only.
for _name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_hide_secrets)
