"""What a process counts of its own work, for Prometheus.

Each is one line to count where something happens, and costs microseconds; nothing here knows what
an account or a verdict is. What SQL knows is not counted here but read when somebody asks.

Under gunicorn every web worker counts into a file of its own, and whichever is asked sums them
all. For that the library reads ``PROMETHEUS_MULTIPROC_DIR`` when it is imported: gunicorn.conf.py
sets it before.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

CONTENT_TYPE = CONTENT_TYPE_LATEST

# When each counter was first used is a series more for each, and several processes have no such
# moment in common.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types half of itself

_REGISTRY = CollectorRegistry()
_FORWARDING_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

NOTIFICATIONS = Counter(
    "receiver_notifications",
    "Notifications that came: kept, refused for their token, lost to a database that is away, or "
    "failed for a reason that nobody foresaw.",
    ["outcome"],
    registry=_REGISTRY,
)
HTTP_REQUESTS = Counter(
    "receiver_http_requests",
    "HTTP requests that were answered, by the part that answered and the class of the status.",
    ["surface", "status"],
    registry=_REGISTRY,
)
GRAPH_CALLS = Counter(
    "receiver_graph_calls",
    "HTTP calls to Facebook by account: answered, refused (HTTP 4xx), failed (HTTP 5xx), "
    "unreadable, no_answer, not_sent.",
    ["account", "outcome"],
    registry=_REGISTRY,
)
GRAPH_CALL_SECONDS = Histogram(
    "receiver_graph_call_seconds",
    "How long HTTP calls to Facebook took, those without an answer too.",
    ["method"],
    buckets=_SECONDS,
    registry=_REGISTRY,
)
GRAPH_POINTS = Counter(
    "receiver_graph_points",
    "Points of an account's rate limit that were reserved for calls, by what they were for.",
    ["account", "purpose"],
    registry=_REGISTRY,
)
LOOKS = Counter(
    "receiver_looks",
    "Readings at Facebook, by what was read and the verdict on the set's notification; error for "
    "those that failed, unjudged for those that do not judge.",
    ["kind", "verdict"],
    registry=_REGISTRY,
)
COLLECT_SECONDS = Histogram(
    "receiver_collect_seconds",
    "How long a complete set took from the first page of its requests to the last row in SQL: "
    "collected, incomplete, or failed.",
    ["outcome"],
    buckets=_SECONDS,
    registry=_REGISTRY,
)
DELIVERIES = Counter(
    "receiver_deliveries",
    "Attempts to tell callers: delivered, retry, failed for good, gone (HTTP 410).",
    ["outcome"],
    registry=_REGISTRY,
)
WAKES = Counter(
    "receiver_wakes",
    "Messages that wake workers for an account: sent, or dropped where the broker is away or full.",
    ["outcome"],
    registry=_REGISTRY,
)

# What has not happened yet is shown as 0, or an alert would miss that it happened once.
for _outcome in ("kept", "refused", "database_away", "failed"):
    NOTIFICATIONS.labels(_outcome)
for _outcome in ("delivered", "retry", "failed", "gone"):
    DELIVERIES.labels(_outcome)
for _outcome in ("sent", "dropped"):
    WAKES.labels(_outcome)


def exposition(*collectors: Collector) -> bytes:
    """Return all that is counted in Prometheus' text format, and what the collectors bring."""
    registry = CollectorRegistry()
    if ValueClass is MutexValue:
        registry.register(_REGISTRY)
    else:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # as above
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def may_read(
    *, token: str | None, headers: Mapping[str, str], address: str | None, is_behind_proxy: bool
) -> bool:
    """Tell whether somebody may read the metrics, which name accounts.

    Whoever sends the token; where there is none, whoever calls from this very machine. A request
    that a proxy forwarded does not: its address may be the proxy's own, and a proxy need not say
    that it is one.
    """
    sent = {name.lower(): text for name, text in headers.items()}
    if token is None:
        is_forwarded = is_behind_proxy or not _FORWARDING_HEADERS.isdisjoint(sent)
        return not is_forwarded and _is_loopback(address)
    scheme, _, given = sent.get("authorization", "").partition(" ")
    is_same = hmac.compare_digest(given.strip().encode(), token.encode())
    return is_same and scheme.lower() == "bearer"


def _is_loopback(address: str | None) -> bool:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
