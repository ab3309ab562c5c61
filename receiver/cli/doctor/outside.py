"""Examine what Facebook meets: the public URL, what answers there, and its certificate."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from receiver.assembly import Parts
from receiver.cli.doctor.finding import Finding, Step, failed, skipped, warning, well
from receiver.store.types import MAX_ID

_TIMEOUT_SECONDS = 10
_ANSWER_BYTES = 1000
_EXPIRY_MARGIN = timedelta(days=14)
_HTTPS_PORT = 443
_URL, _FORGED, _OWN = "public URL", "forged notification", "own notification URL"
_CERTIFICATE = "certificate"


@dataclass(frozen=True)
class _Reply:
    """How a call ended: its status and how its body begins, or a word for why there is none."""

    status: int | None
    body: bytes = b""
    problem: str = ""


class Outside:
    """The steps, all of them through the public URL, as Facebook comes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._url = parts.settings.public_url

    def steps(self) -> list[Step]:
        """Return what is to be examined, in its order."""
        return [
            Step(_CERTIFICATE, self._examine_certificate),
            Step(_URL, self._examine_url),
            Step(_FORGED, self._examine_forged),
            Step(_OWN, self._examine_own),
        ]

    def _examine_url(self) -> list[Finding]:
        reply = _call("GET", f"{self._url}/health/live")
        if reply.status is None:
            advice = "Check RECEIVER_PUBLIC_URL, its name in the DNS, the proxy and the service."
            return [failed(_URL, f"{self._url} does not answer: {reply.problem}.", advice=advice)]
        if reply.status != HTTPStatus.OK or b'"ok"' not in reply.body:
            advice = "Let the proxy pass every path under it on to the web service, unchanged."
            found = f"{self._url}/health/live is answered with HTTP {reply.status}, by another."
            return [failed(_URL, found, advice=advice)]
        if self._is_out_of_reach():
            advice = "Set RECEIVER_PUBLIC_URL to the URL under which Facebook reaches the service."
            found = f"{self._url} leads to a receiver, and nobody but this machine gets there."
            return [warning(_URL, found, advice=advice)]
        return [well(_URL, f"{self._url} leads to a receiver.")]

    def _is_out_of_reach(self) -> bool:
        """Whether Facebook is elsewhere, and the public URL this machine's own."""
        here, facebook = (
            _is_this_machine(urlsplit(url).hostname or "")
            for url in (self._url, self._parts.settings.graph_url)
        )
        return here and not facebook

    def _examine_forged(self) -> list[Finding]:
        reply = _call("POST", f"{self._url}/notifications/forged")
        if reply.status is None:
            return [skipped(_FORGED, f"Not examined: {reply.problem}.")]
        if (reply.status, reply.body) == (HTTPStatus.NOT_FOUND, b"Not found"):
            return [well(_FORGED, "It is refused.")]
        advice = "Let the proxy pass /notifications/ on as it comes, with any method."
        found = f"It is answered with HTTP {reply.status}, and not by a receiver's refusal."
        return [failed(_FORGED, found, advice=advice)]

    def _examine_own(self) -> list[Finding]:
        """Ask with a token that these keys sign: a GET is answered, and nothing is kept of it."""
        token = self._parts.keys.sign_token(intent=MAX_ID - 1, attempt=1)
        reply = _call("GET", f"{self._url}/notifications/{token}")
        if reply.status is None:
            return [skipped(_OWN, f"Not examined: {reply.problem}.")]
        if (reply.status, reply.body) == (HTTPStatus.OK, b"OK"):
            return [well(_OWN, "What these secret keys sign is taken there.")]
        advice = "Give every process the same RECEIVER_SECRET_KEYS, and restart it."
        found = f"What these secret keys sign is answered with HTTP {reply.status}."
        return [failed(_OWN, found, advice=advice)]

    def _examine_certificate(self) -> list[Finding]:
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return [_certificate_of(host, parts.port or _HTTPS_PORT, now=self._parts.now())]
        if _is_this_machine(host):
            return [skipped(_CERTIFICATE, "Not examined: the public URL is this machine's own.")]
        advice = "Set RECEIVER_PUBLIC_URL to an https:// URL, and let a proxy serve it."
        found = "The public URL is not https: whoever listens on the way can forge notifications."
        return [warning(_CERTIFICATE, found, advice=advice)]


def _call(method: str, url: str) -> _Reply:
    """Make one call. An error's own text is not used: it shows the URL."""
    try:
        with requests.request(
            method, url, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as response:
            body = next(response.iter_content(_ANSWER_BYTES), b"")
            return _Reply(response.status_code, body)
    except requests.exceptions.SSLError:
        return _Reply(None, problem="its certificate is not trusted")
    except requests.Timeout:
        return _Reply(None, problem=f"no answer came in {_TIMEOUT_SECONDS} s")
    except (requests.RequestException, OSError) as error:
        return _Reply(None, problem=f"no connection could be made ({type(error).__name__})")


def _certificate_of(host: str, port: int, *, now: datetime) -> Finding:
    try:
        shown = _shown_certificate(host, port)
    except ssl.SSLCertVerificationError as error:
        advice = "Serve a certificate for this name, with every intermediate certificate."
        found = f"It is not trusted: {error.verify_message}."
        return failed(_CERTIFICATE, found, advice=advice)
    except OSError as error:
        advice = "Check that the proxy serves TLS at this name and port."
        found = f"{host}:{port} shows none ({type(error).__name__})."
        return failed(_CERTIFICATE, found, advice=advice)
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), tz=UTC)
    found = f"It is trusted, and ends at {ends_at:%Y-%m-%d %H:%M} UTC."
    if ends_at - now < _EXPIRY_MARGIN:
        return warning(_CERTIFICATE, found, advice="Renew it: without it no notification comes.")
    return well(_CERTIFICATE, found)


def _shown_certificate(host: str, port: int) -> Mapping[str, Any]:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS) as sock,
        context.wrap_socket(sock, server_hostname=host) as tls,
    ):
        return tls.getpeercert() or {}


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
