"""The Graph-shaped routes: create a set, read a set, read its requests."""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from receiver.crypto import CannotOpen
from receiver.graph import serve
from receiver.graph.errors import GraphError
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import REQUEST, REQUEST_SET
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, submit
from receiver.store import reports
from receiver.store.database import DatabaseAway
from receiver.store.intents import NewIntent
from receiver.store.models import RequestSet
from receiver.web.body import put_back, read_body
from receiver.web.context import create_slots, parts
from receiver.web.gateway import faults
from receiver.web.gateway.creation import read_creation
from receiver.web.gateway.faults import Fault
from receiver.web.gateway.keys import caller, require_account
from receiver.web.gateway.paths import Target, parse_path
from receiver.web.gateway.views import request_record, set_record
from receiver.web.slots import NoSlot

log = structlog.get_logger(__name__)

blueprint = Blueprint("gateway", __name__)


@blueprint.route("/", defaults={"path": ""}, methods=["GET", "POST", "DELETE"])
@blueprint.route("/<path:path>", methods=["GET", "POST", "DELETE"])
def graph(path: str) -> Response:
    """Answer one Graph call."""
    target = parse_path(path)
    if target is None:
        raise Fault(faults.QUERY, f"Unknown path components: /{path}")
    parameters = _parameters()
    match request.method, target:
        case "POST", Target(account_id=int(), edge="asyncadrequestsets"):
            return _create(target, parameters)
        case "GET", Target(object_id=int(), edge=None):
            return _read_set(target, parameters)
        case "GET", Target(object_id=int(), edge="requests"):
            return _read_requests(target, parameters)
    raise faults.no_such_object(target.node)


def _parameters() -> dict[str, Any]:
    _read_whole_body()
    json_body = request.get_data() if request.is_json else b""
    form = [] if request.is_json else list(request.form.items())
    return serve.read_parameters(request.args.items(), form=form, json_body=json_body)


def _read_whole_body() -> None:
    """Read the body before anything is made of it: a piece of one may look like a whole.

    Raises Fault.
    """
    settings = parts().settings
    body = read_body(
        request,
        limit_bytes=settings.request_body_limit_bytes,
        deadline_seconds=settings.request_body_deadline_seconds,
    )
    match body.cut:
        case "size":
            limit = settings.request_body_limit_bytes
            raise Fault(faults.PARAMETER, f"The body is larger than {limit} bytes.", 413)
        case "deadline":
            seconds = settings.request_body_deadline_seconds
            message = f"The body did not come within {seconds:g} seconds: nothing was done."
            raise Fault(faults.PARAMETER, message, 408)
        case "hangup":
            raise faults.bad_parameter("The body ended before its end: nothing was done.")
    put_back(request, body)


def _create(target: Target, parameters: dict[str, Any]) -> Response:
    holder = caller(parameters)
    account_id = target.account_id or 0
    require_account(holder, account_id)
    creation = read_creation(parameters)
    intent = NewIntent(account_id=account_id, api_key_id=holder.key_id, **vars(creation))
    try:
        with create_slots().slot(account_id):
            submitted = submit(parts().tools, intent, public_url=parts().settings.public_url)
    except NoSlot:
        raise faults.service_away(
            "Too many creates wait for Facebook: nothing was sent, try again."
        ) from None
    except Rejected as refusal:
        return _refusal(refusal)
    except OutcomeUnknown as unknown:
        raise Fault(
            faults.OUTCOME_UNKNOWN,
            "Facebook was asked to create this set and what became of it is not known "
            f"({unknown.reason}). Do not send it again: the receiver keeps it, never repeats it, "
            "and opens it as soon as Facebook shows it. "
            f"See /admin/api/request-sets/{unknown.request_set_id}.",
            http_status=409,
        ) from unknown
    response = _answer({"id": str(submitted.facebook_id)}, source="graph")
    response.headers["X-Receiver-Set"] = str(submitted.request_set_id)
    return response


def _refusal(refusal: Rejected) -> Response:
    """Facebook's error as it came; our own where nothing could be sent."""
    if isinstance(refusal.cause, GraphError):
        return Response(
            refusal.cause.body,
            status=refusal.cause.http_status,
            content_type="application/json; charset=UTF-8",
            headers={"X-Receiver-Source": "graph", "Cache-Control": "no-store"},
        )
    raise faults.service_away(f"Facebook could not be reached and nothing was sent: {refusal}")


def _read_set(target: Target, parameters: dict[str, Any]) -> Response:
    row = _find(target, parameters)
    fields = serve.parse_fields(parameters.get("fields"), node=REQUEST_SET)
    return _from_store(serve.select_fields(set_record(row), fields), row)


def _read_requests(target: Target, parameters: dict[str, Any]) -> Response:
    row = _find(target, parameters)
    fields = serve.parse_fields(parameters.get("fields"), node=REQUEST)
    limit = serve.parse_limit(parameters.get("limit"))
    statuses = serve.parse_statuses(parameters)
    after = serve.decode_cursor(parameters, "after")
    before = None if after is not None else serve.decode_cursor(parameters, "before")
    with parts().database.reading() as session:
        found = reports.requests_of(
            session, row.id, after=after, before=before, limit=limit + 1, statuses=statuses
        )
    more = len(found) > limit
    shown = found[-limit:] if before is not None else found[:limit]
    page = serve.page_answer(
        [
            serve.select_fields(request_record(one, set_id=target.object_id or 0), fields)
            for one in shown
        ],
        first=shown[0].id if shown else None,
        last=shown[-1].id if shown else None,
        has_next=more if before is None else True,
        has_previous=more if before is not None else after is not None,
        url=f"{parts().settings.public_url}{request.path}",
        parameters=_repeated(parameters, limit=limit),
    )
    return _from_store(page, row)


def _repeated(parameters: dict[str, Any], *, limit: int) -> dict[str, str]:
    """What a paging link repeats: never the key, which would end up in logs."""
    kept = {"limit": str(limit)}
    for name in ("fields", "status", "statuses"):
        value = parameters.get(name)
        if value is not None:
            kept[name] = value if isinstance(value, str) else json.dumps(value)
    return kept


def _find(target: Target, parameters: dict[str, Any]) -> RequestSet:
    holder = caller(parameters)
    with parts().database.reading() as session:
        row = reports.find_set(session, holder.account_ids, facebook_id=target.object_id or 0)
    if row is None:
        raise faults.no_such_object(target.node)
    return row


def _from_store(body: dict[str, Any], row: RequestSet) -> Response:
    response = _answer(body, source="store")
    response.headers["X-Receiver-Set"] = str(row.id)
    known_at = row.looked_at or row.opened_at
    if known_at is not None:
        age_seconds = (parts().now() - known_at).total_seconds()
        response.headers["Age"] = str(max(0, int(age_seconds)))
    return response


def _answer(body: dict[str, Any], *, source: str) -> Response:
    # The standard writer, ASCII only: Facebook's texts may hold what orjson refuses.
    return Response(
        json.dumps(body),
        content_type="application/json; charset=UTF-8",
        headers={"X-Receiver-Source": source, "Cache-Control": "private, no-cache, no-store"},
    )


@blueprint.errorhandler(Fault)
def _on_fault(fault: Fault) -> Response:
    return faults.answer(fault)


@blueprint.errorhandler(BadParameter)
def _on_bad_parameter(error: BadParameter) -> Response:
    return faults.answer(faults.bad_parameter(error.message))


@blueprint.errorhandler(RequestEntityTooLarge)
def _on_too_large(_error: RequestEntityTooLarge) -> Response:
    # The size was checked before: what is left is Werkzeug's limit on a form's parts.
    fault = Fault(faults.PARAMETER, "The form has more than 1000 parts.", http_status=413)
    return faults.answer(fault)


@blueprint.app_errorhandler(MethodNotAllowed)
@blueprint.errorhandler(HTTPException)
def _on_http_error(error: HTTPException) -> Response:
    return faults.answer(
        Fault(faults.QUERY, error.description or "", http_status=error.code or 400)
    )


@blueprint.errorhandler(Exception)
def _on_unforeseen(error: Exception) -> Response:
    log.error("A call failed", exc_info=error)
    return faults.answer(Fault(faults.UNKNOWN, "An unknown error occurred.", http_status=500))


@blueprint.errorhandler(DatabaseAway)
def _on_database_away(error: DatabaseAway) -> Response:
    log.error("The database is away", reason=str(error))
    return faults.answer(faults.service_away("The receiver's database is away: try again."))


@blueprint.errorhandler(CannotOpen)
def _on_sealed(error: CannotOpen) -> Response:
    log.error("A credential cannot be opened", reason=str(error))
    # Not transient: it stays so until a person stores the token again or adds the key.
    message = "The account's credential cannot be opened: ask whoever runs the receiver."
    return faults.answer(Fault(faults.SERVICE, message, http_status=500))
