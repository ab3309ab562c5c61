"""The client: calls to Facebook leave from here only."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from receiver.graph import tokens, wire
from receiver.graph.answers import read_as
from receiver.graph.counting import counting
from receiver.graph.errors import (
    Advice,
    CallFailed,
    GraphError,
    NoAnswer,
    NotModified,
    NotSent,
    UnreadableAnswer,
    is_too_much,
)
from receiver.graph.multipart import write_multipart
from receiver.graph.passing import PassedAnswer, PassedCall, is_text
from receiver.graph.serve import split_path
from receiver.graph.tokens import TokenShown
from receiver.graph.transport import Answer, Transmission, Transport
from receiver.graph.usage import Usage
from receiver.graph.vocabulary import AD_SETS_EDGE, API_VERSION, SCOPE_EDGE
from receiver.graph.wire import Call, NodesPage, SetReading, SetsPage

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_SHORTEST_SECRET = 8
"""What is shorter is no secret of Facebook's, and hiding it would garble an answer."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Credential:
    """A token, and its app's secret where the app requires a proof of it."""

    token: str = field(repr=False)
    app_secret: str | None = field(default=None, repr=False)
    account_id: int | None = field(default=None, compare=False, repr=False)
    """Whose calls are counted with it; None for what belongs to no account."""

    @property
    def proof(self) -> str | None:
        if self.app_secret is None:
            return None
        return tokens.appsecret_proof(self.token, self.app_secret)


@dataclass(frozen=True)
class Answered(Generic[_Value]):
    """What a call brought; ``calls`` is how many HTTP calls it took, failed ones counted.

    ``date`` is Facebook's own time in the answer's header, None without a readable one.
    ``etag`` names the answer, for a read that asks only for what is new.
    """

    value: _Value
    usage: Usage
    calls: int
    date: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Created:
    """Facebook has the set, under this id."""

    set_id: int
    usage: Usage


class GraphClient:
    """Calls Graph. Every method raises CallFailed; one call, all tries together, ends in time.

    ``deadline_seconds`` is that time. Reads are tried up to ``attempts`` times; a create is sent
    once or not at all. One client serves many threads.
    """

    def __init__(  # noqa: PLR0913  # each is a limit of its own
        self,
        base_url: str,
        *,
        version: str = API_VERSION,
        connect_timeout_seconds: float,
        read_timeout_seconds: float,
        deadline_seconds: float,
        attempts: int = 3,
        answer_limit_bytes: int = 64 * 1024 * 1024,
        stream_limit_bytes: int = 1024**3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._root_url = base_url.rstrip("/")
        self._version = version
        self._base_url = f"{self._root_url}/{version}"
        self._attempts = attempts
        self._sleep = sleep
        self._transport = Transport(
            connect_timeout_seconds=connect_timeout_seconds,
            read_timeout_seconds=read_timeout_seconds,
            answer_limit_bytes=answer_limit_bytes,
            stream_limit_bytes=stream_limit_bytes,
        )

    def close(self) -> None:
        self._transport.close()

    def create_request_set(
        self,
        credential: Credential,
        *,
        account_id: int,
        edge: str = AD_SETS_EDGE,
        name: str,
        specs: str,
        notification_uri: str,
        secrets: Collection[str] = (),
        send_before_monotonic: float,
    ) -> Created:
        """Create a request set. It is sent once, before that moment of ``time.monotonic()``.

        ``specs`` is a JSON text: of what, the edge tells. ``secrets`` are parts of what is sent
        that no error may repeat. ``errors.outcome_is_unknown`` tells of a CallFailed whether the
        set may exist all the same.
        """
        call = wire.create_set(
            account_id, edge=edge, name=name, specs=specs, notification_uri=notification_uri
        )
        answered = self._send_once(
            credential,
            call,
            wire.read_created_id,
            secrets=secrets,
            send_before_monotonic=send_before_monotonic,
        )
        return Created(answered.value, answered.usage)

    def rename_set(
        self, credential: Credential, set_id: int, *, name: str, secrets: Collection[str] = ()
    ) -> Answered[None]:
        """Change a set's name. Sent once; sent again, it changes nothing more."""
        call = wire.rename_set(set_id, name=name)
        return self._send_once(credential, call, wire.read_done, secrets=secrets)

    def tell_uri(
        self,
        credential: Credential,
        set_id: int,
        *,
        notification_uri: str,
        secrets: Collection[str] = (),
    ) -> Answered[None]:
        """Say where a set is to be notified. Sent once; sent again, it changes nothing more."""
        call = wire.tell_uri(set_id, notification_uri=notification_uri)
        return self._send_once(credential, call, wire.read_done, secrets=secrets)

    def cancel(self, credential: Credential, object_id: int) -> Answered[None]:
        """Cancel what is not processed yet of a set, or a request. Sent once."""
        return self._send_once(credential, wire.cancel(object_id), wire.read_done)

    def _send_once(
        self,
        credential: Credential,
        call: Call,
        reader: Callable[[Any], _Value],
        *,
        secrets: Collection[str] = (),
        send_before_monotonic: float = math.inf,
    ) -> Answered[_Value]:
        ends = time.monotonic() + self.deadline_seconds
        transmission = Transmission(send_before=send_before_monotonic, ends=ends)
        try:
            value, answer = self._call(credential, call, transmission, reader, secrets=secrets)
        except CallFailed as failure:
            failure.calls = 1
            raise
        return Answered(value, answer.usage, calls=1)

    def read_set(self, credential: Credential, set_id: int) -> Answered[SetReading]:
        """Read a set with all its fields."""
        reader = partial(wire.read_set_node, expected_id=set_id)
        return self.read(credential, wire.read_set(set_id), reader)

    def read_token(self, credential: Credential) -> Answered[TokenShown]:
        """Read what Facebook says of a credential's token."""
        return self.read(credential, tokens.read_token(credential.token), tokens.read_token_shown)

    def read_complete_sets(
        self, credential: Credential, account_id: int, *, edge: str, after: str | None, limit: int
    ) -> Answered[SetsPage]:
        """Read a page of an account's complete sets with all their fields."""
        call = wire.read_complete_sets(account_id, edge=edge, after=after, limit=limit)
        return self.read(credential, call, wire.read_sets_page)

    def read_account_sets(
        self,
        credential: Credential,
        account_id: int,
        *,
        edge: str = AD_SETS_EDGE,
        after: str | None,
        limit: int,
    ) -> Answered[SetsPage]:
        """Read of a page of an account's sets what tells whose they are.

        ``after`` is the cursor of the page before.
        """
        call = wire.read_evidence(account_id, edge=edge, after=after, limit=limit)
        return self.read(credential, call, wire.read_sets_page)

    def read_edge(
        self, credential: Credential, object_id: int, *, edge: str, after: str | None, limit: int
    ) -> Answered[NodesPage]:
        """Read a page of an edge's nodes as they come, with all their fields.

        The edge is one of an account's that list sets, or ``asyncadrequests`` of any object.
        """
        if edge == SCOPE_EDGE:
            call = wire.read_scope_requests(object_id, after=after, limit=limit)
        else:
            call = wire.read_account_sets(object_id, edge=edge, after=after, limit=limit)
        return self.read(credential, call, wire.read_nodes_page)

    def pass_on(
        self, credential: Credential, call: PassedCall, *, deadline_seconds: float | None = None
    ) -> PassedAnswer:
        """Pass a call on and return whatever Facebook answers, refusals too.

        A write is sent once, over a connection of its own; a read is tried again where no answer
        came. Raises NotSent, NoAnswer, UnreadableAnswer.
        """
        ends = time.monotonic() + (deadline_seconds or self.deadline_seconds)
        tried = 0
        while True:
            tried += 1
            transmission = Transmission(send_before=ends, ends=ends)
            try:
                return self._pass_on(credential, call, transmission)
            except (NotSent, NoAnswer) as failure:
                failure.calls = tried
                is_last = tried >= self._attempts or transmission.seconds_left == 0.0
                if is_last or not call.is_read:
                    raise

    def _pass_on(
        self, credential: Credential, call: PassedCall, transmission: Transmission
    ) -> PassedAnswer:
        send = self._transport.send if call.is_read else self._transport.send_on_its_own
        proof = credential.proof
        with (
            contextlib.ExitStack() as held,
            counting(credential.account_id, method=call.method) as counted,
        ):
            data, content_type = _body_of(call, held)
            answer = send(
                transmission,
                call.method,
                f"{self._root_url}/{self._versioned(call.path)}",
                params=call.query if proof is None else (*call.query, ("appsecret_proof", proof)),
                data=data,
                headers=_headers_of(call, content_type),
                auth=_Bearer(credential.token),
                is_streamed=lambda headers: not is_text(headers),
            )
            counted.http_status = answer.http_status
        return PassedAnswer(
            answer.http_status, answer.headers, answer.body, answer.stream, answer.usage
        )

    def _versioned(self, path: str) -> str:
        version, segments = split_path(path)
        return path if version is not None else "/".join((self._version, *segments))

    def read(
        self,
        credential: Credential,
        call: Call,
        reader: Callable[[Any], _Value],
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Answered[_Value]:
        """Make a call that only reads, and read its answer. Raises NotModified for a 304."""
        ends = time.monotonic() + self.deadline_seconds
        tried = 0
        while True:
            tried += 1
            transmission = Transmission(send_before=ends, ends=ends)
            try:
                value, answer = self._call(credential, call, transmission, reader, headers=headers)
            except CallFailed as failure:
                failure.calls = tried
                pause_seconds = _pause_seconds(tried)
                is_last = tried >= self._attempts or pause_seconds >= transmission.seconds_left
                if is_last or not _is_worth_repeating(failure, call):
                    raise
                self._sleep(pause_seconds)
            else:
                date = wire.read_date(answer.headers.get("Date"))
                etag = answer.headers.get("ETag")
                return Answered(value, answer.usage, calls=tried, date=date, etag=etag)

    def _call(
        self,
        credential: Credential,
        call: Call,
        transmission: Transmission,
        reader: Callable[[Any], _Value],
        *,
        secrets: Collection[str] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> tuple[_Value, Answer]:
        with counting(credential.account_id, method=call.method) as counted:
            answer = self._send(credential, call, transmission, headers=headers)
            counted.http_status = answer.http_status
            try:
                if answer.http_status == HTTPStatus.NOT_MODIFIED and headers:
                    raise NotModified("Nothing is new.")
                value = read_as(
                    reader,
                    http_status=answer.http_status,
                    headers=answer.headers,
                    body=_hide(answer.body, credential, secrets),
                )
            except CallFailed as failure:
                failure.usage = answer.usage
                failure.date = wire.read_date(answer.headers.get("Date"))
                raise
        return value, answer

    def _send(
        self,
        credential: Credential,
        call: Call,
        transmission: Transmission,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Answer:
        url = f"{self._base_url}/{call.path}"
        auth = _Bearer(credential.token)
        parameters = _with_proof(call.parameters, credential)
        if call.is_read and call.method == "POST":
            return self._transport.send(transmission, "POST", url, data=parameters, auth=auth)
        if call.method == "POST":
            return self._transport.send_on_its_own(
                transmission, "POST", url, data=parameters, auth=auth
            )
        if call.method == "DELETE":
            return self._transport.send_on_its_own(
                transmission, "DELETE", url, params=parameters, auth=auth
            )
        return self._transport.send(
            transmission, "GET", url, params=parameters, auth=auth, headers=dict(headers)
        )


def _body_of(call: PassedCall, held: contextlib.ExitStack) -> tuple[Any, str]:
    """Return the body to be sent and its content type, which requests itself writes for a form."""
    if call.files:
        body, content_type = write_multipart(call.form, call.files)
        return held.enter_context(body), content_type
    if call.data:
        return call.data, call.content_type
    return call.form, ""


def _headers_of(call: PassedCall, content_type: str) -> dict[str, str]:
    return {**call.headers, "Content-Type": content_type} if content_type else dict(call.headers)


class _Bearer(AuthBase):
    """Puts the token in its header. As ``auth`` it also keeps requests from reading ``.netrc``."""

    def __init__(self, token: str) -> None:
        if not (token.isascii() and token.isprintable()) or not token.strip():
            # http.client would show the whole token in its error.
            raise NotSent("Nothing was sent: the token holds what no header can carry.")
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _with_proof(parameters: Mapping[str, str], credential: Credential) -> dict[str, str]:
    proof = credential.proof
    return dict(parameters) if proof is None else {**parameters, "appsecret_proof": proof}


def _hide(body: bytes, credential: Credential, secrets: Collection[str]) -> bytes:
    """Take the caller's own secrets out of an answer: error messages have been seen to repeat them.

    A page's links repeat the token too, quoted.
    """
    token, secret, proof = credential.token, credential.app_secret, credential.proof
    for text in (token, quote(token, safe=""), secret, proof, *secrets):
        if text is not None and len(text) >= _SHORTEST_SECRET:
            body = body.replace(text.encode(), b"(hidden)")
    return body


def _is_worth_repeating(failure: CallFailed, call: Call) -> bool:
    if isinstance(failure, GraphError):
        # A page that is too much is too much again: its reader asks for less.
        return failure.advice is Advice.RETRY and not (call.has_limit and is_too_much(failure))
    if isinstance(failure, UnreadableAnswer):
        return failure.is_server_error
    return isinstance(failure, (NotSent, NoAnswer))


def _pause_seconds(tried: int) -> float:
    """Return how long to pause after that many tries: anything up to a bound that doubles."""
    bound = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (tried - 1))
    return random.uniform(0.0, bound)  # noqa: S311  # jitter, not a secret
