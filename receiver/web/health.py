"""What load balancers and orchestrators ask, who hold no key: no answer shows whose this is.

Readiness fails only for what keeps this very process from its work: the database, and its tables.
Without a worker it goes on to keep Facebook's notifications, each of which is sent perhaps once:
taken out of rotation for that, it would lose them. So a missing worker is ``degraded``, with 200,
and so is a broker that is away, which costs the workers some pace.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Response

from receiver.lifecycle.readiness import PATIENCE_SECONDS, Readiness
from receiver.web.broker_state import BrokerState, broker_state
from receiver.web.context import parts, readiness

log = structlog.get_logger(__name__)

blueprint = Blueprint("health", __name__, url_prefix="/health")

_OK, _DEGRADED, _FAILED, _UNKNOWN = "ok", "degraded", "failed", "unknown"


@blueprint.get("/live")
def live() -> Response:
    """Say that this process answers. It asks nobody."""
    return _answer({"status": _OK}, status=HTTPStatus.OK)


@blueprint.get("/ready")
def ready() -> Response:
    """Say whether this process can do its work, and how much of it waits."""
    found = _find()
    status = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return _answer(_document(found, broker_state()), status=status)


def _find() -> Readiness:
    try:
        return readiness().get(timeout_seconds=PATIENCE_SECONDS)
    except TimeoutError:
        log.warning("Not ready: the database did not answer in time")
    except Exception:  # whatever it was, this process is not ready
        log.exception("Readiness could not be checked")
    return Readiness(parts().now())


def _document(found: Readiness, broker: BrokerState | None) -> dict[str, Any]:
    """Return readiness as its JSON document; what was not found out is ``unknown`` or null."""
    age, waiting = found.heartbeat_age, found.backlog
    return {
        "status": _status(found, broker),
        "checks": {
            "database": {
                "status": _FAILED if found.database_ms is None else _OK,
                "duration_ms": found.database_ms,
            },
            "migrations": {"status": _in_words(is_well=found.is_schema_current)},
            "worker": {
                "status": _in_words(is_well=found.has_worker),
                "age_seconds": None if age is None else round(age.total_seconds(), 1),
            },
            "broker": None
            if broker is None
            else {
                "status": _in_words(is_well=broker.answers),
                "waiting_messages": broker.waiting_messages,
            },
            "backlog": None
            if waiting is None
            else {
                "due_sets": waiting.due_sets,
                "waiting_sets": waiting.waiting_sets,
                "unapplied_notifications": waiting.unapplied_notifications,
            },
            "oldest_due_seconds": found.oldest_due_seconds,
        },
    }


def _status(found: Readiness, broker: BrokerState | None) -> str:
    if not found.is_ready:
        return _FAILED
    is_whole = found.has_worker and (broker is None or broker.answers)
    return _OK if is_whole else _DEGRADED


def _in_words(*, is_well: bool | None) -> str:
    if is_well is None:
        return _UNKNOWN
    return _OK if is_well else _FAILED


def _answer(shown: dict[str, Any], *, status: HTTPStatus) -> Response:
    return Response(
        json.dumps(shown),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
