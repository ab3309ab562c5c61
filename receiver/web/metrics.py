"""``GET /metrics``: what every web worker counts, and what SQL knows at that moment.

It names accounts, so it asks for a token; without one only this machine itself may read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, request
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from receiver import metrics
from receiver.lifecycle.figures import Figures
from receiver.store.database import DatabaseAway
from receiver.web.broker_state import BrokerState, broker_state
from receiver.web.context import figures, parts

log = structlog.get_logger(__name__)

blueprint = Blueprint("metrics", __name__)

_PATIENCE_SECONDS = 5.0
_SURFACES = {
    "callback": "notifications",
    "gateway": "graph",
    "dashboard": "admin",
    "admin_docs": "admin",
    "bootstrap": "admin",
}
"""What the parts are called where their blueprint has another name."""


@blueprint.get("/metrics")
def show() -> Response:
    """Show the metrics of every web worker on this machine, and what SQL knows."""
    if not _may_read():
        return _refuse()
    shown = metrics.exposition(_FiguresCollector(_read_figures()), _BrokerCollector(broker_state()))
    return Response(shown, content_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def count_response(response: Response) -> None:
    """Count a request that is answered."""
    name = request.blueprint or "other"
    status = f"{response.status_code // 100}xx"
    metrics.HTTP_REQUESTS.labels(_SURFACES.get(name, name), status).inc()


def _may_read() -> bool:
    settings = parts().settings
    token = settings.metrics_token
    return metrics.may_read(
        token=None if token is None else token.get_secret_value(),
        headers=dict(request.headers.items()),
        address=request.remote_addr,
        is_behind_proxy=settings.trusted_proxies > 0,
    )


def _refuse() -> Response:
    return Response(
        "Send the token of RECEIVER_METRICS_TOKEN as Authorization: Bearer <token>; while that is "
        "not set, metrics are read on the machine itself only, and nowhere behind a proxy.\n",
        status=HTTPStatus.UNAUTHORIZED,
        content_type="text/plain; charset=utf-8",
        headers={"WWW-Authenticate": 'Bearer realm="receiver"', "Cache-Control": "no-store"},
    )


def _read_figures() -> Figures | None:
    """Read what SQL knows; None where it does not tell. The rest is shown all the same."""
    try:
        return figures().get(timeout_seconds=_PATIENCE_SECONDS)
    except (DatabaseAway, TimeoutError) as error:
        log.warning("The database told the metrics nothing", reason=str(error))
    except Exception:  # whoever is on call needs the other numbers now
        log.exception("The metrics could not be read from the database")
    return None


class _FiguresCollector(Collector):
    """Shows figures as gauges; without them, only that there are none."""

    def __init__(self, found: Figures | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        yield _gauge("database_up", "Whether the database told these numbers.", found is not None)
        if found is None:
            return
        yield _by_state(found)
        yield from _of_integrity(found)
        yield from _of_work(found)


class _BrokerCollector(Collector):
    """Shows how it stands with the broker; nothing where there is none."""

    def __init__(self, found: BrokerState | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        if found is None:
            return
        yield _gauge("broker_up", "Whether the broker answers.", found.answers)
        if found.waiting_messages is not None:
            meaning = "Messages that no worker has taken yet."
            yield _gauge("waiting_messages", meaning, found.waiting_messages)


def _by_state(found: Figures) -> Metric:
    by_state = GaugeMetricFamily(
        "receiver_sets", "Sets in each state; counting ends at 10,000.", labels=["state"]
    )
    for state, count in found.states.items():
        by_state.add_metric([state], count)
    return by_state


_INTEGRITY = {
    "missing": "Sets without results long after they were due: must be 0.",
    "doubled": "Creates that Facebook has twice: must be 0.",
    "late": "Sets without results past their deadline, and not missing yet.",
    "stuck": "Sets that a person has to look at.",
}


def _of_integrity(found: Figures) -> Iterator[Metric]:
    for name, meaning in _INTEGRITY.items():
        yield _gauge(f"{name}_sets", meaning, found.integrity[name])


def _of_work(found: Figures) -> Iterator[Metric]:
    ready = found.readiness
    yield _gauge("worker_up", "Whether a worker was alive within 30 s.", bool(ready.has_worker))
    if ready.heartbeat_age is not None:
        age = ready.heartbeat_age.total_seconds()
        yield _gauge("worker_heartbeat_age_seconds", "How old the newest heartbeat is.", age)
    waiting = ready.backlog
    if waiting is None:
        return
    yield _gauge("due_sets", "Sets that are due; counting ends at 10,000.", waiting.due_sets)
    yield _gauge(
        "waiting_sets", "Due sets whose account may not be asked yet.", waiting.waiting_sets
    )
    yield _gauge(
        "oldest_due_seconds",
        "For how long the oldest set has been due that a worker may take.",
        ready.oldest_due_seconds or 0.0,
    )
    yield _gauge(
        "unapplied_notifications",
        "Notifications that no worker has applied; counting ends at 10,000.",
        waiting.unapplied_notifications,
    )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"receiver_{name}", meaning, value=float(value))
